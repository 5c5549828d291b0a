-- Chronic conditions of insured persons, derived from the medicines of the year.
-- grain: period, person_number, condition
with dispensings as (
    select
        person_number,
        atc_code,
        start_date
    from person.care_lines
    where
        period = $period
        and is_event
        and activity = 'dispensing'
        and atc_code is not null
),

medicines as (
    select distinct atc_code
    from dispensings
),

listed_medicines as (
    select
        medicines.atc_code,
        chronic_conditions.condition,
        max(cast(chronic_conditions.least_dispensing_count as integer)) as least_dispensing_count
    from medicines
    inner join ref.chronic_conditions on starts_with(medicines.atc_code, chronic_conditions.atc_prefix)
    group by
        medicines.atc_code,
        chronic_conditions.condition
)

-- Lines of one day are one dispensing, also for two medicines for the same condition.
select
    cast($period as integer) as period,
    dispensings.person_number,
    listed_medicines.condition,
    count(distinct dispensings.start_date) as dispensing_day_count
from dispensings
inner join listed_medicines on listed_medicines.atc_code = dispensings.atc_code
group by
    dispensings.person_number,
    listed_medicines.condition
having count(distinct dispensings.start_date) >= max(listed_medicines.least_dispensing_count)
