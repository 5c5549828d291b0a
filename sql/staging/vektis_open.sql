-- Vektis open data with municipality codes, five-year age bands and one column per kind of care.
-- grain: period, supplier, line_number
select
    vektis.period,
    vektis.supplier,
    vektis.line_number,
    coalesce(names.municipality_code, 'unknown') as municipality_code,
    coalesce(vektis.sex, 'unknown') as sex,
    case
        when vektis.age_class is null then 'unknown'
        when vektis.age_class = '90+' then '90+'
        else lpad(split_part(vektis.age_class, ' ', 1), 2, '0') || '-' || lpad(split_part(vektis.age_class, ' ', 3), 2, '0')
    end as age_band,
    vektis.municipality_name is null as is_rest_row,
    vektis.aantal_bsn as insured_person_count,
    vektis.aantal_verzekerdejaren as insured_years,
    vektis.kosten_medisch_specialistische_zorg as cost_hospital_eur,
    vektis.kosten_farmacie as cost_pharmacy_eur,
    coalesce(vektis.kosten_tweedelijns_ggz, 0)
    + coalesce(vektis.kosten_eerstelijns_psychologische_zorg, 0)
    + coalesce(vektis.kosten_specialistische_ggz, 0)
    + coalesce(vektis.kosten_generalistische_basis_ggz, 0)
    + coalesce(vektis.kosten_langdurige_ggz, 0)
    + coalesce(vektis.kosten_consulten_ggz, 0)
    + coalesce(vektis.kosten_intramuraal_verblijf_ggz, 0)
    + coalesce(vektis.kosten_overige_prestaties_ggz, 0)
    + coalesce(vektis.kosten_innovatiegelden_ggz, 0) as cost_mental_health_eur,
    vektis.kosten_huisarts_inschrijftarief
    + vektis.kosten_huisarts_consult
    + coalesce(vektis.kosten_huisarts_mdz, 0)
    + vektis.kosten_huisarts_overig as cost_general_practice_eur,
    vektis.kosten_verpleging_en_verzorging as cost_district_nursing_eur,
    vektis.kosten_hulpmiddelen as cost_devices_eur,
    vektis.kosten_paramedische_zorg_fysiotherapie + vektis.kosten_paramedische_zorg_overig as cost_allied_health_eur,
    vektis.kosten_mondzorg as cost_dental_eur,
    vektis.kosten_geriatrische_revalidatiezorg as cost_geriatric_rehabilitation_eur,
    vektis.kosten_ziekenvervoer_zittend + vektis.kosten_ziekenvervoer_liggend as cost_patient_transport_eur,
    vektis.kosten_kraamzorg
    + vektis.kosten_verloskundige_zorg
    + coalesce(vektis.kosten_integrale_geboortezorg, 0) as cost_maternity_eur,
    vektis.kosten_eerstelijnsverblijf as cost_primary_care_stay_eur,
    vektis.kosten_grensoverschrijdende_zorg as cost_cross_border_eur,
    vektis.kosten_gzsp as cost_gzsp_eur,
    -- The published table by kind omits primary care support; here every euro has a kind.
    vektis.kosten_overig + vektis.kosten_eerstelijns_ondersteuning as cost_other_eur
from delivery.vektis_open as vektis
left join ref.vektis_names as names on names.vektis_name = vektis.municipality_name
