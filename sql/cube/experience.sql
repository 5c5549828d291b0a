-- Answers to the region's own questionnaire per item and stratum, with the same sums as cube survey.
-- grain: period, municipality_code, stratum, item, sex, age_band, education, exclusion
-- persons: response_line_count
-- single_party: municipality_code
with responses as (
    select
        period,
        municipality_code,
        -- Numbered within the municipality, so that the axis of strata stays short.
        cast(dense_rank() over (partition by municipality_code order by stratum) as varchar) as stratum,
        item_number,
        item,
        sex,
        age_band,
        education,
        answer,
        case when answer is not null then answers.weight end as weight,
        -- Decimals add up to the same sum in any order; with nine decimals the square fits in 38 digits.
        cast(answers.weight * answer as decimal(18, 9)) as weighted_answer,
        -- A respondent outside the sample of an item has no weight for it.
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
    -- The cross product: weight times weighted answer.
    cast(coalesce(sum(weight * weighted_answer), 0) as decimal(38, 18)) as weighted_answer_cross_sum,
    -- One row per respondent and item; the ledger counts the first row of a respondent.
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
