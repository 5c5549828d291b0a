-- Deaths beside the residents among whom they fell.
-- grain: period, municipality_code, sex, age_band, exclusion
with deaths as (
    select
        municipality_code,
        sex,
        age_band,
        case
            when year(death_date) <> $period then 'other_year'
            when age not between 0 and 120 then 'impossible_age'
            else 'none'
        end as exclusion
    from stg.mortality
    where period = $period
),

death_totals as (
    select
        case when exclusion = 'none' then municipality_code else 'unknown' end as municipality_code,
        case when exclusion = 'none' then sex else 'unknown' end as sex,
        case when exclusion = 'none' then age_band else 'unknown' end as age_band,
        exclusion,
        count(*) as death_count
    from deaths
    group by
        case when exclusion = 'none' then municipality_code else 'unknown' end,
        case when exclusion = 'none' then sex else 'unknown' end,
        case when exclusion = 'none' then age_band else 'unknown' end,
        exclusion
),

-- A municipality of which not one death came in has not delivered: its residents would turn missing into zero.
resident_totals as (
    select
        municipality_code,
        sex,
        age_band,
        case
            when municipality_code in (select municipality_code from deaths where exclusion = 'none') then 'none'
            else 'deaths_not_delivered'
        end as exclusion,
        count(*) as population_row_count,
        sum(resident_count) as resident_count,
        sum(person_years) as person_years
    from stg.population
    where period = $period
    group by
        municipality_code,
        sex,
        age_band
)

select
    cast($period as integer) as period,
    municipality_code,
    sex,
    age_band,
    exclusion,
    coalesce(death_totals.death_count, 0) as death_count,
    cast(coalesce(resident_totals.resident_count, 0) as bigint) as resident_count,
    coalesce(resident_totals.person_years, 0) as person_years,
    coalesce(resident_totals.population_row_count, 0) as population_row_count
from death_totals
full join resident_totals using (municipality_code, sex, age_band, exclusion)
