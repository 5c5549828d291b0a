-- A million tickets with a municipality and an age; each person draws one at entry, and one for a move.
with ages as (
    select
        unnest(case when age_band = '90+' then range(90, 105) else range(5 * band, 5 * band + 5) end) as age,
        -- Each year of age above ninety has three quarters of the residents of the previous one.
        weight * case when age_band = '90+' then 0.25 * 0.75 ^ (age - 90) else 0.2 end as residents
    from (select age_band, weight, row_number() over (order by age_band) - 1 as band from age_structure)
),

cells as (
    select
        municipality_code,
        age,
        size / sum(size * 1.0) over () * residents * exp(older * (age - 42) / 40)
            / sum(residents * exp(older * (age - 42) / 40)) over (partition by municipality_code) as share
    from places
    cross join ages
),

bounds as (
    select
        municipality_code,
        age,
        sum(share) over (order by municipality_code, age) / sum(share) over () as upto,
        share / sum(share) over () as part
    from cells
)

select
    municipality_code,
    age,
    unnest(range(cast(round((upto - part) * 1048576) as bigint), cast(round(upto * 1048576) as bigint))) as ticket
from bounds
