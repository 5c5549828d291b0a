-- Episodes of stay in a hospital or in psychiatric care: their reason, their end and what followed.
-- grain: period, person_number, episode_type, episode_number
with calendar as (
    select make_date($period + 1, 1, 1) as year_end
),

admissions as (
    select
        supplier,
        line_number,
        person_number,
        case activity when 'psychiatric_admission' then 'psychiatric' else 'hospital' end as episode_type,
        activity = 'admission_acute' as is_acute,
        diagnosis_icd10,
        start_date,
        until_date,
        insured_until
    from person.care_lines
    where
        period = $period
        and is_event
        and activity in ('admission_acute', 'admission_planned', 'psychiatric_admission')
),

-- An admission on or before the day the previous one ended is a transfer within one episode.
opened_admissions as (
    select
        supplier,
        line_number,
        person_number,
        episode_type,
        is_acute,
        diagnosis_icd10,
        start_date,
        until_date,
        insured_until,
        case
            when start_date < max(until_date) over (
                partition by person_number, episode_type
                order by start_date, until_date, line_number, supplier
                rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as opens_episode
    from admissions
),

numbered_admissions as (
    select
        person_number,
        episode_type,
        is_acute,
        diagnosis_icd10,
        start_date,
        until_date,
        insured_until,
        opens_episode,
        sum(opens_episode) over (
            partition by person_number, episode_type
            order by start_date, until_date, line_number, supplier
            rows between unbounded preceding and current row
        ) as episode_number
    from opened_admissions
),

-- The first admission gives the reason and urgency of the episode; chapters O and P are birth and newborns.
episodes as (
    select
        person_number,
        episode_type,
        episode_number,
        min(start_date) as start_date,
        max(until_date) - 1 as discharge_date,
        max(insured_until) as insured_until,
        bool_or(opens_episode = 1 and is_acute) as is_acute,
        max(case when opens_episode = 1 then diagnosis_icd10 end) as diagnosis_icd10,
        bool_or(coalesce(substr(diagnosis_icd10, 1, 1) in ('O', 'P'), false)) as is_birth_care
    from numbered_admissions
    group by
        person_number,
        episode_type,
        episode_number
),

diagnoses as (
    select distinct diagnosis_icd10
    from episodes
    where diagnosis_icd10 is not null
),

-- If two prefixes match a diagnosis, the longer one decides.
ranked_conditions as (
    select
        diagnoses.diagnosis_icd10,
        avoidable_admissions.condition as avoidable_condition,
        row_number() over (
            partition by diagnoses.diagnosis_icd10
            order by length(avoidable_admissions.icd10_prefix) desc, avoidable_admissions.condition
        ) as condition_rank
    from diagnoses
    inner join ref.avoidable_admissions
        on starts_with(diagnoses.diagnosis_icd10, replace(avoidable_admissions.icd10_prefix, '.', ''))
),

listed_diagnoses as (
    select
        diagnoses.diagnosis_icd10,
        max(ranked_conditions.avoidable_condition) as avoidable_condition,
        count(hip_fracture.icd10_prefix) > 0 as is_hip_fracture,
        count(acute_myocardial_infarction.icd10_prefix) > 0 as is_ami,
        count(stroke.icd10_prefix) > 0 as is_stroke
    from diagnoses
    left join ranked_conditions
        on ranked_conditions.diagnosis_icd10 = diagnoses.diagnosis_icd10
        and ranked_conditions.condition_rank = 1
    left join ref.hip_fracture
        on starts_with(diagnoses.diagnosis_icd10, replace(hip_fracture.icd10_prefix, '.', ''))
    left join ref.acute_myocardial_infarction
        on starts_with(diagnoses.diagnosis_icd10, replace(acute_myocardial_infarction.icd10_prefix, '.', ''))
    left join ref.stroke
        on starts_with(diagnoses.diagnosis_icd10, replace(stroke.icd10_prefix, '.', ''))
    group by diagnoses.diagnosis_icd10
),

followed_episodes as (
    select
        episodes.person_number,
        episodes.episode_type,
        episodes.episode_number,
        episodes.start_date,
        episodes.discharge_date,
        episodes.is_acute,
        episodes.diagnosis_icd10,
        episodes.is_birth_care,
        date_diff('day', episodes.start_date, episodes.insured_until) as insured_after_start_count,
        date_diff('day', episodes.discharge_date, episodes.insured_until) as insured_after_discharge_count,
        date_diff('day', episodes.start_date, calendar.year_end) as year_after_start_count,
        date_diff('day', episodes.start_date, members.death_date) as start_until_death_count,
        date_diff('day', episodes.discharge_date, members.death_date) as discharge_until_death_count,
        date_diff('day', episodes.discharge_date, lead(episodes.start_date) over (
            partition by episodes.person_number, episodes.episode_type order by episodes.episode_number
        )) as days_until_next_count,
        lead(episodes.is_acute) over (
            partition by episodes.person_number, episodes.episode_type order by episodes.episode_number
        ) as is_next_acute
    from episodes
    cross join calendar
    left join person.insured_members as members
        on members.period = $period
        and members.person_number = episodes.person_number
        and members.exclusion = 'none'
)

select
    cast($period as integer) as period,
    followed.person_number,
    followed.episode_type,
    followed.episode_number,
    followed.start_date,
    followed.discharge_date,
    date_diff('day', followed.start_date, followed.discharge_date) as bed_day_count,
    followed.is_acute,
    followed.diagnosis_icd10,
    followed.is_birth_care,
    listed_diagnoses.avoidable_condition,
    coalesce(listed_diagnoses.is_hip_fracture, false) as is_hip_fracture,
    coalesce(listed_diagnoses.is_ami, false) as is_ami,
    coalesce(listed_diagnoses.is_stroke, false) as is_stroke,
    coalesce(followed.discharge_until_death_count <= 0, false) as is_death_in_stay,
    coalesce(followed.start_until_death_count <= 30, false) as is_death_in_30_days,
    -- Enrolment is cut at the end of the year, so the start may be no later than 1 December, also for persons who died.
    followed.year_after_start_count > 30
    and (followed.insured_after_start_count > 30 or coalesce(followed.start_until_death_count <= 30, false))
        as is_observed_30_days,
    followed.insured_after_discharge_count > 30 and coalesce(followed.discharge_until_death_count > 30, true) as is_index,
    followed.days_until_next_count,
    -- Only the next episode counts: an acute one after a planned one is not a readmission of this discharge.
    coalesce(followed.is_next_acute and followed.days_until_next_count between 1 and 30, false) as is_readmitted
from followed_episodes as followed
left join listed_diagnoses on listed_diagnoses.diagnosis_icd10 = followed.diagnosis_icd10
