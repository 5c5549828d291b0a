-- The willing adults with the lowest lots of each stratum so far.
-- grain: person
select *
from (
    from sampled
    union all
    from adults
    -- Participation depends only on the variables of the weights, so that weighting corrects for it.
    where
        draw(year_key, 32)
        < case age_group when '65+' then 0.55 else 0.35 end + case sex when 'F' then 0.08 else 0 end
)
qualify row_number() over (partition by stratum order by lot, person) <= $respondents
