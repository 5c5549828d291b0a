-- Care in the last thirty days of life of persons who were insured on each of those days.
-- grain: a fact about an insured person
with decedents as (
    select
        person,
        $opens + last_day - 1 as death_date
    from insured
    where
        is_dying
        and last_day - 31 >= case break_kind when 'gap' then greatest(first_day, break_day + 20) else first_day end
),

care as (
    select
        person,
        performance_code,
        net_cents,
        is_event
    from counted
    inner join decedents using (person)
    where start_date between death_date - 30 and death_date
),

facts as (
    select person, 'decedent_count' as measure, 1 as value from decedents
    union all
    select distinct person, 'decedent_emergency_count', 1 from care where is_event and performance_code = 'ED'
    union all
    select distinct person, 'decedent_admission_count', 1
    from care where is_event and performance_code in ('ADM-ACUTE', 'ADM-PLAN')
    union all
    select person, 'decedent_cost_eur', net_cents from care
)

select
    person,
    measure,
    value
from facts
