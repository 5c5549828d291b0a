-- Chronic conditions, derived from the medicines of the year.
-- grain: person, condition
with listed as (
    select distinct
        code,
        condition,
        least_dispensing_count
    from codes
    inner join chronic_conditions on starts_with(code, atc_prefix)
)

select
    person,
    condition
from counted
inner join listed using (code)
where
    is_event
    and performance_code = 'RX'
group by all
having count(distinct start_date) >= max(least_dispensing_count)
