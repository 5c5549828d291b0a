-- The final cost of the year after all bookings and corrections, also those after the day of delivery.
-- grain: municipality_code, sex, age_band, measure
select
    municipality_code,
    sex,
    age_band,
    'eventual_amount_eur' as measure,
    sum(case eventual_correction when 'whole' then 0 when 'half' then cents - cents // 2 else cents end) as value
from services
where defect = 'none'
group by all
