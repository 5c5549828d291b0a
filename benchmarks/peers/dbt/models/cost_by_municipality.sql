{{ config(materialized='external', location=var('out'), format='csv') }}
select
    municipality_code,
    sum(day_count) / date_diff('day', make_date({{ var('year') }}, 1, 1), make_date({{ var('year') }} + 1, 1, 1))
        as insured_years,
    coalesce(sum(amount_eur), 0) as amount_eur
from {{ ref('persons') }}
left join {{ ref('costs') }} using (person_key)
group by municipality_code
order by municipality_code
