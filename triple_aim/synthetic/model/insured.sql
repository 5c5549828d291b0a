-- The people whose insurers deliver.
-- grain: person
select *
from people
where is_insured
