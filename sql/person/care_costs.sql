-- The cost of care of each insured person in the year, and its rank among all insured persons.
-- grain: period, person_number
with line_totals as (
    select
        person_number,
        sum(claim_line_count) as claim_line_count,
        cast(sum(amount_eur) as decimal(18, 2)) as amount_eur
    from person.care_kinds
    where
        period = $period
        and exclusion = 'none'
    group by person_number
),

-- A municipality with at least fifty insured persons and no claim has missing claims, not zero cost.
members as (
    select
        person_number,
        coalesce(line_totals.claim_line_count, 0) as claim_line_count,
        coalesce(line_totals.amount_eur, 0) as amount_eur,
        sum(coalesce(line_totals.claim_line_count, 0)) over (partition by members.municipality_code) = 0
        and count(*) over (partition by members.municipality_code) >= 50 as is_undelivered
    from person.insured_members as members
    left join line_totals using (person_number)
    where
        members.period = $period
        and members.exclusion = 'none'
),

ranked_costs as (
    select
        person_number,
        amount_eur,
        row_number() over (order by amount_eur desc, person_number) as cost_rank,
        count(*) over () as member_count
    from members
    where not is_undelivered
),

-- The lowest cost that 99 of 100 insured persons do not exceed: the amount of a person, without interpolation.
cost_limit as (
    select min(amount_eur) as limit_eur
    from ranked_costs
    where (member_count - cost_rank + 1) * 100 >= member_count * 99
)

select
    cast($period as integer) as period,
    person_number,
    members.claim_line_count,
    cast(members.amount_eur as decimal(18, 2)) as amount_eur,
    members.is_undelivered,
    -- A person whose credits exceed the debits of the year has no cost.
    case
        when ranked_costs.cost_rank is null then 0
        else cast(greatest(least(members.amount_eur, cost_limit.limit_eur), 0) as decimal(18, 2))
    end as truncated_cost_eur,
    coalesce(ranked_costs.amount_eur > cost_limit.limit_eur or ranked_costs.amount_eur < 0, false) as is_truncated,
    coalesce(ranked_costs.cost_rank * 20 <= ranked_costs.member_count, false) as is_costliest_5_percent
from members
cross join cost_limit
left join ranked_costs using (person_number)
