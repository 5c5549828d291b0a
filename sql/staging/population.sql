-- Residents by municipality, sex and age band.
-- grain: period, supplier, line_number
select
    period,
    supplier,
    line_number,
    municipality_code,
    case when sex in ('M', '1') then 'M' else 'F' end as sex,
    age_band,
    resident_count,
    person_years,
    live_birth_count
from delivery.population
