-- The cost and the number of claim lines of each person by kind of care.
-- grain: period, person_number, exclusion, care_kind
-- in parts
select
    cast($period as integer) as period,
    person_number,
    exclusion,
    care_kind,
    count(*) as claim_line_count,
    count(*) filter (where is_event) as event_line_count,
    cast(sum(amount_eur) as decimal(18, 2)) as amount_eur
from person.care_lines
where period = $period
group by
    person_number,
    exclusion,
    care_kind
