-- Adults who rate their own health as good, by education; the education precedes the name of the sum.
-- grain: municipality_code, sex, age_band, measure
with asked as (
    select
        adults.municipality_code,
        adults.sex,
        adults.age_group as age_band,
        'education_' || education || '_' || lower(item) as about,
        answer
    from answers
    inner join adults using (person)
    where
        is_asked
        and item = 'KLGGA208'
)

select
    municipality_code,
    sex,
    age_band,
    about || '_yes_count' as measure,
    sum(answer) as value
from asked
group by all
union all
select
    municipality_code,
    sex,
    age_band,
    about || '_asked_count',
    count(*)
from asked
group by all
