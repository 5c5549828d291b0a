-- Published percentages of the young-adult health survey, one row per region.
-- grain: period, supplier, line_number
select
    period,
    supplier,
    line_number,
    regio_s as region_code,
    '16-25' as age_band,
    goed_ervaren_gezondheid as good_self_rated_health_percent,
    sterk_eenzaam as severe_loneliness_percent,
    obesitas as obesity_percent,
    rookt_tabak as smoking_percent,
    overgewicht as overweight_percent,
    zware_drinker as heavy_drinking_percent,
    moeite_met_rondkomen as difficulty_making_ends_meet_percent
from delivery.rivm_results
