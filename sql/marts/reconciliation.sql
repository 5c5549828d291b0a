-- Delivered rows and euros, rounded, from delivery to cube or to a named exclusion; empty below ten rows.
-- grain: extract, period, supplier, stage, reason
select
    extract,
    period,
    supplier,
    stage,
    reason,
    row_count,
    amount_eur
from safe.reconciliation
order by
    extract,
    period,
    supplier,
    stage,
    reason
