-- Deaths as delivered, and extra rows that break a rule, which have their own ids.
-- grain: death_id
with planted as (
    select
        *,
        0 as defect
    from deaths
    union all by name
    select
        *,
        1 + person % 2 as defect
    from deaths
    where draw(hash($seed, person), 40) < $bad_rows
)

select
    case when defect > 0 then 'X' else 'D' end || $year || '-' || person as death_id,
    municipality_code,
    case when defect = 2 then '9' else sex end as sex,
    birth_year,
    case when defect <> 1 then death_date end as death_date,
    cause_icd10,
    case when is_infant_death then '0' else '1' end as first_birthday_code
from planted
order by
    person,
    defect
