-- Cost of the costliest 5 % of all persons, and cost truncated at the 99th percentile.
-- grain: municipality_code, sex, age_band, measure
with persons as (
    select *
    from read_parquet($costs)
),

amounts as (
    select
        cents,
        count(*) as persons_here,
        sum(persons_here) over (order by cents) as persons_upto,
        sum(persons_here) over () as everybody
    from persons
    group by cents
),

limits as (
    select
        min(cents) filter (where persons_upto * 100 >= everybody * 99) as highest_cents,
        max(cents) filter (where everybody - persons_upto + persons_here >= everybody // 20) as limit_cents,
        arg_max(everybody // 20 - (everybody - persons_upto), cents) filter (
            where everybody - persons_upto + persons_here >= everybody // 20
        ) as places_left
    from amounts
),

-- Among persons with the cost at the limit, those with the lowest keys.
last_ones as (
    select key
    from persons
    inner join limits on cents = limit_cents
    qualify row_number() over (order by key) <= places_left
)

select
    municipality_code,
    sex,
    age_band,
    'truncated_cost_eur' as measure,
    cast(sum(least(cents, highest_cents)) as bigint) as value
from persons
cross join limits
group by all
union all
select
    municipality_code,
    sex,
    age_band,
    'costliest_5_percent_eur',
    cast(sum(cents) as bigint)
from persons
cross join limits
where
    cents > limit_cents
    or key in (from last_ones)
group by all
order by all
