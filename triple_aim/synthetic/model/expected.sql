-- The basis of the expected number of lines: insured years (row 0); for each row of care, insured years times risk; for
-- medicines, which are dispensed at fixed times, the number of dispensings.
-- grain: age_band, sex, care_row
select
    age_band,
    sex,
    0 as care_row,
    sum(insured_days) / $days as line_count
from insured
group by all
union all
select
    age_band,
    sex,
    care_row,
    sum(rate * case when is_rare then $rare else 1 end * case trait
        when 'dying' then 1
        else case sex when 'F' then women else 2 - women end
            * case when performance_code in ('ADM-ACUTE', 'ED') then acute else 1 end
            * risk
            * insured_days / $days
    end)
from holders
inner join rates using (trait, age_group)
inner join care using (care_row)
group by all
union all
select
    age_band,
    sex,
    care_row,
    sum(share * insured_days / 90)
from holders
inner join medicines using (trait)
group by all
