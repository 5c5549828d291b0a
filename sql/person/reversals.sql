-- Pairs of claim lines that cancel each other: a credit and the debit with the same amount.
-- grain: period, supplier, line_number
-- One debit and one credit per reference and amount, so that the removed lines add up to zero.
with credits as (
    select
        supplier,
        previous_reference,
        amount_eur,
        min(line_number) as line_number
    from stg.claims
    where
        period = $period
        and debit_credit = 'C'
        and previous_reference is not null
    group by
        supplier,
        previous_reference,
        amount_eur
),

pairs as (
    select
        credits.supplier,
        credits.line_number as credit_line_number,
        min(debits.line_number) as debit_line_number
    from stg.claims as debits
    inner join credits
        on credits.supplier = debits.supplier
        and credits.previous_reference = debits.reference_number
        and credits.amount_eur = -debits.amount_eur
    where
        debits.period = $period
        and debits.debit_credit = 'D'
    group by
        credits.supplier,
        credits.line_number
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
