-- Every delivered row and euro, followed from delivery to cube or to a named exclusion.
-- grain: extract, period, supplier, stage, reason
select
    extract,
    period,
    supplier,
    stage,
    reason,
    row_count,
    -- The euros of a few rows are those of a few persons; the total beside them stands.
    case when row_count >= 10 or row_count = 0 or stage not in ('set_aside', 'excluded') then amount_eur end as amount_eur
from safe.reconciliation
order by
    extract,
    period,
    supplier,
    stage,
    reason
