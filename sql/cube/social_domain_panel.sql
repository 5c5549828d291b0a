-- Clients of household help and youth care, deaths and residents by municipality, from the CBS panel.
-- grain: period, municipality_code, exclusion
-- persons: resident_count
-- single_party: municipality_code
select
    period,
    municipality_code,
    'none' as exclusion,
    count(*) as row_count,
    sum(wmo_household_help_client_count) as wmo_household_help_client_count,
    sum(youth_care_client_count) as youth_care_client_count,
    sum(resident_count) as resident_count,
    sum(resident_under_25_count) as resident_under_25_count,
    sum(death_count) as death_count
from stg.social_domain_panel
where period = $period
group by
    period,
    municipality_code
