-- Periods of enrolment in the year; spans of a person that overlap or touch are merged, so no day counts twice.
-- grain: period, person_number, start_date
with opened_spans as (
    select
        person_key,
        start_date,
        until_date,
        case
            when start_date <= max(until_date) over (
                partition by person_key order by start_date, until_date rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as opens_stretch
    from person.insured_spans
    where
        period = $period
        and exclusion = 'none'
),

numbered_spans as (
    select
        person_key,
        start_date,
        until_date,
        sum(opens_stretch) over (
            partition by person_key order by start_date, until_date rows between unbounded preceding and current row
        ) as stretch_number
    from opened_spans
)

select
    cast($period as integer) as period,
    spans.person_key,
    persons.person_number,
    min(spans.start_date) as start_date,
    max(spans.until_date) as until_date
from numbered_spans as spans
inner join person.persons
    on persons.period = $period
    and persons.person_key = spans.person_key
group by
    spans.person_key,
    persons.person_number,
    spans.stretch_number
