-- What the year will have cost once everything is booked and corrected, whatever was so by the day of the delivery.
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
