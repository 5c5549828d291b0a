-- Gini coefficient of the cost per person, for the country and each municipality: sum((2 i - n - 1) x) / (n sum(x)).
-- grain: region_code
with placed as (
    select
        municipality_code as region_code,
        cents
    from read_parquet($costs)
    union all
    select
        'NL01' as region_code,
        cents
    from read_parquet($costs)
),

ranked as (
    select
        region_code,
        cents,
        row_number() over (partition by region_code order by cents) as place,
        count(*) over (partition by region_code) as persons
    from placed
)

select
    region_code,
    cast(sum(cents * (2 * place - persons - 1)) as double) / (max(persons) * sum(cents)) as value
from ranked
group by region_code
order by all
