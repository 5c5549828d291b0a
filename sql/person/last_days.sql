-- Care in the last thirty days of life, for persons who died in the year and were insured on all these days.
-- grain: period, person_number
with decedents as (
    select
        members.person_number,
        members.death_date
    from person.insured_members as members
    inner join person.enrolment
        on enrolment.period = $period
        and enrolment.person_number = members.person_number
        -- Enrolment starts with the year, so deaths count from 31 January.
        and enrolment.start_date <= members.death_date - 30
        and enrolment.until_date >= members.death_date
    where
        members.period = $period
        and members.exclusion = 'none'
        and members.death_date < make_date($period + 1, 1, 1)
),

last_lines as (
    select
        decedents.person_number,
        sum(lines.amount_eur) as decedent_cost_eur,
        count(*) filter (where lines.is_event and lines.activity = 'emergency_visit') as visit_count,
        count(*) filter (
            where lines.is_event and lines.activity in ('admission_acute', 'admission_planned')
        ) as admission_count
    from decedents
    inner join person.care_lines as lines
        on lines.period = $period
        and lines.exclusion = 'none'
        and lines.person_number = decedents.person_number
        and lines.start_date >= decedents.death_date - 30
        and lines.start_date <= decedents.death_date
    group by decedents.person_number
)

select
    cast($period as integer) as period,
    person_number,
    decedents.death_date,
    coalesce(last_lines.visit_count > 0, false) as is_emergency,
    coalesce(last_lines.admission_count > 0, false) as is_admitted,
    coalesce(last_lines.decedent_cost_eur, 0) as decedent_cost_eur
from decedents
left join last_lines using (person_number)
