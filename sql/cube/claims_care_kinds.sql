-- Euros, users and lines of each kind of care: parts of the euros in cube claims.
-- grain: period, municipality_code, sex, age_band, care_kind, exclusion
-- parts of: claims.amount_eur
-- members: ref.care_kinds
-- counts of persons: user_count
select
    cast($period as integer) as period,
    persons.municipality_code,
    persons.sex,
    persons.age_band,
    kinds.care_kind,
    persons.exclusion,
    cast(sum(kinds.amount_eur) as decimal(18, 2)) as amount_eur,
    -- Excluded lines belong to no person, so they have no squares.
    cast(
        coalesce(
            sum(cast(kinds.amount_eur as decimal(19, 2)) * kinds.amount_eur) filter (where persons.exclusion = 'none'), 0
        ) as decimal(38, 4)
    ) as amount_eur_sumsq,
    count(*) filter (where persons.exclusion = 'none') as user_count,
    sum(kinds.event_line_count) as line_count,
    cast(
        coalesce(sum(kinds.event_line_count * kinds.event_line_count) filter (where persons.exclusion = 'none'), 0)
        as decimal(38, 18)
    ) as line_sumsq
from person.care_kinds as kinds
inner join person.care_years as persons
    on persons.period = $period
    and persons.person_number = kinds.person_number
    and persons.exclusion = kinds.exclusion
where kinds.period = $period
group by
    persons.municipality_code,
    persons.sex,
    persons.age_band,
    kinds.care_kind,
    persons.exclusion
