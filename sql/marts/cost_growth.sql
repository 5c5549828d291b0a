-- Growth of the Zvw cost per insured year on each basis, yearly and since the base year, with that of the rest of the country.
-- grain: source, region_type, region_code, period, basis
with growth as (
    select
        indicator_id,
        source,
        region_type,
        region_code,
        region_name,
        period,
        case when segment = 'all' then 'nominal' else segment end as basis,
        value,
        status,
        comparator_value
    from safe.indicator_values
    where indicator_id in ('zvw_cost_growth', 'zvw_cost_growth_compound')
)

select
    source,
    region_type,
    region_code,
    region_name,
    period,
    basis,
    max(value) filter (where indicator_id = 'zvw_cost_growth') as yearly_growth_percent,
    coalesce(max(status) filter (where indicator_id = 'zvw_cost_growth'), 'not_computed') as yearly_status,
    max(value) filter (where indicator_id = 'zvw_cost_growth_compound') as compound_growth_percent,
    coalesce(max(status) filter (where indicator_id = 'zvw_cost_growth_compound'), 'not_computed') as compound_status,
    max(comparator_value) filter (where indicator_id = 'zvw_cost_growth') as yearly_growth_rest_percent
from growth
group by
    source,
    region_type,
    region_code,
    region_name,
    period,
    basis
order by
    source,
    region_type,
    region_code,
    period,
    basis
