-- What each adult would answer to each item of the year's survey: 1 or 0, or tenths of a score.
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
        -- Box and Muller's way to a normal draw.
        else cast(round(10 * step * round(greatest(lowest, least(highest,
            level + spread * sqrt(-2 * ln(draw(answer_key, 2))) * cos(2 * pi() * draw(answer_key, 3))
        )) / step)) as integer)
    end as answer,
    -- Codes 8 and 9 are no answer.
    case
        when not is_asked or draw(answer_key, 4) < not_applicable then 8
        when draw(answer_key, 4) < not_applicable + unknown then 9
    end as silence,
    case when is_score then case when silence is null then answer / 10 end else coalesce(silence, answer) end as told
from leaning
