-- Published percentages of the adult health survey, with the names of our survey items.
-- grain: period, supplier, line_number
select
    period,
    supplier,
    line_number,
    region_code,
    age_group as age_band,
    case indicator
        when 'Aantal respondenten' then 'respondents'
        when 'Goede ervaren gezondheid' then 'good_self_rated_health'
        when 'Minimaal 1 ziekte of aandoening, voor minimaal 6 maanden' then 'chronic_illness'
        when 'Ernstig overgewicht (obesitas)' then 'obesity'
        when 'Roker' then 'smoking'
        when 'Is sterk eenzaam' then 'severe_loneliness'
        when 'Heeft hoog risico op angststoornis of depressie' then 'high_risk_anxiety_depression'
        when 'Zware drinker' then 'heavy_drinking'
        when 'Voldoet aan de beweegrichtlijn' then 'physical_activity'
        when 'Minimaal 6 maanden (ernstig) beperkt in het dagelijks leven vanwege problemen gezondheid'
            then 'activity_limitation'
        when '(Zeer) lage veerkracht' then 'low_resilience'
        when 'Heeft matig of veel regie over eigen leven' then 'mastery'
        when 'Laatste 12 maanden moeite met rondkomen van het huishoudinkomen' then 'difficulty_making_ends_meet'
        when 'Voelt zich redelijk zwaar belast, erg zwaar belast of overbelast als mantelzorger'
            then 'informal_carer_overburdened'
        else 'not_followed'
    end as item,
    value as percent,
    case suppression
        when '*' then 'fewer than 5 answers'
        when '~' then 'fewer than 50 respondents'
    end as suppression
from delivery.ggd_results
