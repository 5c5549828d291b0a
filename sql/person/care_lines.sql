-- Every claim line with the reason why it does not count where there is one; the only place where claims are read.
-- grain: period, supplier, line_number
-- one each of: stg.claims
with calendar as (
    select
        make_date($period, 1, 1) as year_start,
        make_date($period + 1, 1, 1) as year_end
),

-- One debit and one credit per reference and amount, so that what is taken out always nets to zero.
reversals as (
    select
        credits.supplier,
        min(credits.line_number) as credit_line_number,
        min(debits.line_number) as debit_line_number
    from stg.claims as credits
    inner join stg.claims as debits
        on debits.supplier = credits.supplier
        and debits.reference_number = credits.previous_reference
        and debits.amount_eur = -credits.amount_eur
    where
        credits.period = $period
        and credits.debit_credit = 'C'
        and credits.previous_reference is not null
        and debits.period = $period
        and debits.debit_credit = 'D'
        and debits.reference_number is not null
    group by
        credits.supplier,
        credits.previous_reference,
        credits.amount_eur
),

reversed_lines as (
    select
        supplier,
        credit_line_number as line_number
    from reversals
    union all
    select
        supplier,
        debit_line_number as line_number
    from reversals
),

lines as (
    select
        claim_lines.supplier,
        claim_lines.line_number,
        claim_lines.person_key,
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
            when reversed_lines.line_number is not null then 'reversed_pair'
            when claim_lines.start_date < calendar.year_start or claim_lines.start_date >= calendar.year_end then 'other_year'
            when enrolment.person_key is null then 'outside_enrolment'
            else 'none'
        end as exclusion
    from stg.claims as claim_lines
    cross join calendar
    left join reversed_lines
        on reversed_lines.supplier = claim_lines.supplier
        and reversed_lines.line_number = claim_lines.line_number
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
    person_key,
    care_kind,
    activity,
    diagnosis_icd10,
    atc_code,
    start_date,
    until_date,
    booking_date,
    provider_code,
    cast(ddd_quantity as decimal(18, 3)) as ddd_quantity,
    amount_eur,
    insured_until,
    -- A credit only moves euros; what happened to a person stands in the debits.
    exclusion = 'none' and debit_credit = 'D' as is_event,
    exclusion
from lines
