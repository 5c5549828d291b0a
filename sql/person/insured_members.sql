-- Who was insured in the year: place, age and class on the last insured day, and how long, in three conventions.
-- grain: period, person_key, exclusion
with calendar as (
    select make_date($period + 1, 1, 1) as year_end
),

span_totals as (
    select
        person_key,
        exclusion,
        count(*) as insured_span_count,
        max(death_date) as death_date
    from person.insured_spans
    where period = $period
    group by
        person_key,
        exclusion
),

stretches as (
    select
        person_key,
        start_date,
        until_date,
        month(start_date) as first_month,
        month(until_date - 1) as last_month,
        lag(month(until_date - 1)) over (partition by person_key order by start_date) as previous_last_month
    from person.enrolment
    where period = $period
),

insured_time as (
    select
        person_key,
        sum(date_diff('day', start_date, until_date)) as insured_day_count,
        -- Months of which the first day is insured; then months of which any day is, each of them once.
        sum(last_month - first_month + case when day(start_date) = 1 then 1 else 0 end) as insured_month_count,
        sum(last_month - first_month + case when previous_last_month = first_month then 0 else 1 end)
            as insured_any_month_count,
        max(until_date) as insured_until
    from stretches
    group by person_key
),

last_spans as (
    select
        person_key,
        municipality_code,
        sex,
        age,
        age_band,
        ses_quintile,
        exclusion,
        row_number() over (
            partition by person_key
            order by until_date desc, start_date desc, municipality_code, sex, age, ses_quintile
        ) as span_rank
    from person.insured_spans
    where
        period = $period
        and exclusion = 'none'
)

select
    cast($period as integer) as period,
    person_key,
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
left join last_spans using (person_key, exclusion)
left join insured_time on insured_time.person_key = last_spans.person_key
where coalesce(last_spans.span_rank, 1) = 1
