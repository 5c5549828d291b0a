-- Persons whose insurer delivers.
-- grain: person
select *
from people
where is_insured
