-- Insured persons with each of their traits; everybody has the trait "all", persons who die in the year have "dying".
select
    insured.person,
    insured.key,
    insured.year_key,
    insured.sex,
    insured.age_band,
    insured.age_group,
    insured.risk,
    insured.acute,
    insured.insured_days,
    traits.trait
from insured
inner join traits
    on traits.age_group = insured.age_group
    and draw(insured.key, 100 + traits.number) < least(
        traits.share
        * case insured.sex when 'F' then 2 * traits.women else 2 end / (1 + traits.women)
        * exp(-traits.slope * insured.fifth)
        * (0.6 + 0.4 * insured.frailty),
        0.95
    ) + cast(traits.trait = 'all' or traits.trait = 'dying' and insured.is_dying as integer)
