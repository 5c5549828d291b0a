-- Of the adults of each stratum who would take part, those who drew the lowest lots so far.
-- grain: person
select *
from (
    from sampled
    union all
    from adults
    -- By what the weights are made of and by nothing else, so that weighing mends it.
    where
        draw(year_key, 32)
        < case age_group when '65+' then 0.55 else 0.35 end + case sex when 'F' then 0.08 else 0 end
)
qualify row_number() over (partition by stratum order by lot, person) <= $respondents
