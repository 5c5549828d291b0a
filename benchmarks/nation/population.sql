-- Residents, who are the insured: counted when they were insured from the year's first day on.
-- grain: municipality_code, sex, age_band
select
    municipality_code,
    sex,
    age_band,
    count(*) filter (where first_day = 0) as resident_count,
    sum(insured_days) as insured_day_count,
    count(*) filter (where age = 0) as live_birth_count
from people
group by all
