-- Provisions of the social domain as delivered, a row an allocation; some messages are superseded by a later one.
-- grain: allocation_id, message_seq
with messages as (
    select
        *,
        unnest(case when draw(event, 4) < 0.005 then [1, 2] else [1] end) as message_seq
    from allocations
)

select
    'T' || person || '-' || provision || '-' || spell as allocation_id,
    message_seq,
    person_key,
    municipality_code,
    law,
    category,
    case when draw(event, 5) < 0.06 then 'PGB' else 'ZIN' end as delivery_form,
    start_date,
    case when is_ended then $opens + last_in_year end as end_date,
    end_reason,
    case sex when 'F' then '2' else '1' end as sex,
    birth_year,
    replace(cast(cast(cents as decimal(18, 2)) / 100 as varchar), '.', ',') as amount_eur
from messages
order by
    person,
    provision,
    message_seq
