-- Continuity of general practice care by three indices, for persons with at least four contacts.
-- grain: period, person_number
with contacts as (
    select
        person_number,
        provider_code,
        -- Contacts of one day have no order, so contacts with the same provider are consecutive.
        lag(provider_code) over (partition by person_number order by start_date, provider_code) as previous_provider_code
    from person.care_lines
    where
        period = $period
        and is_event
        and activity = 'general_practice_contact'
),

provider_contacts as (
    select
        person_number,
        provider_code,
        count(*) as contact_count,
        count(*) filter (where provider_code = previous_provider_code) as repeat_count
    from contacts
    group by
        person_number,
        provider_code
),

totals as (
    select
        person_number,
        sum(contact_count) as contact_count,
        sum(contact_count * contact_count) as contact_sumsq,
        max(contact_count) as most_contact_count,
        sum(repeat_count) as repeat_count
    from provider_contacts
    group by person_number
)

-- Nine decimals, so that sums of the shares and of their squares are exact in any order.
select
    cast($period as integer) as period,
    person_number,
    cast(
        cast(contact_sumsq - contact_count as double) / cast(contact_count * (contact_count - 1) as double)
        as decimal(18, 9)
    ) as bice_boxerman_share,
    cast(cast(most_contact_count as double) / cast(contact_count as double) as decimal(18, 9)) as usual_provider_share,
    cast(cast(repeat_count as double) / cast(contact_count - 1 as double) as decimal(18, 9)) as sequential_share
from totals
where contact_count >= 4
