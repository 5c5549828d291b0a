-- The regions of the publication and how many municipalities each holds.
-- grain: region_type, region_code
select
    region_type,
    region_code,
    region_name,
    division_year,
    municipality_count
from safe.regions
order by
    region_type,
    region_code
