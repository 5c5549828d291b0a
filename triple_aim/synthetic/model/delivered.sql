-- Claim lines as delivered: each service, its credit line and the line that charges it again.
-- grain: claim_id
with lines as (
    select
        *,
        unnest(case correction when 'none' then [''] when 'again' then ['', 'C', 'A'] else ['', 'C'] end) as part,
        $year || '-' || person || '-' || care_row || '-' || occasion as reference
    from services
    where is_delivered
)

select
    'C' || reference || part as claim_id,
    case defect when 'unknown_person' then format('{:016x}', hash(hash(event, 10))) else person_key end as person_key,
    care_kind,
    case defect when 'unlisted_code' then 'ZZZ' else performance_code end as performance_code,
    case when performance_code <> 'RX' then code end as diagnosis_icd10,
    case when performance_code = 'RX' then code end as atc_code,
    case defect when 'other_year' then $opens - 2 else start_date end as start_date,
    case defect
        when 'ends_before' then date '1999-12-31'
        when 'other_year' then null
        else end_date
    end as end_date,
    case
        when draw(event, 11) < 0.002 then null
        when part <> '' then correction_date
        else booking_date
    end as booking_date,
    provider_code,
    1 as quantity,
    ddd_quantity,
    case when part = 'C' and correction = 'half' then cents // 2 else cents end as amount_cents,
    case when defect = 'unknown_sign' then 'X' when part = 'C' then 'C' else 'D' end as debit_credit,
    'R' || reference || part as reference_number,
    case
        when defect = 'unknown_reference' then 'R0'
        when part <> '' then 'R' || reference
    end as previous_reference
from lines
order by
    start_date,
    person,
    care_row,
    occasion,
    part
