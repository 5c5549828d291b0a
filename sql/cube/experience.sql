-- Sums of the region's own questionnaire per item and stratum: those of cube survey, and those for a mean score.
-- grain: period, municipality_code, stratum, item, sex, age_band, education, exclusion
-- persons: response_line_count
-- whole: municipality_code
with weighed as (
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
        yes,
        answer,
        case when answer is not null then weight end as weight,
        case when coalesce(weight, 0) > 0 then 'none' else 'no_weight' end as exclusion
    from stg.experience_survey
    where period = $period
),

responses as (
    select
        period,
        municipality_code,
        stratum,
        item_number,
        item,
        sex,
        age_band,
        education,
        yes,
        answer,
        weight,
        -- Decimals add up to the same sum in any order; with nine decimals the square fits in 38 digits.
        cast(weight * answer as decimal(18, 9)) as weighted_answer,
        exclusion
    from weighed
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
    count(*) filter (where yes = 1) as yes_count,
    cast(coalesce(sum(answer), 0) as decimal(38, 18)) as score_sum,
    cast(coalesce(sum(weight), 0) as decimal(38, 18)) as weight_sum,
    cast(coalesce(sum(weight) filter (where yes = 1), 0) as decimal(38, 18)) as weighted_yes_sum,
    cast(coalesce(sum(weighted_answer), 0) as decimal(38, 18)) as weighted_score_sum,
    cast(coalesce(sum(weight * weight), 0) as decimal(38, 18)) as weight_sumsq,
    cast(coalesce(sum(weight * weight) filter (where yes = 1), 0) as decimal(38, 18)) as weighted_yes_sumsq,
    cast(coalesce(sum(weighted_answer * weighted_answer), 0) as decimal(38, 18)) as weighted_score_sumsq,
    -- The cross product of the two squares: weight times weighted score.
    cast(coalesce(sum(weight * weighted_answer), 0) as decimal(38, 18)) as weighted_score_cross_sum,
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
