-- The number of medicines a person used, in total and at the same time, and daily doses of monitored medicines.
-- grain: period, person_number
with calendar as (
    select make_date($period + 1, 1, 1) as year_end
),

dispensings as (
    select
        person_number,
        atc_code,
        start_date,
        ddd_quantity
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
        count(benzodiazepines.atc_prefix) > 0 as is_benzodiazepine,
        count(antibiotics.atc_prefix) > 0 as is_antibiotic
    from medicines
    left join ref.benzodiazepines on starts_with(medicines.atc_code, benzodiazepines.atc_prefix)
    left join ref.antibiotics on starts_with(medicines.atc_code, antibiotics.atc_prefix)
    group by medicines.atc_code
),

doses as (
    select
        dispensings.person_number,
        sum(dispensings.ddd_quantity) as ddd_quantity,
        sum(dispensings.ddd_quantity) filter (where listed_medicines.is_benzodiazepine) as benzodiazepine_ddd_quantity,
        sum(dispensings.ddd_quantity) filter (where listed_medicines.is_antibiotic) as antibiotic_ddd_quantity
    from dispensings
    inner join listed_medicines on listed_medicines.atc_code = dispensings.atc_code
    group by dispensings.person_number
),

-- Lines of one day are one dispensing.
regular_groups as (
    select
        person_number,
        substr(atc_code, 1, 4) as atc_group
    from dispensings
    where length(atc_code) >= 4
    group by
        person_number,
        substr(atc_code, 1, 4)
    having count(distinct start_date) >= 3
),

regular_use as (
    select
        person_number,
        count(*) as regular_group_count
    from regular_groups
    group by person_number
),

-- A supply lasts one day per daily dose; an earlier refill does not make it last longer.
supplies as (
    select
        dispensings.person_number,
        substr(dispensings.atc_code, 1, 5) as atc_group,
        dispensings.start_date,
        least(
            dispensings.start_date + cast(ceil(least(dispensings.ddd_quantity, 366)) as integer), calendar.year_end
        ) as until_date
    from dispensings
    cross join calendar
    inner join person.insured_members as members
        on members.period = $period
        and members.person_number = dispensings.person_number
        and members.is_senior
    where
        length(dispensings.atc_code) >= 5
        and dispensings.ddd_quantity > 0
),

opened_supplies as (
    select
        person_number,
        atc_group,
        start_date,
        until_date,
        case
            when start_date <= max(until_date) over (
                partition by person_number, atc_group
                order by start_date, until_date
                rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as opens_stretch
    from supplies
),

numbered_supplies as (
    select
        person_number,
        atc_group,
        start_date,
        until_date,
        sum(opens_stretch) over (
            partition by person_number, atc_group
            order by start_date, until_date
            rows between unbounded preceding and current row
        ) as stretch_number
    from opened_supplies
),

stretches as (
    select
        person_number,
        min(start_date) as start_date,
        max(until_date) as until_date
    from numbered_supplies
    group by
        person_number,
        atc_group,
        stretch_number
),

changes as (
    select
        person_number,
        start_date as on_date,
        1 as change_count
    from stretches
    union all
    select
        person_number,
        until_date as on_date,
        -1 as change_count
    from stretches
),

days_of_change as (
    select
        person_number,
        on_date,
        sum(change_count) as change_count
    from changes
    group by
        person_number,
        on_date
),

levels as (
    select
        person_number,
        on_date,
        lead(on_date) over (partition by person_number order by on_date) as next_date,
        sum(change_count) over (
            partition by person_number order by on_date rows between unbounded preceding and current row
        ) as medicine_count
    from days_of_change
),

concurrent_use as (
    select
        person_number,
        sum(date_diff('day', on_date, next_date)) as concurrent_day_count
    from levels
    where medicine_count >= 5
    group by person_number
)

select
    cast($period as integer) as period,
    person_number,
    doses.ddd_quantity,
    doses.benzodiazepine_ddd_quantity,
    doses.antibiotic_ddd_quantity,
    coalesce(regular_use.regular_group_count, 0) as regular_group_count,
    coalesce(concurrent_use.concurrent_day_count, 0) as concurrent_day_count
from doses
left join regular_use using (person_number)
left join concurrent_use using (person_number)
