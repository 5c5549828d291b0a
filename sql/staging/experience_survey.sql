-- Answers to the region's own questionnaire, one per row: a score, or 1 for yes and 0 for no; 8 and 9 are no answer.
-- grain: period, supplier, line_number, item
with items as (
    select
        item_number,
        item
    from (
        values
        (1, 'sf12_physical'),
        (2, 'sf12_mental'),
        (3, 'patient_activation'),
        (4, 'gp_rating'),
        (5, 'net_promoter_score'),
        (6, 'experienced_coordination'),
        (7, 'shared_decision_making')
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
        survey.weight,
        items.item_number,
        items.item,
        case items.item
            when 'sf12_physical' then survey.sf12_physical
            when 'sf12_mental' then survey.sf12_mental
            when 'patient_activation' then survey.pam13
            when 'gp_rating' then survey.gp_rating
            -- The mean of these values is the share of promoters minus the share of detractors.
            when
                'net_promoter_score' then
                case
                    when survey.recommendation >= 9 then 100
                    when survey.recommendation <= 6 then -100
                    when survey.recommendation is not null then 0
                end
            when 'experienced_coordination' then survey.coordination
            when 'shared_decision_making' then case survey.shared_decision when '1' then 1 when '0' then 0 end
        end as answer
    from delivery.experience_survey as survey
    cross join items
)

select
    period,
    supplier,
    line_number,
    municipality_code,
    stratum,
    sex,
    age_group as age_band,
    case education when '1' then 'low' when '2' then 'middle' when '3' then 'high' else 'unknown' end as education,
    item_number,
    item,
    cast(answer as decimal(18, 9)) as answer,
    cast(weight as decimal(18, 9)) as weight
from responses
