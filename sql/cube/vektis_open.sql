-- Insured persons, insured years and cost by kind of care, from the Vektis open data.
-- grain: period, municipality_code, sex, age_band, exclusion
-- persons: insured_person_count
-- single_party: municipality_code
-- parts: amount_eur by care_kind in cost_{care_kind}_eur
select
    period,
    municipality_code,
    sex,
    age_band,
    case when is_rest_row then 'rest_row' else 'none' end as exclusion,
    count(*) as row_count,
    sum(insured_person_count) as insured_person_count,
    cast(sum(insured_years) as decimal(38, 9)) as insured_years,
    sum(cost_hospital_eur) as cost_hospital_eur,
    sum(cost_pharmacy_eur) as cost_pharmacy_eur,
    sum(cost_mental_health_eur) as cost_mental_health_eur,
    sum(cost_general_practice_eur) as cost_general_practice_eur,
    sum(cost_district_nursing_eur) as cost_district_nursing_eur,
    sum(cost_devices_eur) as cost_devices_eur,
    sum(cost_allied_health_eur) as cost_allied_health_eur,
    sum(cost_dental_eur) as cost_dental_eur,
    sum(cost_geriatric_rehabilitation_eur) as cost_geriatric_rehabilitation_eur,
    sum(cost_patient_transport_eur) as cost_patient_transport_eur,
    sum(cost_maternity_eur) as cost_maternity_eur,
    sum(cost_primary_care_stay_eur) as cost_primary_care_stay_eur,
    sum(cost_cross_border_eur) as cost_cross_border_eur,
    sum(cost_gzsp_eur) as cost_gzsp_eur,
    sum(cost_other_eur) as cost_other_eur,
    coalesce(sum(cost_hospital_eur), 0)
    + coalesce(sum(cost_pharmacy_eur), 0)
    + coalesce(sum(cost_mental_health_eur), 0)
    + coalesce(sum(cost_general_practice_eur), 0)
    + coalesce(sum(cost_district_nursing_eur), 0)
    + coalesce(sum(cost_devices_eur), 0)
    + coalesce(sum(cost_allied_health_eur), 0)
    + coalesce(sum(cost_dental_eur), 0)
    + coalesce(sum(cost_geriatric_rehabilitation_eur), 0)
    + coalesce(sum(cost_patient_transport_eur), 0)
    + coalesce(sum(cost_maternity_eur), 0)
    + coalesce(sum(cost_primary_care_stay_eur), 0)
    + coalesce(sum(cost_cross_border_eur), 0)
    + coalesce(sum(cost_gzsp_eur), 0)
    + coalesce(sum(cost_other_eur), 0) as amount_eur
from stg.vektis_open
where period = $period
group by
    period,
    municipality_code,
    sex,
    age_band,
    is_rest_row
