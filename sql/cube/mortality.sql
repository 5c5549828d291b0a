-- Deaths, avoidable deaths and years of life lost, with the resident population and live births.
-- grain: period, municipality_code, sex, age_band, exclusion
-- persons: resident_count
-- single_party: municipality_code
-- public: death_count, years_lost_death_count, resident_count, person_years, live_birth_count, population_row_count
with deaths as (
    select
        supplier,
        line_number,
        municipality_code,
        sex,
        age,
        age_band,
        cause_icd10,
        is_infant,
        case
            when year(death_date) <> $period then 'other_year'
            when age not between 0 and 120 then 'impossible_age'
            else 'none'
        end as exclusion
    from stg.mortality
    where period = $period
),

-- If several ranges contain a cause, the longest code decides: K85.2 is in another group than the rest of K85.
ranked_causes as (
    select
        deaths.supplier,
        deaths.line_number,
        cast(listed.preventable_share as decimal(18, 9)) as preventable_share,
        cast(listed.treatable_share as decimal(18, 9)) as treatable_share,
        row_number() over (
            partition by deaths.supplier, deaths.line_number
            order by length(listed.icd10_from) desc, listed.icd10_from
        ) as cause_rank
    from deaths
    inner join ref.avoidable_mortality as listed
        on left(deaths.cause_icd10, length(replace(listed.icd10_from, '.', '')))
        between replace(listed.icd10_from, '.', '') and replace(listed.icd10_to, '.', '')
        and deaths.age < cast(listed.below_age as integer)
        and (listed.sex = '' or listed.sex = deaths.sex)
),

-- A person who dies at completed age 60 is 60.5 years old on average.
weighed_deaths as (
    select
        deaths.municipality_code,
        deaths.sex,
        deaths.age_band,
        deaths.exclusion,
        deaths.cause_icd10 is null as is_unknown_cause,
        deaths.age < 75 as is_premature,
        deaths.is_infant,
        cast(case when deaths.age < 75 then 75 - (deaths.age + 0.5) else 0 end as decimal(18, 9)) as lost,
        cast(coalesce(ranked_causes.preventable_share, 0) as decimal(18, 9)) as preventable_share,
        cast(coalesce(ranked_causes.treatable_share, 0) as decimal(18, 9)) as treatable_share
    from deaths
    left join ranked_causes
        on ranked_causes.supplier = deaths.supplier
        and ranked_causes.line_number = deaths.line_number
        and ranked_causes.cause_rank = 1
),

death_totals as (
    select
        case when exclusion = 'none' then municipality_code else 'unknown' end as municipality_code,
        case when exclusion = 'none' then sex else 'unknown' end as sex,
        case when exclusion = 'none' then age_band else 'unknown' end as age_band,
        exclusion,
        count(*) as death_count,
        count(*) filter (where is_unknown_cause) as unknown_cause_death_count,
        sum(preventable_share) as preventable_death_sum,
        sum(preventable_share * preventable_share) as preventable_death_sumsq,
        count(*) filter (where preventable_share > 0) as preventable_death_count,
        sum(treatable_share) as treatable_death_sum,
        sum(treatable_share * treatable_share) as treatable_death_sumsq,
        count(*) filter (where treatable_share > 0) as treatable_death_count,
        sum(lost) as years_lost_sum,
        sum(lost * lost) as years_lost_sumsq,
        count(*) filter (where is_premature) as years_lost_death_count,
        count(*) filter (where is_infant) as infant_death_count
    from weighed_deaths
    group by
        case when exclusion = 'none' then municipality_code else 'unknown' end,
        case when exclusion = 'none' then sex else 'unknown' end,
        case when exclusion = 'none' then age_band else 'unknown' end,
        exclusion
),

-- A municipality whose deaths have no cause did not deliver causes. If a death in the year after the birth year does
-- not state whether the first birthday was reached, the infant deaths of the municipality are unknown.
deliverers as (
    select
        municipality_code,
        bool_or(cause_icd10 is not null) as delivered_causes,
        bool_and(is_infant is not null) as delivered_infants
    from deaths
    where exclusion = 'none'
    group by municipality_code
),

birth_deliverers as (
    select
        municipality_code,
        bool_or(live_birth_count is not null) as delivered_births
    from stg.population
    where period = $period
    group by municipality_code
),

-- A municipality without a single death did not deliver: with its residents only, missing deaths would become zero.
resident_totals as (
    select
        population.municipality_code,
        population.sex,
        population.age_band,
        case when deliverers.municipality_code is null then 'deaths_not_delivered' else 'none' end as exclusion,
        count(*) as population_row_count,
        sum(resident_count) as resident_count,
        sum(cast(person_years as decimal(38, 9))) as person_years,
        sum(live_birth_count) as live_birth_count
    from stg.population
    left join deliverers on deliverers.municipality_code = population.municipality_code
    where population.period = $period
    group by
        population.municipality_code,
        population.sex,
        population.age_band,
        case when deliverers.municipality_code is null then 'deaths_not_delivered' else 'none' end
)

select
    cast($period as integer) as period,
    municipality_code,
    sex,
    age_band,
    exclusion,
    coalesce(death_totals.death_count, 0) as death_count,
    coalesce(death_totals.unknown_cause_death_count, 0) as unknown_cause_death_count,
    case when delivered_causes then cast(coalesce(death_totals.preventable_death_sum, 0) as decimal(38, 18)) end as preventable_death_sum,
    case when delivered_causes then cast(coalesce(death_totals.preventable_death_sumsq, 0) as decimal(38, 18)) end as preventable_death_sumsq,
    case when delivered_causes then coalesce(death_totals.preventable_death_count, 0) end as preventable_death_count,
    case when delivered_causes then cast(coalesce(death_totals.treatable_death_sum, 0) as decimal(38, 18)) end as treatable_death_sum,
    case when delivered_causes then cast(coalesce(death_totals.treatable_death_sumsq, 0) as decimal(38, 18)) end as treatable_death_sumsq,
    case when delivered_causes then coalesce(death_totals.treatable_death_count, 0) end as treatable_death_count,
    cast(coalesce(death_totals.years_lost_sum, 0) as decimal(38, 18)) as years_lost_sum,
    cast(coalesce(death_totals.years_lost_sumsq, 0) as decimal(38, 18)) as years_lost_sumsq,
    coalesce(death_totals.years_lost_death_count, 0) as years_lost_death_count,
    case when delivered_infants then coalesce(death_totals.infant_death_count, 0) end as infant_death_count,
    cast(coalesce(resident_totals.resident_count, 0) as bigint) as resident_count,
    cast(coalesce(resident_totals.person_years, 0) as decimal(38, 9)) as person_years,
    case when delivered_births then cast(coalesce(resident_totals.live_birth_count, 0) as bigint) end as live_birth_count,
    coalesce(resident_totals.population_row_count, 0) as population_row_count
from death_totals
full join resident_totals using (municipality_code, sex, age_band, exclusion)
left join deliverers using (municipality_code)
left join birth_deliverers using (municipality_code)
