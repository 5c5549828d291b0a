-- True numbers of residents, deaths and clients of the social domain by completed age; of the living, that on 1 January.
-- grain: municipality_code, sex, age_band, measure
with avoidable_deaths as (
    select
        person,
        age_then,
        cast(2 * arg_max(preventable_share, length(icd10_from)) as integer) as preventable,
        cast(2 * arg_max(treatable_share, length(icd10_from)) as integer) as treatable
    from deaths
    inner join avoidable_mortality as listed
        on left(replace(cause_icd10, '.', ''), length(replace(icd10_from, '.', '')))
        between replace(icd10_from, '.', '') and replace(icd10_to, '.', '')
        and age_then < below_age
        and coalesce(listed.sex, deaths.sex) = deaths.sex
    group by all
),

facts as (
    select person, greatest(age - 1, 0) as age_then, 'resident_count' as measure, 1 as value
    from people where age > 0 and first_day = 0
    union all
    select person, greatest(age - 1, 0), 'resident_day_count', insured_days from people
    union all
    select person, 0, 'live_birth_count', 1 from people where age = 0
    union all
    select person, age_then, 'death_count', 1 from deaths
    union all
    select person, age_then, 'unknown_cause_death_count', 1 from deaths where cause_icd10 is null
    union all
    select person, age_then, 'infant_death_count', 1 from deaths where is_infant_death
    union all
    -- In half years: a person who dies at completed age 60 was 60.5 on average.
    select person, age_then, 'years_lost_sum', greatest(149 - 2 * age_then, 0) from deaths
    union all
    select person, age_then, unnest(['preventable_death_sum', 'treatable_death_sum']), unnest([preventable, treatable])
    from avoidable_deaths
    union all
    select distinct person, age - 1, lower(law) || '_client_count', 1 from allocations
    union all
    select distinct person, age - 1, 'social_domain_client_count', 1 from allocations
    union all
    select person, age - 1, 'stacked_client_count', 1 from allocations group by all having count(*) > 1
    union all
    select person, age - 1, 'wmo_household_help_client_count', 1 from allocations where law = 'Wmo' and category = '01'
    union all
    select person, age - 1, 'social_assistance_client_count', 1 from allocations where category = 'income'
    union all
    select person, age - 1, 'youth_stay_client_count', 1 from allocations where category = '43' and age <= 25
    union all
    select distinct person, age - 1, 'youth_care_client_count', 1 from allocations where law = 'Jeugdwet' and age <= 25
    union all
    select person, age - 1, 'wmo_end_count', 1 from allocations where law = 'Wmo' and is_ended
    union all
    select person, age - 1, 'wmo_end_to_zvw_or_wlz_count', 1 from allocations where law = 'Wmo' and end_reason in ('33', '34')
    union all
    select person, age - 1, 'cost_' || lower(law) || '_eur', cents from allocations
    union all
    select person, age - 1, 'municipal_care_eur', cents from allocations where law in ('Wmo', 'Jeugdwet')
)

select
    people.municipality_code,
    people.sex,
    case when age_then >= 90 then '90+' else format('{:02d}-{:02d}', age_then // 5 * 5, age_then // 5 * 5 + 4) end as age_band,
    measure,
    sum(value) as value
from facts
inner join people using (person)
group by all
