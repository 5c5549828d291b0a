-- Deaths as delivered; causes are drawn alike for all ages.
-- grain: death_id
select
    'D' || $year || '-' || person as death_id,
    municipality_code,
    sex,
    birth_year,
    $opens + last_day - 1 as death_date,
    [
        'I21.9', 'I63.9', 'I50.9', 'C34.9', 'C18.9', 'C50.9', 'J44.9', 'J18.9', 'F03', 'G30.9', 'W19', 'X70', 'E11.9', 'R99'
    ][1 + cast(floor(14 * draw(key, 15)) as integer)] as cause_icd10,
    case age when 0 then '0' else '1' end as first_birthday_code
from people
where is_dying
order by person
