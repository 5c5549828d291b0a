-- How often each row of care befalls each person of this chunk, and when on the line of the person's insured days.
-- grain: person, care_row, occasion
with happened as (
    select
        person,
        year_key,
        care_row,
        stream,
        insured_days,
        7 as doses,
        unnest(range(cast(floor(
            rate
            * case sex when 'F' then women else 2 - women end
            * case performance_code when 'OTHER' then $filler else 1 end
            * risk
            * insured_days / $days
            * -ln(draw(year_key, 200 + stream)) + draw(year_key, 300 + stream)
        ) as bigint))) as occasion
    from holders
    inner join rates using (trait, age_group)
    inner join care using (care_row)
),

-- Medicines for long use are fetched every ninety days, all of a person on the same days.
fetched as (
    select
        person,
        year_key,
        care_row,
        care_row as stream,
        45 * (1 + cast(floor(3 * draw(key, 700 + care_row)) as integer)) as doses,
        unnest(range(cast(floor(90 * draw(key, 14)) as bigint), insured_days, 90)) as position
    from holders
    inner join medicines using (trait)
    where draw(key, 600 + care_row) < medicines.share
)

-- Rows of one stream share their draws: an emergency visit falls on the day of the admission it led to.
select
    person,
    care_row,
    occasion,
    hash(year_key, stream, occasion) as event,
    doses,
    cast(floor(draw(hash(year_key, stream, occasion), 1) * insured_days) as bigint) as position
from happened
union all
select
    person,
    care_row,
    position // 90 as occasion,
    hash(year_key, stream, position // 90) as event,
    doses,
    position
from fetched
