-- Whether daily doses and deaths were delivered for the year: a year without a single value has none.
-- grain: period
with doses as (
    select count(ddd_quantity) as dose_count
    from person.medicine_use
    where period = $period
),

deaths as (
    select count(death_date) as death_count
    from person.insured_members
    where period = $period
)

select
    cast($period as integer) as period,
    doses.dose_count > 0 as is_ddd_delivered,
    deaths.death_count > 0 as is_death_delivered
from doses
cross join deaths
