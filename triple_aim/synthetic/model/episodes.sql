-- Stays in hospital and in psychiatric care: successive admissions are one stay, which the first one begins.
-- grain: person, care, stay
with admissions as (
    select
        *,
        case performance_code when 'GGZ-ADM' then 'psychiatric' else 'hospital' end as care,
        start_date <= max(until_date) over (
            partition by person, care
            order by start_date, until_date, care_row, occasion
            rows between unbounded preceding and 1 preceding
        ) as follows_on
    from counted
    where
        is_event
        and performance_code in ('ADM-ACUTE', 'ADM-PLAN', 'GGZ-ADM')
),

numbered as (
    select
        *,
        sum(cast(not coalesce(follows_on, false) as integer)) over (
            partition by person, care
            order by start_date, until_date, care_row, occasion
            rows between unbounded preceding and current row
        ) as stay
    from admissions
),

stays as (
    select
        person,
        care,
        stay,
        arg_min(code, (start_date, until_date, care_row, occasion)) as diagnosis,
        arg_min(performance_code, (start_date, until_date, care_row, occasion)) = 'ADM-ACUTE' as is_acute,
        min(start_date) as admitted_on,
        max(until_date) as discharged_on
    from numbered
    group by all
),

-- A person insured without a gap on a day and the next thirty can be followed from that day.
followed as (
    select
        stays.*,
        discharged_on - admitted_on as night_count,
        case when is_dying then $opens + last_day - 1 end as death_date,
        case break_kind when 'gap' then $opens + break_day end as gap_begins,
        admitted_on + 30 < $opens + last_day
        and not coalesce(gap_begins between admitted_on - 19 and admitted_on + 30, false) as is_insured_after_admission,
        discharged_on + 30 < $opens + last_day
        and not coalesce(gap_begins between discharged_on - 19 and discharged_on + 30, false) as is_insured_after_discharge,
        coalesce(death_date <= admitted_on + 30, false) as is_dead_after_admission,
        coalesce(death_date <= discharged_on + 30, false) as is_dead_after_discharge
    from stays
    inner join insured using (person)
)

select
    person,
    care,
    stay,
    diagnosis,
    is_acute,
    night_count,
    admitted_on,
    discharged_on,
    is_dead_after_admission,
    -- A stay after 1 December has less than thirty days of follow-up within the year.
    admitted_on + 30 < $opens + $days and (is_insured_after_admission or is_dead_after_admission)
        as is_known_after_admission,
    is_insured_after_discharge and not is_dead_after_discharge as is_known_after_discharge,
    lead(is_acute) over next_stay as is_next_acute,
    lead(admitted_on) over next_stay - discharged_on as days_until_next,
    -- A death before the planned end of the stay is a death in hospital.
    case
        when is_acute and night_count > 0 and not coalesce(death_date <= discharged_on, false) then (
            select arg_max(condition, length(icd10_prefix))
            from avoidable_admissions
            where starts_with(diagnosis, icd10_prefix)
        )
    end as avoidable_condition
from followed
window next_stay as (partition by person, care order by stay)
