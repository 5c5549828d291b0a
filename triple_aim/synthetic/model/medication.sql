-- Medicines of persons aged 65 and over who are insured on the last day of the year: long use and polypharmacy.
-- grain: a fact about an insured person
with dispensings as (
    select
        person,
        code,
        substr(code, 1, 5) as atc_group,
        start_date - $opens as day,
        ddd_quantity
    from counted
    inner join insured using (person)
    where
        is_event
        and performance_code = 'RX'
        and age >= 65
        and last_day = $days
),

long_use as (
    select person
    from dispensings
    semi join benzodiazepines on starts_with(code, atc_prefix)
    group by person
    having sum(ddd_quantity) > 365
),

many as (
    select person
    from dispensings
    group by person
    having count(distinct atc_group) >= 5
),

-- One bit per medicine.
medicines as (
    select
        atc_group,
        cast(1 as hugeint) << cast(row_number() over (order by atc_group) as integer) as medicine
    from (select distinct substr(code, 1, 5) as atc_group from codes)
),

-- A supply lasts as many days as its number of daily doses; overlapping supplies of a medicine count each day once.
days as (
    select
        person,
        medicine,
        unnest(range(day, least(day + cast(ceil(least(ddd_quantity, 366)) as bigint), $days))) as day
    from dispensings
    semi join many using (person)
    inner join medicines using (atc_group)
),

crowded as (
    select
        person,
        day
    from days
    group by all
    having bit_count(bit_or(medicine)) >= 5
),

facts as (
    select person, 'long_benzodiazepine_count' as measure, 1 as value from long_use
    union all
    select person, 'polypharmacy_concurrent_count', 1 from crowded group by person having count(*) >= 90
)

select
    person,
    measure,
    value
from facts
