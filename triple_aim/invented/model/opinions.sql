-- What a survey of everybody would find: no sample, no silence.
-- grain: municipality_code, sex, age_band, measure
with asked as (
    select
        *,
        lower(item) || case when is_score then '_score_sum' else '_yes_count' end as found
    from answers
    where is_asked
)

select
    municipality_code,
    sex,
    age_group as age_band,
    found as measure,
    sum(answer) as value
from asked
group by all
union all
select
    municipality_code,
    sex,
    age_group,
    lower(item) || '_asked_count',
    count(*)
from asked
group by all
union all
select
    municipality_code,
    sex,
    age_group,
    'net_promoter_sum',
    sum(case when answer >= 90 then 100 when answer <= 60 then -100 else 0 end)
from asked
where item = 'recommendation'
group by all
union all
select
    municipality_code,
    sex,
    age_group,
    'adult_count',
    count(*)
from adults
group by all
