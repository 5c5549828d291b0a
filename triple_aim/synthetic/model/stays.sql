-- True numbers of emergency visits and hospital stays.
-- grain: a fact about an insured person
with stays as (
    select *
    from episodes
    where care = 'hospital'
),

visits as (
    select
        person,
        exists (
            from counted as admissions
            where
                admissions.is_event
                and admissions.person = counted.person
                and admissions.performance_code = 'ADM-ACUTE'
                and admissions.start_date - counted.start_date between 0 and 1
        ) as is_admitted
    from counted
    where
        is_event
        and performance_code = 'ED'
),

facts as (
    select person, 'hospital_admission_count' as measure, 1 as value from stays
    union all
    select person, 'emergency_visit_count', 1 from visits
    union all
    select person, 'emergency_visit_admitted_count', 1 from visits where is_admitted
    union all
    select person, 'emergency_visit_not_admitted_count', 1 from visits where not is_admitted
    union all
    select person, 'bed_day_count', night_count from stays
    union all
    select person, 'hip_fracture_admission_count', 1 from stays where is_acute and starts_with(diagnosis, 'S72')
    union all
    select person, avoidable_condition || '_avoidable_admission_count', 1 from stays where avoidable_condition is not null
    union all
    select person, 'avoidable_admission_count', 1 from stays where avoidable_condition is not null
)

select
    person,
    measure,
    value
from facts
