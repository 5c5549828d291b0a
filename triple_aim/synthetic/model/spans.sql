-- The insured population as delivered: one row per stretch of enrolment, and extra rows that break a rule.
with stretches as (
    select
        *,
        $opens + enrolled_on as valid_from,
        case when break_kind <> 'none' then $opens + break_day when last_day < $days then $opens + last_day end as valid_to,
        first_municipality as place
    from insured
    union all by name
    select
        *,
        $opens + break_day + case break_kind when 'gap' then 20 when 'overlap' then -20 else 0 end as valid_from,
        case when last_day < $days then $opens + last_day end as valid_to,
        municipality_code as place
    from insured
    where break_kind <> 'none'
),

-- Extra rows with a defect (by default 1 in 2,000) have their own person key, so that no true value changes.
planted as (
    select
        * replace (format('{:016x}', hash(hash(year_key, 21))) as person_key),
        1 + cast(floor(draw(year_key, 22) * 3) as integer) as defect
    from stretches
    where draw(year_key, 23) < $bad_rows and place = first_municipality
    union all by name
    select
        *,
        0 as defect
    from stretches
)

select
    person_key,
    valid_from,
    case defect when 1 then date '1999-12-31' else valid_to end as valid_to,
    birth_year,
    case defect when 2 then '9' else sex end as sex,
    case defect when 3 then 'GM9999' else place end as municipality_code,
    ses_quintile,
    case when is_dying then $opens + last_day - 1 end as death_date
from planted
order by
    person_key,
    valid_from,
    defect
