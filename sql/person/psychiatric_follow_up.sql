-- Discharges from psychiatric care with complete follow-up time, and those followed by an outpatient contact.
-- grain: period, person_number
with discharges as (
    select
        person_number,
        episode_number,
        discharge_date
    from person.care_episodes
    where
        period = $period
        and episode_type = 'psychiatric'
        and is_index
        and coalesce(days_until_next_count > 30, true)
),

contacts as (
    select
        person_number,
        start_date
    from person.care_lines
    where
        period = $period
        and is_event
        and activity = 'psychiatric_contact'
),

-- A contact on the day of discharge belongs to the stay.
followed_discharges as (
    select
        discharges.person_number,
        discharges.episode_number,
        min(date_diff('day', discharges.discharge_date, contacts.start_date)) as day_count
    from discharges
    left join contacts
        on contacts.person_number = discharges.person_number
        and contacts.start_date > discharges.discharge_date
    group by
        discharges.person_number,
        discharges.episode_number
)

select
    cast($period as integer) as period,
    person_number,
    count(*) as psychiatric_discharge_count,
    count(*) filter (where day_count <= 7) as psychiatric_follow_up_7_day_count,
    count(*) filter (where day_count <= 30) as psychiatric_follow_up_30_day_count
from followed_discharges
group by person_number
