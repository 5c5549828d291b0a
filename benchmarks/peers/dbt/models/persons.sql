with counted_spans as (
    select
        person_key,
        municipality_code,
        until_date,
        date_diff('day', greatest(start_date, coalesce(max(until_date) over (
            partition by person_key order by start_date rows between unbounded preceding and 1 preceding
        ), start_date)), until_date) as day_count
    from {{ ref('stg_insured') }}
)

select
    person_key,
    arg_max(municipality_code, until_date) as municipality_code,
    sum(day_count) as day_count
from counted_spans
group by person_key
