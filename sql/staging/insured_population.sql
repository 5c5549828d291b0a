-- Enrolment as half-open spans, with the age on 31 December of the year of the delivery.
-- grain: period, supplier, line_number
with aged as (
    select
        period,
        supplier,
        line_number,
        person_key,
        municipality_code,
        case when sex in ('M', '1') then 'M' else 'F' end as sex,
        period - birth_year as age,
        valid_from as start_date,
        coalesce(valid_to, date '9999-12-31') as until_date,
        death_date,
        coalesce(ses_quintile, 'unknown') as ses_quintile
    from delivery.insured_population
)

select
    period,
    supplier,
    line_number,
    person_key,
    municipality_code,
    sex,
    age,
    case
        when age >= 90 then '90+'
        else lpad(cast(age // 5 * 5 as varchar), 2, '0') || '-' || lpad(cast(age // 5 * 5 + 4 as varchar), 2, '0')
    end as age_band,
    start_date,
    until_date,
    death_date,
    ses_quintile
from aged
