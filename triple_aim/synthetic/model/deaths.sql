-- Deaths in the year, with cause and completed age.
-- grain: person
--
-- Persons have a year of birth but no birthday: a death in the first half of the year is taken to precede it.
select
    person,
    municipality_code,
    people.sex,
    birth_year,
    $opens + last_day - 1 as death_date,
    case when people.age > 0 and month(death_date) < 7 then people.age - 1 else people.age end as age_then,
    case when draw(key, 17) >= $unknown_causes then causes.cause_icd10 end as cause_icd10,
    is_infant_death
from people
inner join causes
    on causes.sex = people.sex
    and people.age >= causes.from_age
    and people.age < causes.below_age
    and draw(people.key, 15) >= causes.above
    and draw(people.key, 15) < causes.upto
where is_dying
