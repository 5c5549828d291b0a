-- Deaths as delivered.
-- grain: death_id
select
    'D' || $year || '-' || person as death_id,
    municipality_code,
    sex,
    birth_year,
    death_date,
    cause_icd10,
    case when is_infant_death then '0' else '1' end as first_birthday_code
from deaths
order by person
