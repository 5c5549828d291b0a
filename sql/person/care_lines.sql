-- Every claim line, with the reason if it is excluded; no other query reads claims.
-- grain: period, supplier, line_number
-- one row per: stg.claims
with calendar as (
    select
        make_date($period, 1, 1) as year_start,
        make_date($period + 1, 1, 1) as year_end
),

lines as (
    select
        claim_lines.supplier,
        claim_lines.line_number,
        enrolment.person_number,
        claim_lines.care_kind,
        claim_lines.activity,
        claim_lines.diagnosis_icd10,
        claim_lines.atc_code,
        claim_lines.start_date,
        claim_lines.until_date,
        claim_lines.booking_date,
        claim_lines.provider_code,
        claim_lines.ddd_quantity,
        claim_lines.debit_credit,
        claim_lines.amount_eur,
        enrolment.until_date as insured_until,
        case
            when reversals.line_number is not null then 'reversed_pair'
            when claim_lines.start_date < calendar.year_start or claim_lines.start_date >= calendar.year_end then 'other_year'
            when enrolment.person_key is null then 'outside_enrolment'
            else 'none'
        end as exclusion
    from stg.claims as claim_lines
    cross join calendar
    left join person.reversals
        on reversals.period = $period
        and reversals.supplier = claim_lines.supplier
        and reversals.line_number = claim_lines.line_number
    left join person.enrolment
        on enrolment.period = $period
        and enrolment.person_key = claim_lines.person_key
        and enrolment.start_date <= claim_lines.start_date
        and enrolment.until_date > claim_lines.start_date
    where claim_lines.period = $period
)

select
    cast($period as integer) as period,
    supplier,
    line_number,
    -- An excluded line belongs to no person; number 0 stands for no person.
    case when exclusion = 'none' then person_number else 0 end as person_number,
    care_kind,
    activity,
    diagnosis_icd10,
    atc_code,
    start_date,
    until_date,
    booking_date,
    -- Only for contacts whose provider is used: this column takes the most time and space.
    case when activity = 'general_practice_contact' then provider_code end as provider_code,
    cast(ddd_quantity as decimal(18, 3)) as ddd_quantity,
    amount_eur,
    insured_until,
    -- A credit only moves euros; the care that a person received is in the debits.
    exclusion = 'none' and debit_credit = 'D' as is_event,
    exclusion
from lines
