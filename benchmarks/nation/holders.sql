-- Persons with each trait they have; everybody has the trait "all".
select
    people.person,
    people.key,
    people.year_key,
    people.sex,
    people.age_band,
    people.age_group,
    people.risk,
    people.insured_days,
    traits.trait
from people
inner join traits
    on traits.age_group = people.age_group
    and draw(people.key, 100 + traits.number) < least(
        traits.share
        * case people.sex when 'F' then 2 * traits.women else 2 end / (1 + traits.women)
        * exp(-traits.slope * people.fifth)
        * (0.6 + 0.4 * people.frailty),
        0.95
    ) + cast(traits.trait = 'all' as integer)
