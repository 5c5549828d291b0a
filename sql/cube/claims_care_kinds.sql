-- Euros, users and lines of each kind of care: parts of the euros in cube claims.
-- grain: period, municipality_code, sex, age_band, care_kind, exclusion
-- parts of: claims.amount_eur
-- members: ref.care_kinds
-- largest: largest_amount, second_largest_amount
with person_kinds as (
    select
        persons.municipality_code,
        persons.sex,
        persons.age_band,
        kinds.care_kind,
        persons.exclusion,
        kinds.event_line_count,
        kinds.amount_eur,
        abs(kinds.amount_eur) as amount,
        row_number() over (
            partition by persons.municipality_code, persons.sex, persons.age_band, kinds.care_kind, persons.exclusion
            order by abs(kinds.amount_eur) desc
        ) as amount_rank
    from person.care_kinds as kinds
    inner join person.care_years as persons
        on persons.period = $period
        and persons.person_number = kinds.person_number
        and persons.exclusion = kinds.exclusion
    where kinds.period = $period
)

select
    cast($period as integer) as period,
    municipality_code,
    sex,
    age_band,
    care_kind,
    exclusion,
    cast(sum(amount_eur) as decimal(18, 2)) as amount_eur,
    count(*) filter (where exclusion = 'none') as user_count,
    sum(event_line_count) as line_count,
    -- Amounts of one person, debit or credit, for disclosure control. Excluded amounts belong to no person.
    max(amount) filter (where exclusion = 'none' and amount_rank = 1) as largest_amount,
    max(amount) filter (where exclusion = 'none' and amount_rank = 2) as second_largest_amount
from person_kinds
group by
    municipality_code,
    sex,
    age_band,
    care_kind,
    exclusion
