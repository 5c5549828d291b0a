-- Shares of dwellings that moved from one municipality to another.
-- grain: period, supplier, line_number
select
    period,
    supplier,
    line_number,
    year_from,
    year_to,
    code_from,
    code_to,
    share
from delivery.boundary_changes
