-- Respondents, answers and weighted sums per item and stratum, for a design-based proportion and its variance.
-- grain: period, municipality_code, stratum, item, sex, age_band, education, exclusion
-- persons: response_line_count
-- whole: municipality_code
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
        yes,
        case when yes is not null then weight end as weight,
        -- A respondent outside the sample of an item has no weight for it.
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
