-- Enrolment, cost and care events of everyone insured in a year, each person in the municipality of the last insured day.
-- grain: period, municipality_code, sex, age_band, exclusion
with calendar as (
    select
        make_date($period, 1, 1) as year_start,
        make_date($period + 1, 1, 1) as year_end
),

spans as (
    select
        insured.person_key,
        insured.municipality_code,
        insured.sex,
        insured.age,
        insured.age_band,
        greatest(insured.start_date, calendar.year_start) as start_date,
        least(insured.until_date, calendar.year_end) as until_date,
        case
            when insured.start_date >= calendar.year_end or insured.until_date <= calendar.year_start then 'other_year'
            when insured.age not between 0 and 120 then 'impossible_age'
            else 'none'
        end as exclusion
    from stg.insured_population as insured
    cross join calendar
    where insured.period = $period
),

span_totals as (
    select
        person_key,
        exclusion,
        count(*) as insured_span_count
    from spans
    group by
        person_key,
        exclusion
),

-- Spans of one person that overlap or touch are one stretch of enrolment, so that no day counts twice.
opened_spans as (
    select
        person_key,
        start_date,
        until_date,
        case
            when start_date <= max(until_date) over (
                partition by person_key order by start_date, until_date rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as opens_stretch
    from spans
    where exclusion = 'none'
),

numbered_spans as (
    select
        person_key,
        start_date,
        until_date,
        sum(opens_stretch) over (
            partition by person_key order by start_date, until_date rows between unbounded preceding and current row
        ) as stretch_number
    from opened_spans
),

enrolment as (
    select
        person_key,
        min(start_date) as start_date,
        max(until_date) as until_date
    from numbered_spans
    group by
        person_key,
        stretch_number
),

insured_days as (
    select
        person_key,
        sum(date_diff('day', start_date, until_date)) as insured_day_count,
        max(until_date) as insured_until
    from enrolment
    group by person_key
),

last_spans as (
    select
        person_key,
        municipality_code,
        sex,
        age,
        age_band,
        exclusion,
        row_number() over (
            partition by person_key order by until_date desc, start_date desc, municipality_code, sex, age
        ) as span_rank
    from spans
    where exclusion = 'none'
),

members as (
    select
        person_key,
        last_spans.exclusion,
        last_spans.municipality_code,
        last_spans.sex,
        last_spans.age,
        last_spans.age_band,
        insured_days.insured_day_count,
        last_spans.age >= 65 and insured_days.insured_until = calendar.year_end as is_senior
    from last_spans
    inner join insured_days using (person_key)
    cross join calendar
    where last_spans.span_rank = 1
),

claim_lines as (
    select
        supplier,
        line_number,
        person_key,
        care_kind,
        activity,
        diagnosis_icd10,
        atc_code,
        start_date,
        until_date,
        provider_code,
        debit_credit,
        reference_number,
        previous_reference,
        amount_eur
    from stg.claims
    where period = $period
),

-- One debit and one credit per reference and amount, so that what is taken out always nets to zero.
reversals as (
    select
        credits.supplier,
        min(credits.line_number) as credit_line_number,
        min(debits.line_number) as debit_line_number
    from claim_lines as credits
    inner join claim_lines as debits
        on debits.supplier = credits.supplier
        and debits.reference_number = credits.previous_reference
        and debits.amount_eur = -credits.amount_eur
    where
        credits.debit_credit = 'C'
        and debits.debit_credit = 'D'
    group by
        credits.supplier,
        credits.previous_reference,
        credits.amount_eur
),

reversed_lines as (
    select
        supplier,
        credit_line_number as line_number
    from reversals
    union all
    select
        supplier,
        debit_line_number as line_number
    from reversals
),

lines as (
    select
        claim_lines.line_number,
        claim_lines.person_key,
        claim_lines.care_kind,
        claim_lines.activity,
        claim_lines.diagnosis_icd10,
        claim_lines.atc_code,
        claim_lines.start_date,
        claim_lines.until_date,
        claim_lines.provider_code,
        claim_lines.debit_credit,
        claim_lines.amount_eur,
        enrolment.until_date as enrolled_until,
        case
            when reversed_lines.line_number is not null then 'reversed_pair'
            when claim_lines.start_date < calendar.year_start or claim_lines.start_date >= calendar.year_end then 'other_year'
            when enrolment.person_key is null then 'outside_enrolment'
            else 'none'
        end as exclusion
    from claim_lines
    cross join calendar
    left join reversed_lines
        on reversed_lines.supplier = claim_lines.supplier
        and reversed_lines.line_number = claim_lines.line_number
    left join enrolment
        on enrolment.person_key = claim_lines.person_key
        and enrolment.start_date <= claim_lines.start_date
        and enrolment.until_date > claim_lines.start_date
),

line_totals as (
    select
        person_key,
        exclusion,
        count(*) as claim_line_count,
        sum(amount_eur) as amount_eur,
        sum(amount_eur) filter (where care_kind = 'hospital') as cost_hospital_eur,
        sum(amount_eur) filter (where care_kind = 'pharmacy') as cost_pharmacy_eur,
        sum(amount_eur) filter (where care_kind = 'mental_health') as cost_mental_health_eur,
        sum(amount_eur) filter (where care_kind = 'general_practice') as cost_general_practice_eur,
        sum(amount_eur) filter (where care_kind = 'district_nursing') as cost_district_nursing_eur,
        sum(amount_eur) filter (where care_kind = 'devices') as cost_devices_eur,
        sum(amount_eur) filter (where care_kind = 'allied_health') as cost_allied_health_eur,
        sum(amount_eur) filter (where care_kind = 'dental') as cost_dental_eur,
        sum(amount_eur) filter (where care_kind = 'geriatric_rehabilitation') as cost_geriatric_rehabilitation_eur,
        sum(amount_eur) filter (where care_kind = 'patient_transport') as cost_patient_transport_eur,
        sum(amount_eur) filter (where care_kind = 'maternity') as cost_maternity_eur,
        sum(amount_eur) filter (where care_kind = 'primary_care_stay') as cost_primary_care_stay_eur,
        sum(amount_eur) filter (where care_kind = 'cross_border') as cost_cross_border_eur,
        sum(amount_eur) filter (where care_kind = 'gzsp') as cost_gzsp_eur,
        sum(amount_eur) filter (where care_kind = 'other') as cost_other_eur
    from lines
    group by
        person_key,
        exclusion
),

ranked_members as (
    select
        person_key,
        exclusion,
        cast(line_totals.amount_eur as decimal(18, 2)) as cost_eur,
        row_number() over (order by coalesce(line_totals.amount_eur, 0) desc, person_key) as cost_rank,
        count(*) over () as member_count
    from members
    left join line_totals using (person_key, exclusion)
),

-- A credit only moves euros; what happened to a person stands in the debits.
events as (
    select
        line_number,
        person_key,
        exclusion,
        activity,
        diagnosis_icd10,
        atc_code,
        start_date,
        until_date,
        provider_code,
        enrolled_until
    from lines
    where
        exclusion = 'none'
        and debit_credit = 'D'
),

emergency_visits as (
    select
        person_key,
        exclusion,
        count(*) as emergency_visit_count
    from events
    where activity = 'emergency_visit'
    group by
        person_key,
        exclusion
),

-- An admission on or before the day the previous one ended is a transfer within one episode.
opened_admissions as (
    select
        line_number,
        person_key,
        exclusion,
        diagnosis_icd10,
        activity = 'admission_acute' as is_acute,
        start_date,
        until_date,
        enrolled_until,
        case
            when start_date < max(until_date) over (
                partition by person_key
                order by start_date, until_date, line_number
                rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as opens_episode
    from events
    where activity in ('admission_acute', 'admission_planned')
),

numbered_admissions as (
    select
        person_key,
        exclusion,
        diagnosis_icd10,
        is_acute,
        start_date,
        until_date,
        enrolled_until,
        opens_episode,
        sum(opens_episode) over (
            partition by person_key
            order by start_date, until_date, line_number
            rows between unbounded preceding and current row
        ) as episode_number
    from opened_admissions
),

-- The first admission says why and how urgently the episode began.
episodes as (
    select
        person_key,
        exclusion,
        episode_number,
        min(start_date) as start_date,
        max(until_date) - 1 as discharge_date,
        max(enrolled_until) as enrolled_until,
        bool_or(opens_episode = 1 and is_acute) as is_acute,
        max(case when opens_episode = 1 then diagnosis_icd10 end) as diagnosis_icd10
    from numbered_admissions
    group by
        person_key,
        exclusion,
        episode_number
),

episode_diagnoses as (
    select distinct diagnosis_icd10
    from episodes
),

avoidable_diagnoses as (
    select distinct episode_diagnoses.diagnosis_icd10
    from episode_diagnoses
    inner join ref.avoidable_admissions
        on starts_with(episode_diagnoses.diagnosis_icd10, replace(avoidable_admissions.icd10_prefix, '.', ''))
),

followed_episodes as (
    select
        episodes.person_key,
        episodes.exclusion,
        episodes.is_acute and avoidable_diagnoses.diagnosis_icd10 is not null as is_avoidable,
        -- Thirty insured days must follow; enrolment is cut at the year's end, so the last discharge is 1 December.
        date_diff('day', episodes.discharge_date, episodes.enrolled_until) > 30 as is_index,
        date_diff('day', episodes.discharge_date, lead(episodes.start_date) over (
            partition by episodes.person_key order by episodes.episode_number
        )) as days_until_next,
        lead(episodes.is_acute) over (
            partition by episodes.person_key order by episodes.episode_number
        ) as next_is_acute
    from episodes
    left join avoidable_diagnoses on avoidable_diagnoses.diagnosis_icd10 = episodes.diagnosis_icd10
),

stays as (
    select
        person_key,
        exclusion,
        count(*) filter (where is_avoidable) as avoidable_admission_count,
        count(*) filter (where is_index) as index_discharge_count,
        count(*) filter (where is_index and next_is_acute and days_until_next between 1 and 30) as readmission_count
    from followed_episodes
    group by
        person_key,
        exclusion
),

-- Two lines of one day are one dispensing.
regular_medicines as (
    select
        person_key,
        exclusion,
        substr(atc_code, 1, 4) as atc_group
    from events
    where
        activity = 'dispensing'
        and length(atc_code) >= 4
    group by
        person_key,
        exclusion,
        substr(atc_code, 1, 4)
    having count(distinct start_date) >= 3
),

medication as (
    select
        person_key,
        exclusion,
        count(*) as medicine_group_count
    from regular_medicines
    group by
        person_key,
        exclusion
),

provider_contacts as (
    select
        person_key,
        exclusion,
        provider_code,
        count(*) as contact_count
    from events
    where activity = 'general_practice_contact'
    group by
        person_key,
        exclusion,
        provider_code
),

-- The index of Bice and Boxerman; an exact decimal, so that sums do not depend on the order of rows.
continuity as (
    select
        person_key,
        exclusion,
        cast(
            cast(sum(contact_count * contact_count) - sum(contact_count) as double)
            / cast(sum(contact_count) * (sum(contact_count) - 1) as double) as decimal(18, 12)
        ) as continuity_index
    from provider_contacts
    group by
        person_key,
        exclusion
    having sum(contact_count) >= 4
),

subjects as (
    select
        person_key,
        exclusion
    from span_totals
    union distinct
    select
        person_key,
        exclusion
    from line_totals
),

cells as (
    select
        cast($period as integer) as period,
        coalesce(members.municipality_code, 'unknown') as municipality_code,
        coalesce(members.sex, 'unknown') as sex,
        coalesce(members.age_band, 'unknown') as age_band,
        exclusion,
        count(members.insured_day_count) as insured_person_count,
        cast(coalesce(sum(members.insured_day_count), 0) as double)
        / max(date_diff('day', calendar.year_start, calendar.year_end)) as insured_years,
        cast(coalesce(sum(span_totals.insured_span_count), 0) as bigint) as insured_span_count,
        cast(coalesce(sum(line_totals.claim_line_count), 0) as bigint) as claim_line_count,
        cast(coalesce(sum(line_totals.amount_eur), 0) as decimal(18, 2)) as amount_eur,
        cast(coalesce(sum(line_totals.cost_hospital_eur), 0) as decimal(18, 2)) as cost_hospital_eur,
        cast(coalesce(sum(line_totals.cost_pharmacy_eur), 0) as decimal(18, 2)) as cost_pharmacy_eur,
        cast(coalesce(sum(line_totals.cost_mental_health_eur), 0) as decimal(18, 2)) as cost_mental_health_eur,
        cast(coalesce(sum(line_totals.cost_general_practice_eur), 0) as decimal(18, 2)) as cost_general_practice_eur,
        cast(coalesce(sum(line_totals.cost_district_nursing_eur), 0) as decimal(18, 2)) as cost_district_nursing_eur,
        cast(coalesce(sum(line_totals.cost_devices_eur), 0) as decimal(18, 2)) as cost_devices_eur,
        cast(coalesce(sum(line_totals.cost_allied_health_eur), 0) as decimal(18, 2)) as cost_allied_health_eur,
        cast(coalesce(sum(line_totals.cost_dental_eur), 0) as decimal(18, 2)) as cost_dental_eur,
        cast(coalesce(sum(line_totals.cost_geriatric_rehabilitation_eur), 0) as decimal(18, 2))
            as cost_geriatric_rehabilitation_eur,
        cast(coalesce(sum(line_totals.cost_patient_transport_eur), 0) as decimal(18, 2)) as cost_patient_transport_eur,
        cast(coalesce(sum(line_totals.cost_maternity_eur), 0) as decimal(18, 2)) as cost_maternity_eur,
        cast(coalesce(sum(line_totals.cost_primary_care_stay_eur), 0) as decimal(18, 2)) as cost_primary_care_stay_eur,
        cast(coalesce(sum(line_totals.cost_cross_border_eur), 0) as decimal(18, 2)) as cost_cross_border_eur,
        cast(coalesce(sum(line_totals.cost_gzsp_eur), 0) as decimal(18, 2)) as cost_gzsp_eur,
        cast(coalesce(sum(line_totals.cost_other_eur), 0) as decimal(18, 2)) as cost_other_eur,
        count(line_totals.cost_hospital_eur) filter (where exclusion = 'none') as user_hospital_count,
        count(line_totals.cost_pharmacy_eur) filter (where exclusion = 'none') as user_pharmacy_count,
        count(line_totals.cost_mental_health_eur) filter (where exclusion = 'none') as user_mental_health_count,
        count(line_totals.cost_general_practice_eur) filter (where exclusion = 'none') as user_general_practice_count,
        count(line_totals.cost_district_nursing_eur) filter (where exclusion = 'none') as user_district_nursing_count,
        count(line_totals.cost_devices_eur) filter (where exclusion = 'none') as user_devices_count,
        count(line_totals.cost_allied_health_eur) filter (where exclusion = 'none') as user_allied_health_count,
        count(line_totals.cost_dental_eur) filter (where exclusion = 'none') as user_dental_count,
        count(line_totals.cost_geriatric_rehabilitation_eur) filter (where exclusion = 'none') as user_geriatric_rehabilitation_count,
        count(line_totals.cost_patient_transport_eur) filter (where exclusion = 'none') as user_patient_transport_count,
        count(line_totals.cost_maternity_eur) filter (where exclusion = 'none') as user_maternity_count,
        count(line_totals.cost_primary_care_stay_eur) filter (where exclusion = 'none') as user_primary_care_stay_count,
        count(line_totals.cost_cross_border_eur) filter (where exclusion = 'none') as user_cross_border_count,
        count(line_totals.cost_gzsp_eur) filter (where exclusion = 'none') as user_gzsp_count,
        count(line_totals.cost_other_eur) filter (where exclusion = 'none') as user_other_count,
        cast(coalesce(sum(ranked_members.cost_eur * ranked_members.cost_eur), 0) as double) as cost_sumsq,
        cast(
            coalesce(sum(ranked_members.cost_eur) filter (
                where ranked_members.cost_rank * 20 <= ranked_members.member_count
            ), 0) as decimal(18, 2)
        ) as costliest_5_percent_eur,
        count(*) filter (
            where ranked_members.cost_rank * 20 <= ranked_members.member_count
        ) as costliest_5_percent_count,
        cast(coalesce(sum(emergency_visits.emergency_visit_count), 0) as bigint) as emergency_visit_count,
        cast(
            coalesce(sum(stays.avoidable_admission_count) filter (where members.age >= 15), 0) as bigint
        ) as avoidable_admission_count,
        cast(coalesce(sum(stays.index_discharge_count), 0) as bigint) as index_discharge_count,
        cast(coalesce(sum(stays.readmission_count), 0) as bigint) as readmission_30_day_count,
        count(*) filter (where members.is_senior) as senior_count,
        count(*) filter (where members.is_senior and medication.medicine_group_count >= 5) as polypharmacy_count,
        count(continuity.continuity_index) as continuity_person_count,
        cast(coalesce(sum(continuity.continuity_index), 0) as double) as continuity_sum,
        cast(coalesce(sum(continuity.continuity_index * continuity.continuity_index), 0) as double) as continuity_sumsq
    from subjects
    cross join calendar
    left join span_totals using (person_key, exclusion)
    left join line_totals using (person_key, exclusion)
    left join members using (person_key, exclusion)
    left join ranked_members using (person_key, exclusion)
    left join emergency_visits using (person_key, exclusion)
    left join stays using (person_key, exclusion)
    left join medication using (person_key, exclusion)
    left join continuity using (person_key, exclusion)
    group by
        coalesce(members.municipality_code, 'unknown'),
        coalesce(members.sex, 'unknown'),
        coalesce(members.age_band, 'unknown'),
        exclusion
)

-- Where fifty insured persons or more have not one claim between them, claims are missing; they are not cheap.
select
    period,
    municipality_code,
    sex,
    age_band,
    case
        when
            exclusion = 'none'
            and sum(claim_line_count) over (partition by municipality_code, exclusion) = 0
            and sum(insured_person_count) over (partition by municipality_code, exclusion) >= 50
            then 'claims_not_delivered'
        else exclusion
    end as exclusion,
    insured_person_count,
    insured_years,
    insured_span_count,
    claim_line_count,
    amount_eur,
    cost_hospital_eur,
    cost_pharmacy_eur,
    cost_mental_health_eur,
    cost_general_practice_eur,
    cost_district_nursing_eur,
    cost_devices_eur,
    cost_allied_health_eur,
    cost_dental_eur,
    cost_geriatric_rehabilitation_eur,
    cost_patient_transport_eur,
    cost_maternity_eur,
    cost_primary_care_stay_eur,
    cost_cross_border_eur,
    cost_gzsp_eur,
    cost_other_eur,
    user_hospital_count,
    user_pharmacy_count,
    user_mental_health_count,
    user_general_practice_count,
    user_district_nursing_count,
    user_devices_count,
    user_allied_health_count,
    user_dental_count,
    user_geriatric_rehabilitation_count,
    user_patient_transport_count,
    user_maternity_count,
    user_primary_care_stay_count,
    user_cross_border_count,
    user_gzsp_count,
    user_other_count,
    cost_sumsq,
    costliest_5_percent_eur,
    costliest_5_percent_count,
    emergency_visit_count,
    avoidable_admission_count,
    index_discharge_count,
    readmission_30_day_count,
    senior_count,
    polypharmacy_count,
    continuity_person_count,
    continuity_sum,
    continuity_sumsq
from cells
