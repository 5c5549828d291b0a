-- Sums by socio-economic fifth and by number of chronic conditions; the group precedes the name of the sum.
-- grain: municipality_code, sex, age_band, measure
with counts as (
    select
        person,
        least(count(*), 3) as condition_count,
        bool_or(condition = 'diabetes') as is_diabetes
    from conditions
    group by person
),

facts as (
    select person, 'insured_person_count' as measure, 1 as value from insured
    union all
    select person, 'insured_day_count', insured_days from insured
    union all
    select person, 'amount_eur', sum(net_cents) from counted group by person
    union all
    select person, 'emergency_visit_count', 1 from counted where is_event and performance_code = 'ED'
    union all
    select person, 'avoidable_admission_count', 1 from episodes where avoidable_condition is not null
    union all
    select person, 'diabetes_person_count', 1 from counts where is_diabetes
)

-- Persons without a fifth are left out.
select
    municipality_code,
    sex,
    age_band,
    'fifth_' || ses_quintile || '_' || measure as measure,
    sum(value) as value
from facts
inner join insured using (person)
where ses_quintile is not null
group by all
union all
select
    municipality_code,
    sex,
    age_band,
    'conditions_' || coalesce(condition_count, 0) || '_' || measure,
    sum(value)
from facts
inner join insured using (person)
left join counts using (person)
where measure in ('amount_eur', 'insured_day_count')
group by all
