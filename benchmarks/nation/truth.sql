-- What a right answer is, from the people and services themselves: no claim, span or date of a delivery is read.
-- grain: municipality_code, sex, age_band, measure
--
-- Whole numbers throughout, euros as cents, so that sums do not depend on who adds first.
with counted as (
    select
        *,
        case correction when 'whole' then 0 when 'half' then cents - cents // 2 else cents end as net_cents,
        correction <> 'whole' as is_event
    from services
    where defect = 'none'
),

regular_groups as (
    select person, substr(code, 1, 4) as atc_group
    from counted
    where is_event and performance_code = 'RX'
    group by all
    having count(distinct start_date) >= 3
),

polypharmacy as (
    select person
    from regular_groups
    group by person
    having count(*) >= 5
),

diabetes as (
    select person
    from counted
    where is_event and performance_code = 'RX' and starts_with(code, 'A10')
    group by person
    having count(distinct start_date) >= 2
),

facts as (
    select person, 'insured_person_count' as measure, 1 as value from people
    union all
    select person, 'insured_day_count', insured_days from people
    union all
    select person, 'senior_count', 1 from people where age >= 65 and last_day = $days
    union all
    select person, 'death_count', 1 from people where is_dying
    union all
    select person, 'polypharmacy_count', 1
    from people semi join polypharmacy using (person) where age >= 65 and last_day = $days
    union all
    select person, 'diabetes_person_count', 1 from diabetes
    union all
    select distinct person, 'user_' || care_kind || '_count', 1 from counted where is_event
    union all
    select person, 'cost_' || care_kind || '_eur', net_cents from counted
    union all
    select person, 'amount_eur', net_cents from counted
    union all
    select person, 'line_' || care_kind || '_count', 1 from counted where is_event
    union all
    select person, 'emergency_visit_count', 1 from counted where is_event and performance_code = 'ED'
)

select
    municipality_code,
    sex,
    age_band,
    measure,
    sum(value) as value
from facts
inner join people using (person)
group by all
