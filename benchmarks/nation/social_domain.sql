-- Provisions of the social domain as delivered, a row an allocation; some messages are superseded by a later one.
-- grain: allocation_id, message_seq
with allocated as (
    select
        people.*,
        provisions.*,
        hash(key, 800 + provision) as event,
        -- It began so long before the year's last day as the mean duration makes likely, and ended in the year or not.
        $opens + last_day - 1 - cast(floor(-ln(draw(event, 1)) * years * $days) as integer) as start_date
    from people
    inner join provisions on people.age between provisions.from_age and provisions.to_age
    -- Of those counted as residents on 1 January, so that no place has more clients than residents.
    where
        first_day = 0
        and age > 0
        and draw(key, 800 + provision) < clients_per_1000 / 1000 * (0.5 + 0.5 * frailty) * (1 - 0.15 * fifth)
),

ended as (
    select
        *,
        greatest(start_date, $opens) as first_in_year,
        case
            when last_day < $days then $opens + last_day - 1
            when draw(event, 2) < 1 / (years + 1)
                then first_in_year + cast(floor(draw(event, 3) * ($opens + last_day - first_in_year)) as integer)
        end as end_date
    from allocated
),

messages as (
    select
        *,
        unnest(case when draw(event, 4) < 0.005 then [1, 2] else [1] end) as message_seq
    from ended
)

select
    'T' || person || '-' || provision as allocation_id,
    message_seq,
    person_key,
    municipality_code,
    law,
    category,
    case when draw(event, 5) < 0.06 then 'PGB' else 'ZIN' end as delivery_form,
    start_date,
    end_date,
    case when end_date is not null then case when is_dying then '02' when law = 'Jeugdwet' then '31' else '19' end end
        as end_reason,
    case sex when 'F' then '2' else '1' end as sex,
    birth_year,
    replace(cast(cast(
        euro
        * (0.4 - 0.6 * ln(draw(event, 6)))
        * (1 + date_diff('day', first_in_year, coalesce(end_date, $opens + $days - 1))) / $days
        as decimal(18, 2)
    ) as varchar), '.', ',') as amount_eur
from messages
order by
    person,
    provision,
    message_seq
