-- Outcomes after a stay: readmission, outpatient contact, death; and amputations of persons with diabetes.
-- grain: a fact about an insured person
with discharges as (
    select *
    from episodes
    where
        is_known_after_discharge
        and (care = 'hospital' or coalesce(days_until_next > 30, true))
),

-- The day of discharge is part of the stay.
contacts as (
    select
        discharges.person,
        discharges.stay,
        min(contacts.start_date - discharges.discharged_on) as day_count
    from discharges
    inner join counted as contacts
        on contacts.person = discharges.person
        and contacts.start_date > discharges.discharged_on
    where
        care = 'psychiatric'
        and is_event
        and performance_code = 'GGZ-CONTACT'
    group by all
),

-- Each person counts once a year, whatever the number of admissions.
attacks as (
    select
        person,
        listed.illness,
        bool_or(is_dead_after_admission) as is_dead
    from episodes
    inner join (
        select 'ami' as illness, icd10_prefix from acute_myocardial_infarction
        union all
        select 'stroke', icd10_prefix from stroke
    ) as listed
        on starts_with(diagnosis, icd10_prefix)
    where
        care = 'hospital'
        and is_acute
        and is_known_after_admission
    group by all
),

amputations as (
    select distinct
        episodes.person,
        episodes.stay
    from episodes
    inner join counted as amputation
        on amputation.person = episodes.person
        and amputation.start_date between admitted_on and discharged_on
    semi join (from conditions where condition = 'diabetes') as diabetes on diabetes.person = episodes.person
    where
        care = 'hospital'
        and is_event
        and performance_code = 'AMP'
),

facts as (
    select person, 'index_discharge_count' as measure, 1 as value from discharges where care = 'hospital'
    union all
    select person, 'readmission_30_day_count', 1
    from discharges where care = 'hospital' and is_next_acute and days_until_next <= 30
    union all
    select person, 'psychiatric_discharge_count', 1 from discharges where care = 'psychiatric'
    union all
    select person, 'psychiatric_follow_up_7_day_count', 1 from contacts where day_count <= 7
    union all
    select person, 'psychiatric_follow_up_30_day_count', 1 from contacts where day_count <= 30
    union all
    select person, illness || '_admission_count', 1 from attacks
    union all
    select person, illness || '_death_30_day_count', 1 from attacks where is_dead
    union all
    select person, 'diabetes_amputation_count', 1 from amputations
)

select
    person,
    measure,
    value
from facts
