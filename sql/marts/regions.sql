-- The published regions, with their number of municipalities.
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
