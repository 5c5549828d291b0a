-- Every delivered span of enrolment, cut to the year, with the reason if it is excluded.
-- grain: period, supplier, line_number
-- one row per: stg.insured_population
with calendar as (
    select
        make_date($period, 1, 1) as year_start,
        make_date($period + 1, 1, 1) as year_end
)

select
    insured.period,
    insured.supplier,
    insured.line_number,
    insured.person_key,
    insured.municipality_code,
    insured.sex,
    insured.age,
    insured.age_band,
    insured.ses_quintile,
    greatest(insured.start_date, calendar.year_start) as start_date,
    least(insured.until_date, calendar.year_end) as until_date,
    insured.death_date,
    case
        when insured.start_date >= calendar.year_end or insured.until_date <= calendar.year_start then 'other_year'
        when insured.age not between 0 and 120 then 'impossible_age'
        else 'none'
    end as exclusion
from stg.insured_population as insured
cross join calendar
where insured.period = $period
