-- The verdict of every check of the run.
-- grain: check_id
select
    check_id,
    subject,
    expectation,
    severity,
    is_passed,
    checked_count,
    unexpected_count,
    note
from safe.checks
order by
    check_id
