-- Services that count: booked by the day of delivery, without a defect, with amounts after corrections.
-- grain: person, care_row, occasion
select
    person,
    care_row,
    occasion,
    care_kind,
    performance_code,
    code,
    start_date,
    coalesce(end_date, start_date) as until_date,
    provider_code,
    ddd_quantity,
    case correction when 'whole' then 0 when 'half' then cents - cents // 2 else cents end as net_cents,
    correction <> 'whole' as is_event
from services
where
    is_delivered
    and defect = 'none'
