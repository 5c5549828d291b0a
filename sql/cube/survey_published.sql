-- Percentages that others published, unchanged: they do not add up, so no region is computed from them.
-- grain: period, region_type, region_code, item, age_band, exclusion
-- single_party: region_code
-- needs: any
with regions as (
    select distinct
        municipality_code as region_code,
        'municipality' as region_type
    from ref.municipalities
    union all
    select distinct
        region_code,
        'ggd_region' as region_type
    from ref.ggd_region
    union all
    select
        'NL01' as region_code,
        'nl' as region_type
),

rivm_items as (
    select
        rivm.period,
        rivm.region_code,
        rivm.age_band,
        items.item,
        case items.item
            when 'good_self_rated_health' then rivm.good_self_rated_health_percent
            when 'severe_loneliness' then rivm.severe_loneliness_percent
            when 'obesity' then rivm.obesity_percent
            when 'smoking' then rivm.smoking_percent
            when 'overweight' then rivm.overweight_percent
            when 'heavy_drinking' then rivm.heavy_drinking_percent
            when 'difficulty_making_ends_meet' then rivm.difficulty_making_ends_meet_percent
        end as percent,
        -- Each delivered row counts once, at its first item, so that the ledger closes.
        case when items.item = 'good_self_rated_health' then 1 else 0 end as rivm_row_count
    from stg.rivm_results as rivm
    cross join (
        values
        ('good_self_rated_health'), ('severe_loneliness'), ('obesity'), ('smoking'), ('overweight'), ('heavy_drinking'),
        ('difficulty_making_ends_meet')
    ) as items (item)
    where rivm.period = $period
),

published as (
    select
        period,
        region_code,
        age_band,
        item,
        percent,
        case when percent is null then 'suppressed by the source' end as suppression,
        0 as ggd_row_count,
        rivm_row_count
    from rivm_items
    union all
    select
        period,
        region_code,
        age_band,
        item,
        percent,
        suppression,
        1 as ggd_row_count,
        0 as rivm_row_count
    from stg.ggd_results
    where period = $period
)

select
    published.period,
    coalesce(regions.region_type, 'unknown') as region_type,
    case when published.item = 'not_followed' then 'unknown' else published.region_code end as region_code,
    published.item,
    published.age_band,
    case
        when published.item = 'not_followed' then 'outcome_not_followed'
        when regions.region_type is null then 'region_not_followed'
        else 'none'
    end as exclusion,
    max(published.percent) as percent,
    max(published.suppression) as suppression,
    sum(published.ggd_row_count) as ggd_row_count,
    sum(published.rivm_row_count) as rivm_row_count
from published
left join regions on regions.region_code = published.region_code and published.item <> 'not_followed'
group by
    published.period,
    coalesce(regions.region_type, 'unknown'),
    case when published.item = 'not_followed' then 'unknown' else published.region_code end,
    published.item,
    published.age_band,
    case
        when published.item = 'not_followed' then 'outcome_not_followed'
        when regions.region_type is null then 'region_not_followed'
        else 'none'
    end
