-- Provisions as half-open spans, with the completed age of the client on 1 January, the same age as for residents.
-- grain: period, supplier, line_number
--
-- The year of birth gives that age exactly, except for clients born on 1 January. A client born in the year has age 0;
-- a later year of birth gives a negative age, which the cube excludes as impossible.
with aged as (
    select
        period,
        supplier,
        line_number,
        allocation_id,
        message_seq,
        person_key,
        municipality_code,
        case when sex in ('M', '1') then 'M' else 'F' end as sex,
        case when birth_year = period then 0 else period - birth_year - 1 end as age,
        law,
        category,
        start_date,
        coalesce(end_date + 1, date '9999-12-31') as until_date,
        end_reason,
        cast(amount_eur as decimal(18, 2)) as amount_eur
    from delivery.social_domain
)

select
    period,
    supplier,
    line_number,
    allocation_id,
    message_seq,
    person_key,
    municipality_code,
    sex,
    age,
    case
        when age >= 90 then '90+'
        else lpad(cast(age // 5 * 5 as varchar), 2, '0') || '-' || lpad(cast(age // 5 * 5 + 4 as varchar), 2, '0')
    end as age_band,
    law,
    category,
    start_date,
    until_date,
    end_reason,
    amount_eur
from aged
