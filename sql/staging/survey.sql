-- Answers to the health survey, one per row, each with the weight of its item; 8 and 9 are no answer.
-- grain: period, supplier, line_number, item
with items as (
    select
        item_number,
        item
    from (
        values
        (1, 'good_self_rated_health'),
        (2, 'chronic_illness'),
        (3, 'obesity'),
        (4, 'smoking'),
        (5, 'severe_loneliness'),
        (6, 'high_risk_anxiety_depression'),
        (7, 'overweight'),
        (8, 'physical_activity'),
        (9, 'informal_carer_overburdened'),
        (10, 'activity_limitation'),
        (11, 'low_resilience'),
        (12, 'difficulty_making_ends_meet'),
        (13, 'heavy_drinking'),
        (14, 'mastery')
    ) as list (item_number, item)
),

responses as (
    select
        survey.period,
        survey.supplier,
        survey.line_number,
        survey.municipality_code,
        survey.stratum,
        survey.sex,
        survey.age_group,
        survey.education,
        items.item_number,
        items.item,
        case items.item
            when 'good_self_rated_health' then survey.klgga208
            when 'chronic_illness' then survey.calga260
            when 'obesity' then survey.aggws205
            when 'smoking' then survey.lfrka205
            when 'severe_loneliness' then survey.ggees209
            when 'high_risk_anxiety_depression' then survey.ggada201_3
            when 'overweight' then survey.aggws204
            when 'physical_activity' then survey.ki_rlbew2017_100
            when 'informal_carer_overburdened' then survey.mcmzgs204_1
            when 'activity_limitation' then survey.calgs267
            when 'low_resilience' then survey.ggvks201
            when 'difficulty_making_ends_meet' then survey.mmika201
            when 'heavy_drinking' then survey.lfala219
            when 'mastery' then survey.regie_leven
        end as answer,
        case
            when items.item in (
                'good_self_rated_health', 'chronic_illness', 'obesity', 'smoking', 'overweight', 'physical_activity',
                'informal_carer_overburdened'
            ) then survey.ew_cbs_ggd
            else survey.ew_ggd
        end as weight
    from delivery.survey
    cross join items
)

select
    period,
    supplier,
    line_number,
    municipality_code,
    stratum,
    case when sex in ('M', '1') then 'M' else 'F' end as sex,
    age_group as age_band,
    case education when '1' then 'low' when '2' then 'middle' when '3' then 'high' else 'unknown' end as education,
    item_number,
    item,
    cast(case answer when '1' then 1 when '0' then 0 end as decimal(18, 9)) as answer,
    cast(weight as decimal(18, 9)) as weight
from responses
