-- Provisions of the social domain with at least one day in the year; a person who moves keeps them.
-- grain: person, provision
--
-- A person who needs a provision has one spell in each cycle of twice its mean duration plus two years. So no two spells
-- fall in one year, and every year of generation gives the same spell.
with cycles as (
    select
        people.*,
        provisions.*,
        cast(ceil(365.25 * 2 * (years + 1)) as integer) as cycle_days,
        cast($opens - date '2000-01-01' as integer) as opened_on,
        cast(floor(draw(key, 900 + provision) * cycle_days) as integer) as phase,
        (opened_on + $days - 1 - phase) // cycle_days as spell,
        hash(key, 800 + provision, spell) as event,
        phase + spell * cycle_days - opened_on as begun_on,
        begun_on + least(cast(floor(-ln(draw(event, 1)) * years * 365.25) as integer), cycle_days - 366) as done_on
    from people
    cross join provisions
    -- Only residents on 1 January, so that no place has more clients than residents.
    where
        first_day = 0
        and age > 0
        -- The mean duration is slightly shorter than years, because a spell ends within its cycle.
        -- Needs are correlated: three draws in five are shared by all provisions of a person.
        and draw(key, case when draw(key, 850 + provision) < 0.6 then 799 else 800 + provision end) < clients_per_1000 / 1000
            * 2 * (years + 1) / (years * (1 - exp(-(2 * years + 1) / years)) + 1)
            * social * (0.5 + 0.5 * frailty) * (1 - 0.15 * fifth)
)

select
    person,
    person_key,
    municipality_code,
    sex,
    age,
    birth_year,
    provision,
    spell,
    event,
    cycles.law,
    category,
    $opens + greatest(begun_on, came_on) as start_date,
    greatest(begun_on, 0) as first_in_year,
    least(done_on, last_day - 1) as last_in_year,
    last_in_year < $days - 1 or last_day < $days as is_ended,
    case
        when not is_ended then null
        when done_on < last_day - 1 then end_reasons.code
        when is_dying then '02'
        else '31'
    end as end_reason,
    cast(round(
        100 * euro * 1.04 ^ ($year - 2023) * (0.4 - 0.6 * ln(draw(event, 6)))
        * (1 + least(last_in_year, $days - 1) - first_in_year) / $days
    ) as bigint) as cents
from cycles
inner join end_reasons
    on end_reasons.law = cycles.law
    and draw(event, 3) >= end_reasons.above
    and draw(event, 3) < end_reasons.upto
where
    done_on >= 0
    and last_in_year >= first_in_year
    and age - 1 + year(start_date) - $year between from_age and to_age
