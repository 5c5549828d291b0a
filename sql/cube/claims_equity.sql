-- Cost, avoidable care and chronic conditions by quintile of the socio-economic status of the neighbourhood.
-- grain: period, municipality_code, sex, age_band, ses_quintile, exclusion
-- persons: insured_person_count
-- changes with: insured_years = insured_person_count
select
    period,
    municipality_code,
    sex,
    age_band,
    ses_quintile,
    exclusion,
    sum(insured_person_count) as insured_person_count,
    cast(sum(insured_years) as decimal(38, 9)) as insured_years,
    cast(sum(amount_eur) as decimal(18, 2)) as amount_eur,
    cast(coalesce(sum(cast(amount_eur as decimal(19, 2)) * amount_eur) filter (where insured_person_count = 1), 0) as decimal(38, 4)) as amount_eur_sumsq,
    sum(avoidable_admission_count) as avoidable_admission_count,
    cast(sum(avoidable_admission_count * avoidable_admission_count) as decimal(38, 18)) as avoidable_admission_sumsq,
    count(*) filter (where avoidable_admission_count > 0) as avoidable_admission_person_count,
    sum(emergency_visit_count) as emergency_visit_count,
    cast(sum(emergency_visit_count * emergency_visit_count) as decimal(38, 18)) as emergency_visit_sumsq,
    count(*) filter (where emergency_visit_count > 0) as emergency_visit_person_count,
    count(*) filter (where is_diabetes) as diabetes_person_count,
    count(*) filter (where is_multimorbid) as multimorbidity_person_count
from person.care_years
where period = $period
group by
    period,
    municipality_code,
    sex,
    age_band,
    ses_quintile,
    exclusion
