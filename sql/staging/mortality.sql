-- Deaths with the age that the deceased had, or would have had, on 31 December of the year of death.
-- grain: period, supplier, line_number
with aged as (
    select
        period,
        supplier,
        line_number,
        municipality_code,
        case when sex in ('M', '1') then 'M' else 'F' end as sex,
        year(death_date) - birth_year as age,
        death_date,
        cause_icd10
    from delivery.mortality
)

select
    period,
    supplier,
    line_number,
    municipality_code,
    sex,
    age,
    case
        when age >= 90 then '90+'
        else lpad(cast(age // 5 * 5 as varchar), 2, '0') || '-' || lpad(cast(age // 5 * 5 + 4 as varchar), 2, '0')
    end as age_band,
    death_date,
    cause_icd10
from aged
