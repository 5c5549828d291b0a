-- Deaths as delivered, each with a cause that fits age and sex, or none.
-- grain: death_id
select
    'D' || $year || '-' || person as death_id,
    municipality_code,
    people.sex,
    birth_year,
    $opens + last_day - 1 as death_date,
    case when draw(key, 17) >= $unknown_causes then causes.cause_icd10 end as cause_icd10,
    case when is_infant_death then '0' else '1' end as first_birthday_code
from people
inner join causes
    on causes.sex = people.sex
    and people.age >= causes.from_age
    and people.age < causes.below_age
    and draw(people.key, 15) >= causes.above
    and draw(people.key, 15) < causes.upto
where is_dying
order by person
