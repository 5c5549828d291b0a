-- The answer of each adult to each item of the survey in the year: 1 or 0, or tenths of a score.
-- grain: person, item
with leaning as (
    select
        adults.*,
        items.*,
        hash(year_key, 1000 + item_number) as answer_key,
        case age_group when '65+' then elder else younger end + moves * poorly as level
    from adults
    inner join items on items.wave = $wave
)

select
    person,
    municipality_code,
    sex,
    age_group,
    item,
    step > 0 as is_score,
    draw(answer_key, 1)
        < case age_group when '65+' then asked_elder else asked_younger end + asked_moves * poorly as is_asked,
    case
        when step = 0 then cast(draw(answer_key, 2) < level as integer)
        -- A normal draw by the Box-Muller transform.
        else cast(round(10 * step * round(greatest(lowest, least(highest,
            level + spread * sqrt(-2 * ln(draw(answer_key, 2))) * cos(2 * pi() * draw(answer_key, 3))
        )) / step)) as integer)
    end as answer,
    -- Codes for not applicable (8) and unknown (9).
    case
        when not is_asked or draw(answer_key, 4) < not_applicable then 8
        when draw(answer_key, 4) < not_applicable + unknown then 9
    end as missing_code,
    case when is_score then case when missing_code is null then answer / 10 end else coalesce(missing_code, answer) end
        as recorded
from leaning
