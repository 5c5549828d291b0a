-- The CBS panel of the social domain with our column names; an empty count stays empty, because it means not delivered.
-- grain: period, supplier, line_number
select
    period,
    supplier,
    line_number,
    gemeentecode as municipality_code,
    wmoclienten as wmo_household_help_client_count,
    jongerenmetjeugdzorginnatura as youth_care_client_count,
    aantalinwoners as resident_count,
    k0tot15jaar + k15tot25jaar as resident_under_25_count,
    sterftetotaal as death_count
from delivery.social_domain_panel
