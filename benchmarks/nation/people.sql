-- Persons number $low up to $high: who they are, where they live, and which days of the year they are insured.
with numbered as (
    select
        person,
        hash(hash($seed, person)) as key
    from range($low, $high) as numbers (person)
),

drawn as (
    select
        numbered.person,
        numbered.key,
        home.municipality_code as first_municipality,
        away.municipality_code as other_municipality,
        home.care_use,
        home.age,
        case
            when draw(key, 3) < case when home.age < 60 then 0.493 else 0.493 + 0.006 * (home.age - 60) end then 'F'
            else 'M'
        end as sex,
        1 + cast(floor(5 * draw(key, 4)) as integer) as fifth,
        -ln(draw(key, 5)) as frailty,
        case
            when home.age = 0 then cast(floor(draw(key, 6) * $days) as integer)
            when draw(key, 7) < 0.015 then 1 + cast(floor(draw(key, 6) * ($days - 1)) as integer)
            else 0
        end as first_day,
        -- Gompertz, near enough to the Dutch life table above thirty.
        draw(key, 8) < least(2.5e-5 * exp(0.094 * home.age), 0.5) * case sex when 'F' then 0.88 else 1.15 end as is_dying,
        draw(key, 9) < 0.008 as is_leaving
    from numbered
    inner join tickets as home on home.ticket = cast(floor(draw(key, 1) * 1048576) as bigint)
    inner join tickets as away on away.ticket = cast(floor(draw(key, 2) * 1048576) as bigint)
),

ended as (
    select
        *,
        case
            when is_dying or is_leaving then first_day + 1 + cast(floor(draw(key, 10) * ($days - first_day)) as integer)
            else $days
        end as last_day,
        draw(key, 11) as split_draw
    from drawn
),

-- A second stretch begins where the first ends, after a gap of twenty days, or twenty days before the first has ended.
split as (
    select
        *,
        case
            when last_day - first_day < 90 or split_draw >= 0.045 then 'none'
            when split_draw < 0.040 then 'move'
            when split_draw < 0.043 then 'gap'
            else 'overlap'
        end as break_kind,
        first_day + 30 + cast(floor(draw(key, 12) * greatest(last_day - first_day - 60, 0)) as integer) as break_day
    from ended
)

select
    person,
    key,
    format('{:016x}', key) as person_key,
    age,
    $year - age as birth_year,
    sex,
    case when draw(key, 13) < 0.985 then cast(fifth as varchar) end as ses_quintile,
    fifth - 3 as fifth,
    frailty,
    (0.3 + 0.7 * frailty) * care_use * (1 - 0.05 * (fifth - 3)) as risk,
    case when age >= 90 then '90+' else format('{:02d}-{:02d}', age // 5 * 5, age // 5 * 5 + 4) end as age_band,
    case when age < 18 then 1 when age < 45 then 2 when age < 65 then 3 when age < 80 then 4 else 5 end as age_group,
    first_municipality,
    case break_kind when 'move' then other_municipality else first_municipality end as municipality_code,
    first_day,
    last_day,
    break_kind,
    break_day,
    is_dying,
    last_day - first_day - case break_kind when 'gap' then 20 else 0 end as insured_days
from split
