-- The services of each insured person in this chunk by row of care, each with its position in the insured days.
-- grain: person, care_row, occasion
with counted as (
    select
        person,
        year_key,
        trait,
        care_row,
        stream,
        follows,
        days_after,
        insured_days,
        unnest(range(cast(floor(
            rate
            * case when is_rare then $rare else 1 end
            * case trait
                -- For the dying the rate is a share of persons, not per year.
                when 'dying' then 1
                else case sex when 'F' then women else 2 - women end
                    * case performance_code when 'OTHER' then $filler else 1 end
                    * case when performance_code in ('ADM-ACUTE', 'ED') then acute else 1 end
                    * risk
                    * insured_days / $days
                    * -ln(draw(year_key, 200 + stream))
            end
            + draw(year_key, 300 + stream)
        ) as bigint))) as occasion
    from holders
    inner join rates using (trait, age_group)
    inner join care using (care_row)
),

-- Rows of one stream share their draws: an emergency visit is on the day of the admission that follows from it, and a
-- service after a stay (follows = its mean number of nights) is on its last day or days later.
happened as (
    select
        *,
        hash(year_key, stream, occasion) as event,
        -- Services of the dying are in their last four weeks.
        case trait when 'dying' then least(insured_days, 28) else insured_days end as open_days,
        insured_days - open_days + cast(floor(draw(event, 1) * open_days) as bigint) + case
            when follows = 0 then 0
            else 1 + cast(floor(draw(event, 8) * 2 * follows) as bigint)
        end + case
            when days_after = 0 then 0
            else 1 + cast(floor(-ln(draw(event, 13)) * days_after) as bigint)
        end as position
    from counted
),

-- Long-term medicines are dispensed every ninety days, all those of a person on the same days.
dispensed as (
    select
        person,
        year_key,
        care_row,
        45 * (1 + cast(floor(3 * draw(key, 1700 + care_row)) as integer)) as doses,
        unnest(range(cast(floor(90 * draw(key, 14)) as bigint), insured_days, 90)) as position
    from holders
    inner join medicines using (trait)
    where draw(key, 1600 + care_row) < medicines.share
)

select
    person,
    care_row,
    occasion,
    event,
    7 as doses,
    position
from happened
where position < insured_days
union all
select
    person,
    care_row,
    position // 90 as occasion,
    hash(year_key, care_row, position // 90) as event,
    doses,
    position
from dispensed
