select
    person_key,
    sum(amount_eur) as amount_eur
from {{ ref('stg_claims') }}
group by person_key
