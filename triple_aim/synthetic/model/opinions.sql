-- The result of a survey of all adults, without sampling or nonresponse.
-- grain: municipality_code, sex, age_band, measure
with asked as (
    select *
    from answers
    where is_asked
),

facts as (
    select
        *,
        lower(item) || case when is_score then '_score_sum' else '_yes_count' end as measure,
        answer as value
    from asked
    union all by name
    select *, lower(item) || '_asked_count' as measure, 1 as value from asked
    union all by name
    select
        *,
        'net_promoter_sum' as measure,
        case when answer >= 90 then 100 when answer <= 60 then -100 else 0 end as value
    from asked
    where item = 'recommendation'
    union all by name
    select *, 'adult_count' as measure, 1 as value from adults
)

select
    municipality_code,
    sex,
    age_group as age_band,
    measure,
    sum(value) as value
from facts
group by all
