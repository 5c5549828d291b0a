-- Claim lines that cancel each other: a credit and the debit that it takes back whole.
-- grain: period, supplier, line_number
-- One debit and one credit per reference and amount, so that what is taken out always nets to zero.
with pairs as (
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

cancelled_lines as (
    select
        supplier,
        credit_line_number as line_number
    from pairs
    union all
    select
        supplier,
        debit_line_number as line_number
    from pairs
)

select
    cast($period as integer) as period,
    supplier,
    line_number
from cancelled_lines
