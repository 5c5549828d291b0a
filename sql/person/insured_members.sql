-- The insured persons of the year: place, age and class on the last insured day, and insured time in three conventions.
-- grain: period, person_number, exclusion
with calendar as (
    select make_date($period + 1, 1, 1) as year_end
),

-- An excluded span belongs to no person; number 0 stands for no person.
spans as (
    select
        case when spans.exclusion = 'none' then persons.person_number else 0 end as person_number,
        spans.municipality_code,
        spans.sex,
        spans.age,
        spans.age_band,
        spans.ses_quintile,
        spans.start_date,
        spans.until_date,
        spans.death_date,
        spans.exclusion
    from person.insured_spans as spans
    left join person.persons
        on persons.period = $period
        and persons.person_key = spans.person_key
    where spans.period = $period
),

span_totals as (
    select
        person_number,
        exclusion,
        count(*) as insured_span_count,
        max(death_date) as death_date
    from spans
    group by
        person_number,
        exclusion
),

stretches as (
    select
        person_number,
        start_date,
        until_date,
        month(start_date) as first_month,
        month(until_date - 1) as last_month,
        lag(month(until_date - 1)) over (partition by person_number order by start_date) as previous_last_month
    from person.enrolment
    where period = $period
),

insured_time as (
    select
        person_number,
        sum(date_diff('day', start_date, until_date)) as insured_day_count,
        -- Months whose first day is insured; then months with any insured day, each once.
        sum(last_month - first_month + case when day(start_date) = 1 then 1 else 0 end) as insured_month_count,
        sum(last_month - first_month + case when previous_last_month = first_month then 0 else 1 end)
            as insured_any_month_count,
        max(until_date) as insured_until
    from stretches
    group by person_number
),

last_spans as (
    select
        person_number,
        municipality_code,
        sex,
        age,
        age_band,
        ses_quintile,
        exclusion,
        row_number() over (
            partition by person_number
            order by until_date desc, start_date desc, municipality_code, sex, age, ses_quintile
        ) as span_rank
    from spans
    where exclusion = 'none'
)

select
    cast($period as integer) as period,
    person_number,
    exclusion,
    last_spans.municipality_code,
    last_spans.sex,
    last_spans.age,
    last_spans.age_band,
    last_spans.ses_quintile,
    span_totals.insured_span_count,
    insured_time.insured_day_count,
    insured_time.insured_month_count,
    insured_time.insured_any_month_count,
    span_totals.death_date,
    coalesce(last_spans.age >= 65 and insured_time.insured_until = calendar.year_end, false) as is_senior
from span_totals
cross join calendar
left join last_spans using (person_number, exclusion)
left join insured_time on insured_time.person_number = last_spans.person_number
where coalesce(last_spans.span_rank, 1) = 1
