-- Acute admissions of persons of 15 and over that good care outside the hospital may avoid, by condition.
-- grain: period, person_number, condition
select
    cast($period as integer) as period,
    stays.person_number,
    stays.avoidable_condition as condition,
    count(*) as avoidable_admission_count
from person.care_episodes as stays
inner join person.insured_members as members
    on members.period = $period
    and members.person_number = stays.person_number
    and members.exclusion = 'none'
where
    stays.period = $period
    and stays.episode_type = 'hospital'
    and stays.avoidable_condition is not null
    and stays.is_acute
    and stays.bed_day_count > 0
    and not stays.is_birth_care
    and not stays.is_death_in_stay
    and members.age >= 15
group by
    stays.person_number,
    stays.avoidable_condition
