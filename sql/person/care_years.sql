-- Every person with enrolment or a claim, one row per year: the enrolment, cost and care that cubes add up.
-- grain: period, person_number, exclusion
-- in parts
with excluded_totals as (
    select
        person_number,
        exclusion,
        sum(claim_line_count) as claim_line_count,
        cast(sum(amount_eur) as decimal(18, 2)) as amount_eur
    from person.care_kinds
    where
        period = $period
        and exclusion <> 'none'
    group by
        person_number,
        exclusion
),

-- Care belongs to persons who count; excluded lines belong to no person, so only their sums are kept.
subjects as (
    select
        person_number,
        'none' as exclusion,
        person_number as counted_number,
        claim_line_count,
        amount_eur
    from person.care_costs
    where period = $period
    union all
    select
        person_number,
        exclusion,
        null as counted_number,
        claim_line_count,
        amount_eur
    from excluded_totals
    union all
    select
        person_number,
        exclusion,
        null as counted_number,
        0 as claim_line_count,
        cast(0 as decimal(18, 2)) as amount_eur
    from person.insured_members
    where
        period = $period
        and exclusion <> 'none'
        and exclusion not in (select exclusion from excluded_totals)
),

conditions as (
    select
        person_number,
        count(*) as condition_count,
        bool_or(condition = 'diabetes') as is_diabetes,
        bool_or(condition = 'lung_disease') as is_lung_disease,
        bool_or(condition = 'cardiovascular') as is_cardiovascular,
        bool_or(condition = 'depression') as is_depression,
        bool_or(condition = 'dementia') as is_dementia
    from person.chronic_conditions
    where period = $period
    group by person_number
),

avoidable as (
    select
        person_number,
        sum(avoidable_admission_count) as avoidable_admission_count
    from person.avoidable_admissions
    where period = $period
    group by person_number
)

select
    cast($period as integer) as period,
    subjects.person_number,
    case when costs.is_undelivered then 'claims_not_delivered' else subjects.exclusion end as exclusion,
    coalesce(members.municipality_code, 'unknown') as municipality_code,
    coalesce(members.sex, 'unknown') as sex,
    coalesce(members.age_band, 'unknown') as age_band,
    coalesce(members.ses_quintile, 'unknown') as ses_quintile,
    case
        when coalesce(conditions.condition_count, 0) = 0 then 'none'
        when conditions.condition_count = 1 then 'one'
        when conditions.condition_count = 2 then 'two'
        else 'three_or_more'
    end as condition_group,
    coalesce(members.insured_span_count, 0) as insured_span_count,
    case when members.insured_day_count is null then 0 else 1 end as insured_person_count,
    coalesce(members.insured_day_count, 0) as insured_day_count,
    -- Rounded here, once per person: rounding per cell would give sums that depend on the cells.
    cast(
        cast(coalesce(members.insured_day_count, 0) as double)
        / date_diff('day', make_date($period, 1, 1), make_date($period + 1, 1, 1)) as decimal(18, 9)
    ) as insured_years,
    coalesce(members.insured_month_count, 0) as insured_month_count,
    coalesce(members.insured_any_month_count, 0) as insured_any_month_count,
    subjects.claim_line_count,
    subjects.amount_eur,
    coalesce(costs.truncated_cost_eur, 0) as truncated_cost_eur,
    coalesce(costs.is_truncated, false) as is_truncated,
    coalesce(costs.is_costliest_5_percent, false) as is_costliest_5_percent,
    coalesce(members.is_senior, false) as is_senior,
    coalesce(hospital_use.emergency_visit_count, 0) as emergency_visit_count,
    coalesce(hospital_use.emergency_visit_admitted_count, 0) as emergency_visit_admitted_count,
    coalesce(hospital_use.emergency_visit_count - hospital_use.emergency_visit_admitted_count, 0)
        as emergency_visit_not_admitted_count,
    coalesce(hospital_use.hospital_admission_count, 0) as hospital_admission_count,
    coalesce(hospital_use.bed_day_count, 0) as bed_day_count,
    coalesce(avoidable.avoidable_admission_count, 0) as avoidable_admission_count,
    coalesce(hospital_use.hip_fracture_admission_count, 0) as hip_fracture_admission_count,
    coalesce(hospital_use.diabetes_amputation_count, 0) as diabetes_amputation_count,
    coalesce(hospital_use.ami_admission_count, 0) as ami_admission_count,
    case when delivered.is_death_delivered then coalesce(hospital_use.ami_death_30_day_count, 0) end
        as ami_death_30_day_count,
    coalesce(hospital_use.stroke_admission_count, 0) as stroke_admission_count,
    case when delivered.is_death_delivered then coalesce(hospital_use.stroke_death_30_day_count, 0) end
        as stroke_death_30_day_count,
    coalesce(hospital_use.index_discharge_count, 0) as index_discharge_count,
    coalesce(hospital_use.readmission_30_day_count, 0) as readmission_30_day_count,
    case when members.is_senior and medicine_use.regular_group_count >= 5 then 1 else 0 end as polypharmacy_count,
    case
        when delivered.is_ddd_delivered
            then case when members.is_senior and medicine_use.concurrent_day_count >= 90 then 1 else 0 end
    end as polypharmacy_concurrent_count,
    case
        when delivered.is_ddd_delivered
            then case when members.is_senior and medicine_use.benzodiazepine_ddd_quantity > 365 then 1 else 0 end
    end as long_benzodiazepine_count,
    case when delivered.is_ddd_delivered then cast(coalesce(medicine_use.antibiotic_ddd_quantity, 0) as decimal(18, 3)) end
        as antibiotic_ddd_quantity,
    continuity.bice_boxerman_share,
    continuity.usual_provider_share,
    continuity.sequential_share,
    coalesce(follow_up.psychiatric_discharge_count, 0) as psychiatric_discharge_count,
    coalesce(follow_up.psychiatric_follow_up_7_day_count, 0) as psychiatric_follow_up_7_day_count,
    coalesce(follow_up.psychiatric_follow_up_30_day_count, 0) as psychiatric_follow_up_30_day_count,
    last_days.person_number is not null as is_decedent,
    coalesce(last_days.is_emergency, false) as is_decedent_emergency,
    coalesce(last_days.is_admitted, false) as is_decedent_admitted,
    cast(coalesce(last_days.decedent_cost_eur, 0) as decimal(18, 2)) as decedent_cost_eur,
    coalesce(conditions.is_diabetes, false) as is_diabetes,
    coalesce(conditions.is_lung_disease, false) as is_lung_disease,
    coalesce(conditions.is_cardiovascular, false) as is_cardiovascular,
    coalesce(conditions.is_depression, false) as is_depression,
    coalesce(conditions.is_dementia, false) as is_dementia,
    coalesce(conditions.condition_count >= 2, false) as is_multimorbid
from subjects
inner join person.delivered_kinds as delivered on delivered.period = $period
left join person.insured_members as members
    on members.period = $period
    and members.person_number = subjects.person_number
    and members.exclusion = subjects.exclusion
left join person.care_costs as costs
    on costs.period = $period
    and costs.person_number = subjects.counted_number
left join conditions on conditions.person_number = subjects.counted_number
left join person.hospital_use
    on hospital_use.period = $period
    and hospital_use.person_number = subjects.counted_number
left join avoidable on avoidable.person_number = subjects.counted_number
left join person.medicine_use
    on medicine_use.period = $period
    and medicine_use.person_number = subjects.counted_number
left join person.continuity
    on continuity.period = $period
    and continuity.person_number = subjects.counted_number
left join person.psychiatric_follow_up as follow_up
    on follow_up.period = $period
    and follow_up.person_number = subjects.counted_number
left join person.last_days
    on last_days.period = $period
    and last_days.person_number = subjects.counted_number
