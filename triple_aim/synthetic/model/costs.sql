-- Cost of care in the year of each insured person in this chunk.
-- grain: key
with amounts as (
    select
        person,
        cast(sum(net_cents) as bigint) as cents
    from counted
    group by person
)

select
    key,
    municipality_code,
    sex,
    age_band,
    coalesce(cents, 0) as cents
from insured
left join amounts using (person)
