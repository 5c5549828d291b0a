-- Every delivered row and euro, followed from delivery to cube or to a named exclusion.
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
