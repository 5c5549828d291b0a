-- Respondents, answers and weighted sums per item and stratum, enough for a design-based proportion and its variance.
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
        yes,
        case when yes is not null then weight end as weight,
        -- Who was not in the sample that got the item has no weight for it.
        case when coalesce(weight, 0) > 0 then 'none' else 'no_weight' end as exclusion
    from stg.survey
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
    count(yes) as answer_count,
    count(*) filter (where yes = 1) as yes_count,
    cast(coalesce(sum(weight), 0) as decimal(38, 18)) as weight_sum,
    cast(coalesce(sum(weight) filter (where yes = 1), 0) as decimal(38, 18)) as weighted_yes_sum,
    cast(coalesce(sum(weight * weight), 0) as decimal(38, 18)) as weight_sumsq,
    cast(coalesce(sum(weight * weight) filter (where yes = 1), 0) as decimal(38, 18)) as weighted_yes_sumsq,
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
