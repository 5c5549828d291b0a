-- Provisions of the social domain as delivered, one row per allocation; a later message replaces some rows, and extra
-- rows break a rule.
-- grain: allocation_id, message_seq
with messages as (
    select
        *,
        unnest(case when draw(event, 4) < 0.005 then [1, 2] else [1] end) as message_seq,
        0 as defect
    from allocations
    union all by name
    select
        *,
        1 as message_seq,
        1 + person % 2 as defect
    from allocations
    where draw(event, 7) < $bad_rows
)

select
    case when defect > 0 then 'X' else 'T' end || person || '-' || provision || '-' || spell as allocation_id,
    message_seq,
    person_key,
    municipality_code,
    law,
    case defect when 1 then '99' else category end as category,
    case when draw(event, 5) < 0.06 then 'PGB' else 'ZIN' end as delivery_form,
    start_date,
    case
        when defect = 2 then date '1999-12-31'
        when is_ended then $opens + last_in_year
    end as end_date,
    end_reason,
    case sex when 'F' then '2' else '1' end as sex,
    birth_year,
    replace(cast(cast(cents as decimal(18, 2)) / 100 as varchar), '.', ',') as amount_eur
from messages
order by
    person,
    provision,
    message_seq,
    defect
