-- One row per region and year, with one indicator for each aim.
-- grain: region_type, region_code, period
with candidates as (
    select
        headlines.headline,
        shown.*,
        row_number() over (
            partition by headlines.headline, shown.region_type, shown.region_code, shown.period
            order by
                case when shown.status in ('published', 'provisional') then 0 else 1 end,
                case when shown.age_group = 'all' then 0 else 1 end,
                -- If a source has no total, the age group with the most respondents replaces it.
                shown.denominator desc nulls last,
                shown.age_group,
                shown.source
        ) as preference
    from safe.indicator_values as shown
    inner join safe.headlines as headlines using (indicator_id)
    where shown.sex = 'all' and shown.segment = 'all'
),

chosen as (
    select
        headline,
        indicator_id,
        source,
        region_type,
        region_code,
        region_name,
        period,
        age_group,
        value,
        lower,
        upper,
        unit,
        status,
        judgement
    from candidates
    where preference = 1
)

select
    region_type,
    region_code,
    region_name,
    period,
    max(indicator_id) filter (where headline = 'health') as health_indicator_id,
    max(source) filter (where headline = 'health') as health_source,
    max(age_group) filter (where headline = 'health') as health_age_group,
    max(value) filter (where headline = 'health') as health_value,
    max(lower) filter (where headline = 'health') as health_lower,
    max(upper) filter (where headline = 'health') as health_upper,
    max(unit) filter (where headline = 'health') as health_unit,
    coalesce(max(status) filter (where headline = 'health'), 'not_delivered') as health_status,
    coalesce(max(judgement) filter (where headline = 'health'), 'not_compared') as health_judgement,
    max(indicator_id) filter (where headline = 'quality') as quality_indicator_id,
    max(source) filter (where headline = 'quality') as quality_source,
    max(age_group) filter (where headline = 'quality') as quality_age_group,
    max(value) filter (where headline = 'quality') as quality_value,
    max(lower) filter (where headline = 'quality') as quality_lower,
    max(upper) filter (where headline = 'quality') as quality_upper,
    max(unit) filter (where headline = 'quality') as quality_unit,
    coalesce(max(status) filter (where headline = 'quality'), 'not_delivered') as quality_status,
    coalesce(max(judgement) filter (where headline = 'quality'), 'not_compared') as quality_judgement,
    max(indicator_id) filter (where headline = 'cost') as cost_indicator_id,
    max(source) filter (where headline = 'cost') as cost_source,
    max(age_group) filter (where headline = 'cost') as cost_age_group,
    max(value) filter (where headline = 'cost') as cost_value,
    max(lower) filter (where headline = 'cost') as cost_lower,
    max(upper) filter (where headline = 'cost') as cost_upper,
    max(unit) filter (where headline = 'cost') as cost_unit,
    coalesce(max(status) filter (where headline = 'cost'), 'not_delivered') as cost_status,
    coalesce(max(judgement) filter (where headline = 'cost'), 'not_compared') as cost_judgement,
    max(indicator_id) filter (where headline = 'growth') as growth_indicator_id,
    max(source) filter (where headline = 'growth') as growth_source,
    max(age_group) filter (where headline = 'growth') as growth_age_group,
    max(value) filter (where headline = 'growth') as growth_value,
    max(lower) filter (where headline = 'growth') as growth_lower,
    max(upper) filter (where headline = 'growth') as growth_upper,
    max(unit) filter (where headline = 'growth') as growth_unit,
    coalesce(max(status) filter (where headline = 'growth'), 'not_delivered') as growth_status,
    coalesce(max(judgement) filter (where headline = 'growth'), 'not_compared') as growth_judgement
from chosen
group by
    region_type,
    region_code,
    region_name,
    period
order by
    region_type,
    region_code,
    period
