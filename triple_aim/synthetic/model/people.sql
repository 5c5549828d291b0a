-- Persons with number $low up to $high who live here in $year: characteristics, municipality and days of enrolment.
-- grain: person
--
-- A life is drawn once, whichever years are generated: entry, at most one break of enrolment, leaving, death. Days count
-- from the first day of $year; earlier days are negative.
with numbered as (
    select
        person,
        hash(hash($seed, person)) as key,
        -- The first $persons are here from the first year; after them $entrants are born or arrive each year.
        case
            when person < $persons then $first_year
            else cast($first_year + 1 + (person - $persons) // $entrants as integer)
        end as entry_year
    from range($low, $high) as numbers (person)
),

entered as (
    select
        numbered.person,
        numbered.key,
        numbered.entry_year,
        home.municipality_code as home_municipality,
        away.municipality_code as other_municipality,
        places.care_use,
        places.acute,
        places.social,
        places.deaths,
        places.poor,
        cast(make_date(entry_year, 1, 1) - $opens as integer) as entry_opens,
        cast(make_date(entry_year + 1, 1, 1) - make_date(entry_year, 1, 1) as integer) as entry_days,
        -- Of later entrants, two in five are births.
        case when entry_year > $first_year and draw(key, 7) < 0.4 then 0 else home.age end as entry_age,
        entry_age > 0 and entry_year = $first_year and draw(key, 7) >= 0.015 as is_settled,
        entry_opens + case
            when is_settled then 0
            when entry_age = 0 then cast(floor(draw(key, 6) * entry_days) as integer)
            else 1 + cast(floor(draw(key, 6) * (entry_days - 1)) as integer)
        end as entry_day
    from numbered
    inner join tickets as home on home.ticket = cast(floor(draw(key, 1) * 1048576) as bigint)
    inner join places on places.municipality_code = home.municipality_code
    inner join tickets as away on away.ticket = cast(floor(draw(key, 2) * 1048576) as bigint)
),

lives as (
    select
        *,
        case when draw(key, 3) < 0.493 + 0.006 * greatest(entry_age - 60, 0) then 'F' else 'M' end as sex,
        case
            when entry_age = 0 and draw(key, 16) < $infant_deaths then draw(key, 8) ^ 4
            -- Gompertz, close to the Dutch life table above thirty: the age at which the drawn share survives.
            else ln(
                exp($deaths_by_age * entry_age)
                - ln(draw(key, 8)) * $deaths_by_age
                / ($deaths_at_birth * deaths * case sex when 'F' then $deaths_of_women else $deaths_of_men end)
            ) / $deaths_by_age - entry_age
        end as years_to_death,
        -ln(draw(key, 9)) / 0.008 as years_to_leaving,
        years_to_death <= years_to_leaving as dies,
        entry_day + 1 + cast(floor(365.25 * least(years_to_death, years_to_leaving)) as integer) as end_day,
        entry_year + cast(floor(-ln(draw(key, 12)) / 0.046) as integer) as break_year,
        -- Not near either end of a year, so that the stretch after the break starts in the same year.
        cast(make_date(break_year, 1, 1) - $opens as integer) + 30 + cast(floor(275 * draw(key, 10)) as integer)
            as broken_on,
        draw(key, 11) as break_draw
    from entered
    where entry_day < $days
),

-- The second stretch begins when the first ends (move), twenty days later (gap) or twenty days earlier (overlap).
broken as (
    select
        *,
        case
            when broken_on not between entry_day + 30 and end_day - 30 then 'none'
            when break_draw < 0.89 then 'move'
            when break_draw < 0.955 then 'gap'
            else 'overlap'
        end as life_break,
        life_break <> 'none' and break_year < $year as was_broken
    from lives
    where end_day > 0
)

select
    person,
    key,
    hash(key, $year) as year_key,
    format('{:016x}', key) as person_key,
    $year - entry_year + entry_age as age,
    entry_year - entry_age as birth_year,
    sex,
    -- Places with poor health have more persons in the lower fifths.
    1 + cast(floor(5 * draw(key, 4) ^ exp(6.4 * poor)) as integer) - 3 as fifth,
    case when draw(key, 13) < 0.985 then cast(fifth + 3 as varchar) end as ses_quintile,
    -ln(draw(key, 5)) as frailty,
    (0.3 + 0.7 * frailty) * care_use * (1 - 0.05 * fifth) as risk,
    acute,
    social,
    poor,
    case when age >= 90 then '90+' else format('{:02d}-{:02d}', age // 5 * 5, age // 5 * 5 + 4) end as age_band,
    case when age < 18 then 1 when age < 45 then 2 when age < 65 then 3 when age < 80 then 4 else 5 end as age_group,
    case when was_broken and life_break = 'move' then other_municipality else home_municipality end
        as first_municipality,
    case when break_year <= $year and life_break = 'move' then other_municipality else home_municipality end
        as municipality_code,
    greatest(entry_day, 0) as first_day,
    least(end_day, $days) as last_day,
    case
        when is_settled then greatest(
            entry_opens - 1 - cast(floor(draw(key, 20) * 5400) as integer),
            cast(make_date(birth_year, 1, 1) - $opens as integer)
        )
        else entry_day
    end as came_on,
    -- The start of the stretch that is open on the first day of the year.
    case
        when was_broken then broken_on + case life_break when 'gap' then 20 when 'overlap' then -20 else 0 end
        else came_on
    end as enrolled_on,
    case break_year when $year then life_break else 'none' end as break_kind,
    broken_on as break_day,
    dies and end_day <= $days as is_dying,
    is_dying and entry_age = 0 and years_to_death < 1 as is_infant_death,
    last_day - first_day - case break_kind when 'gap' then 20 else 0 end as insured_days,
    -- Insured with an insurer that delivers.
    draw(key, 19) < $insured_share as is_insured
from broken
