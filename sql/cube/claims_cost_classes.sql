-- Insured persons by class of cost in the year, with ten classes per power of ten, for the concentration of cost.
-- grain: period, municipality_code, cost_class, exclusion
-- persons: insured_person_count
with persons as (
    select
        municipality_code,
        exclusion,
        amount_eur,
        cast(cast(floor(amount_eur) as bigint) as varchar) as whole_euros
    from person.care_years
    where
        period = $period
        and insured_person_count = 1
),

-- The first two digits choose the class, as text: rounding of a logarithm could move a value over a limit.
steps as (
    select
        municipality_code,
        exclusion,
        amount_eur,
        cast(length(whole_euros) as integer) as digits,
        case
            when amount_eur < 0 then '-1'
            when rpad(whole_euros, 2, '0') >= '80' then '80'
            when rpad(whole_euros, 2, '0') >= '60' then '60'
            when rpad(whole_euros, 2, '0') >= '50' then '50'
            when rpad(whole_euros, 2, '0') >= '40' then '40'
            when rpad(whole_euros, 2, '0') >= '30' then '30'
            when rpad(whole_euros, 2, '0') >= '25' then '25'
            when rpad(whole_euros, 2, '0') >= '20' then '20'
            when rpad(whole_euros, 2, '0') >= '15' then '15'
            when rpad(whole_euros, 2, '0') >= '12' then '12'
            when rpad(whole_euros, 2, '0') >= '10' then '10'
            else '00'
        end as step
    from persons
)

select
    cast($period as integer) as period,
    municipality_code,
    -- The lower limit in euros with eight digits, so that text sorts in the order of cost; -1 is below zero.
    case
        when step = '-1' then step
        else lpad(rpad(substr(step, 1, least(digits, 2)), digits, '0'), 8, '0')
    end as cost_class,
    exclusion,
    count(*) as insured_person_count,
    cast(sum(amount_eur) as decimal(18, 2)) as amount_eur,
    cast(sum(cast(amount_eur as decimal(19, 2)) * amount_eur) as decimal(38, 4)) as amount_eur_sumsq
from steps
group by
    municipality_code,
    case
        when step = '-1' then step
        else lpad(rpad(substr(step, 1, least(digits, 2)), digits, '0'), 8, '0')
    end,
    exclusion
