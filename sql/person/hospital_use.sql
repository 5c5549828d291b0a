-- Emergency visits, admissions and their outcomes, counted per person with at least one.
-- grain: period, person_number
with events as (
    select
        person_number,
        activity,
        start_date
    from person.care_lines
    where
        period = $period
        and is_event
        and activity in ('emergency_visit', 'admission_acute', 'amputation_lower_limb')
),

acute_days as (
    select distinct
        person_number,
        start_date
    from events
    where activity = 'admission_acute'
),

-- An acute admission that starts on the day of a visit or the next day results from the visit.
visits as (
    select
        visit.person_number,
        count(*) as emergency_visit_count,
        count(*) filter (
            where same_day.person_number is not null or next_day.person_number is not null
        ) as emergency_visit_admitted_count
    from events as visit
    left join acute_days as same_day
        on same_day.person_number = visit.person_number
        and same_day.start_date = visit.start_date
    left join acute_days as next_day
        on next_day.person_number = visit.person_number
        and next_day.start_date = visit.start_date + 1
    where visit.activity = 'emergency_visit'
    group by visit.person_number
),

-- Stays with at least one amputation of a lower limb; diabetes is derived from medicines.
amputations as (
    select
        events.person_number,
        count(distinct stay.episode_number) as diabetes_amputation_count
    from events
    inner join person.care_episodes as stay
        on stay.period = $period
        and stay.person_number = events.person_number
        and stay.episode_type = 'hospital'
        and stay.start_date <= events.start_date
        and stay.discharge_date >= events.start_date
    inner join person.chronic_conditions as chronic
        on chronic.period = $period
        and chronic.person_number = events.person_number
        and chronic.condition = 'diabetes'
    where events.activity = 'amputation_lower_limb'
    group by events.person_number
),

episodes as (
    select
        person_number,
        bed_day_count,
        is_acute and is_hip_fracture as is_hip_fracture,
        is_acute and is_ami and is_observed_30_days as is_ami,
        is_acute and is_stroke and is_observed_30_days as is_stroke,
        is_death_in_30_days,
        is_index,
        is_readmitted
    from person.care_episodes
    where
        period = $period
        and episode_type = 'hospital'
),

-- A heart attack or stroke counts once per person; otherwise a death would count for every earlier admission.
stays as (
    select
        person_number,
        count(*) as hospital_admission_count,
        sum(bed_day_count) as bed_day_count,
        count(*) filter (where is_hip_fracture) as hip_fracture_admission_count,
        max(case when is_ami then 1 else 0 end) as ami_admission_count,
        max(case when is_ami and is_death_in_30_days then 1 else 0 end) as ami_death_30_day_count,
        max(case when is_stroke then 1 else 0 end) as stroke_admission_count,
        max(case when is_stroke and is_death_in_30_days then 1 else 0 end) as stroke_death_30_day_count,
        count(*) filter (where is_index) as index_discharge_count,
        count(*) filter (where is_index and is_readmitted) as readmission_30_day_count
    from episodes
    group by person_number
),

users as (
    select person_number
    from visits
    union distinct
    select person_number
    from amputations
    union distinct
    select person_number
    from stays
)

select
    cast($period as integer) as period,
    person_number,
    coalesce(visits.emergency_visit_count, 0) as emergency_visit_count,
    coalesce(visits.emergency_visit_admitted_count, 0) as emergency_visit_admitted_count,
    coalesce(stays.hospital_admission_count, 0) as hospital_admission_count,
    coalesce(stays.bed_day_count, 0) as bed_day_count,
    coalesce(stays.hip_fracture_admission_count, 0) as hip_fracture_admission_count,
    coalesce(amputations.diabetes_amputation_count, 0) as diabetes_amputation_count,
    coalesce(stays.ami_admission_count, 0) as ami_admission_count,
    coalesce(stays.ami_death_30_day_count, 0) as ami_death_30_day_count,
    coalesce(stays.stroke_admission_count, 0) as stroke_admission_count,
    coalesce(stays.stroke_death_30_day_count, 0) as stroke_death_30_day_count,
    coalesce(stays.index_discharge_count, 0) as index_discharge_count,
    coalesce(stays.readmission_30_day_count, 0) as readmission_30_day_count
from users
left join visits using (person_number)
left join amputations using (person_number)
left join stays using (person_number)
