-- True sums from the people and services themselves; no delivered claim or span is read.
-- grain: a fact about an insured person
--
-- All values are whole numbers, euros in cents, so that sums do not depend on the order of addition.
with regular_groups as (
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

multimorbidity as (
    select person
    from conditions
    group by person
    having count(*) >= 2
),

facts as (
    select person, 'insured_person_count' as measure, 1 as value from insured
    union all
    select person, 'insured_day_count', insured_days from insured
    union all
    select person, 'senior_count', 1 from insured where age >= 65 and last_day = $days
    union all
    select person, 'polypharmacy_count', 1
    from insured semi join polypharmacy using (person) where age >= 65 and last_day = $days
    union all
    select person, condition || '_person_count', 1 from conditions
    union all
    select person, 'multimorbidity_person_count', 1 from multimorbidity
    union all
    select person, 'antibiotic_ddd_sum', cast(ddd_quantity as integer)
    from counted where is_event and performance_code = 'RX' and starts_with(code, 'J01')
    union all
    select distinct person, 'user_' || care_kind || '_count', 1 from counted where is_event
    union all
    select person, 'cost_' || care_kind || '_eur', net_cents from counted
    union all
    select person, 'amount_eur', net_cents from counted
    union all
    select person, 'line_' || care_kind || '_count', 1 from counted where is_event
)

select
    person,
    measure,
    value
from facts
