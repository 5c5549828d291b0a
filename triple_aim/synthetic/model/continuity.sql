-- Indices of continuity in general practice for persons with four contacts or more, times 1e9.
-- grain: a fact about an insured person
--
-- Contacts on the same day have no order; those with the same practice are put next to each other.
with contacts as (
    select
        person,
        provider_code,
        lag(provider_code) over (partition by person order by start_date, provider_code) as provider_before
    from counted
    where
        is_event
        and performance_code = 'GP'
),

practices as (
    select
        person,
        provider_code,
        cast(count(*) as double) as visits,
        count(*) filter (where provider_code = provider_before) as again
    from contacts
    group by all
),

persons as (
    select
        person,
        sum(visits) as contacts,
        sum(visits * visits) as squares,
        max(visits) as most,
        sum(again) as again
    from practices
    group by person
    having contacts >= 4
),

facts as (
    select person, 'continuity_person_count' as measure, 1 as value from persons
    union all
    select person, 'continuity_share_sum', 1e9 * (squares - contacts) / (contacts * (contacts - 1)) from persons
    union all
    select person, 'usual_provider_share_sum', 1e9 * most / contacts from persons
    union all
    select person, 'sequential_continuity_share_sum', 1e9 * again / (contacts - 1) from persons
)

select
    person,
    measure,
    cast(round(value) as bigint) as value
from facts
