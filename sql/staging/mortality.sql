-- Deaths with the completed age of the deceased, the same age as for residents.
-- grain: period, supplier, line_number
--
-- The birthday is unknown. Half of the birthdays of a year fall before 1 July, so a death before that date counts as
-- before the birthday, and a later death as after it. One in eight is a year too young and one in eight a year too old,
-- so the ages are correct on average.
with aged as (
    select
        period,
        supplier,
        line_number,
        municipality_code,
        case when sex in ('M', '1') then 'M' else 'F' end as sex,
        case
            when month(death_date) < 7 and year(death_date) > birth_year then year(death_date) - birth_year - 1
            else year(death_date) - birth_year
        end as age,
        death_date,
        upper(replace(cause_icd10, '.', '')) as cause_icd10,
        case year(death_date) - birth_year
            when 0 then true
            when 1 then first_birthday_code = '0'
            else false
        end as is_infant
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
    cause_icd10,
    is_infant
from aged
