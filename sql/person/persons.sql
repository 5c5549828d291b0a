-- Every person with enrolment that counts, numbered by key: joins and groups are faster on numbers than on text.
-- grain: period, person_number
with keys as (
    select distinct person_key
    from person.insured_spans
    where
        period = $period
        and exclusion = 'none'
)

select
    cast($period as integer) as period,
    person_key,
    row_number() over (order by person_key) as person_number
from keys
