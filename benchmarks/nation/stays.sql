-- Emergency visits and stays in hospital as they were.
-- grain: municipality_code, sex, age_band, measure
--
-- Admissions that follow on each other are one stay, begun by the first.
with admissions as (
    select
        *,
        coalesce(end_date, start_date) as until_date,
        start_date <= max(coalesce(end_date, start_date)) over (
            partition by person
            order by start_date, coalesce(end_date, start_date), care_row, occasion
            rows between unbounded preceding and 1 preceding
        ) as follows_on
    from services
    where
        defect = 'none'
        and correction <> 'whole'
        and starts_with(performance_code, 'ADM-')
),

numbered as (
    select
        *,
        sum(cast(not coalesce(follows_on, false) as integer)) over (
            partition by person
            order by start_date, until_date, care_row, occasion
            rows between unbounded preceding and current row
        ) as stay
    from admissions
),

stays as (
    select
        person,
        municipality_code,
        sex,
        age_band,
        arg_min(code, (start_date, until_date, care_row, occasion)) as diagnosis,
        arg_min(performance_code, (start_date, until_date, care_row, occasion)) = 'ADM-ACUTE' as is_acute,
        max(until_date) - min(start_date) as night_count,
        max(until_date) as until_date
    from numbered
    group by
        person,
        municipality_code,
        sex,
        age_band,
        stay
),

-- Who dies before the stay was to end dies in it.
avoidable as (
    select
        stays.*,
        (
            select arg_max(condition, length(icd10_prefix))
            from avoidable_admissions
            where starts_with(stays.diagnosis, icd10_prefix)
        ) as condition
    from stays
    inner join people using (person)
    where
        is_acute
        and night_count > 0
        and not (is_dying and $opens + last_day - 1 <= stays.until_date)
),

visits as (
    select
        person,
        municipality_code,
        sex,
        age_band,
        exists (
            from admissions
            where
                admissions.person = services.person
                and performance_code = 'ADM-ACUTE'
                and admissions.start_date - services.start_date between 0 and 1
        ) as is_admitted
    from services
    where
        defect = 'none'
        and correction <> 'whole'
        and performance_code = 'ED'
),

facts as (
    select *, 'hospital_admission_count' as measure, 1 as value from stays
    union all by name
    select *, 'emergency_visit_count' as measure, 1 as value from visits
    union all by name
    select *, 'emergency_visit_admitted_count' as measure, 1 as value from visits where is_admitted
    union all by name
    select *, 'emergency_visit_not_admitted_count' as measure, 1 as value from visits where not is_admitted
    union all by name
    select *, 'bed_day_count' as measure, night_count as value from stays
    union all by name
    select *, 'hip_fracture_admission_count' as measure, 1 as value from stays where is_acute and starts_with(diagnosis, 'S72')
    union all by name
    select *, condition || '_avoidable_admission_count' as measure, 1 as value from avoidable where condition is not null
    union all by name
    select *, 'avoidable_admission_count' as measure, 1 as value from avoidable where condition is not null
)

select
    municipality_code,
    sex,
    age_band,
    measure,
    sum(value) as value
from facts
group by all
