-- Avoidable admissions by condition: parts of the avoidable admissions in cube claims.
-- grain: period, municipality_code, sex, age_band, condition, exclusion
-- parts of: claims.avoidable_admission_count
-- members: ref.avoidable_admissions
select
    cast($period as integer) as period,
    persons.municipality_code,
    persons.sex,
    persons.age_band,
    avoidable.condition,
    persons.exclusion,
    sum(avoidable.avoidable_admission_count) as avoidable_admission_count,
    cast(sum(avoidable.avoidable_admission_count * avoidable.avoidable_admission_count) as decimal(38, 18))
        as avoidable_admission_sumsq,
    count(*) as avoidable_admission_person_count
from person.avoidable_admissions as avoidable
inner join person.care_years as persons
    on persons.period = $period
    and persons.person_number = avoidable.person_number
    and persons.exclusion = 'none'
where avoidable.period = $period
group by
    persons.municipality_code,
    persons.sex,
    persons.age_band,
    avoidable.condition,
    persons.exclusion
