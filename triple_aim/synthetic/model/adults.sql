-- Adults resident on 1 January, with their age on that day and their tendency to give poor answers.
-- grain: person
select
    person,
    year_key,
    municipality_code,
    municipality_code || ' ' || education.age_group as stratum,
    sex,
    education.age_group,
    education.code as education,
    poor - 0.01 * fifth + education.poorer as poorly,
    draw(year_key, 30) as lot,
    draw(year_key, 33) < $by_ggd as by_ggd
from people
inner join education
    on education.age_group = case when people.age > 65 then '65+' else '18-64' end
    and draw(people.key, 31) >= education.above
    and draw(people.key, 31) < education.upto
where
    first_day = 0
    and age > 18
