-- Answers to the region's own questionnaire per item and stratum, with the sums that cube survey has.
-- grain: period, municipality_code, stratum, item, sex, age_band, education, exclusion
-- persons: response_line_count
-- single_party: municipality_code
with responses as (
    select
        period,
        municipality_code,
        -- Numbered within its municipality: labels of the whole country would make the cube as wide as they are many.
        cast(dense_rank() over (partition by municipality_code order by stratum) as varchar) as stratum,
        item_number,
        item,
        sex,
        age_band,
        education,
        answer,
        case when answer is not null then answers.weight end as weight,
        -- Decimals add up the same in any order; nine leave room for the square within 38 digits.
        cast(answers.weight * answer as decimal(18, 9)) as weighted_answer,
        -- Who was not in the sample that got the item has no weight for it.
        case when coalesce(answers.weight, 0) > 0 then 'none' else 'no_weight' end as exclusion
    from stg.experience_survey as answers
    where period = $period
)

select
    period,
    municipality_code,
    stratum,
    item,
    sex,
    age_band,
    education,
    exclusion,
    count(*) as respondent_count,
    count(answer) as answer_count,
    cast(coalesce(sum(answer), 0) as decimal(38, 18)) as answer_sum,
    cast(coalesce(sum(weight), 0) as decimal(38, 18)) as weight_sum,
    cast(coalesce(sum(weighted_answer), 0) as decimal(38, 18)) as weighted_answer_sum,
    cast(coalesce(sum(weight * weight), 0) as decimal(38, 18)) as weight_sumsq,
    cast(coalesce(sum(weighted_answer * weighted_answer), 0) as decimal(38, 18)) as weighted_answer_sumsq,
    -- Between the two squares: weight times weighted answer.
    cast(coalesce(sum(weight * weighted_answer), 0) as decimal(38, 18)) as weighted_answer_cross_sum,
    -- Every respondent stands here once an item; the ledger counts the first.
    count(*) filter (where item_number = 1) as response_line_count
from responses
group by
    period,
    municipality_code,
    stratum,
    item,
    sex,
    age_band,
    education,
    exclusion
