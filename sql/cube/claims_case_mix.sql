-- Cost and admissions by number of chronic conditions, for the expected cost of care.
-- grain: period, municipality_code, sex, age_band, condition_group, exclusion
-- persons: insured_person_count
-- changes with: insured_years = insured_person_count
select
    period,
    municipality_code,
    sex,
    age_band,
    condition_group,
    exclusion,
    sum(insured_person_count) as insured_person_count,
    cast(sum(insured_years) as decimal(38, 9)) as insured_years,
    cast(sum(amount_eur) as decimal(18, 2)) as amount_eur,
    cast(coalesce(sum(cast(amount_eur as decimal(19, 2)) * amount_eur) filter (where insured_person_count = 1), 0) as decimal(38, 4)) as amount_eur_sumsq,
    sum(hospital_admission_count) as hospital_admission_count,
    cast(sum(hospital_admission_count * hospital_admission_count) as decimal(38, 18)) as hospital_admission_sumsq,
    count(*) filter (where hospital_admission_count > 0) as hospital_admission_person_count
from person.care_years
where period = $period
group by
    period,
    municipality_code,
    sex,
    age_band,
    condition_group,
    exclusion
