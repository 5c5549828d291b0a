-- Every delivered row and euro, from delivery to cube or to a named exclusion; no euros of fewer than ten rows.
-- grain: extract, period, supplier, stage, reason
select
    extract,
    period,
    supplier,
    stage,
    reason,
    row_count,
    case when row_count not between 1 and 9 then amount_eur end as amount_eur
from safe.reconciliation
order by
    extract,
    period,
    supplier,
    stage,
    reason
