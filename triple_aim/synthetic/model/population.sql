-- Residents on 1 January by their age on that day, with person-days and live births in the year.
-- grain: municipality_code, sex, age_band
with aged as (
    select
        *,
        greatest(age - 1, 0) as age_then
    from people
)

select
    municipality_code,
    sex,
    case when age_then >= 90 then '90+' else format('{:02d}-{:02d}', age_then // 5 * 5, age_then // 5 * 5 + 4) end as age_band,
    count(*) filter (where age > 0 and first_day = 0) as resident_count,
    sum(insured_days) as insured_day_count,
    count(*) filter (where age = 0) as live_birth_count
from aged
group by all
