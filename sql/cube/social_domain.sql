-- Provisions, euros and clients of the social domain, with the residents of the municipalities that delivered.
-- grain: period, municipality_code, sex, age_band, exclusion
-- persons: resident_count
-- single_party: municipality_code
-- parts: amount_eur by law in cost_{law}_eur, amount_eur_sumsq by law in cost_{law}_eur_sumsq, client_count by law in {law}_client_count
-- keyed as: youth_care_client_count = social_domain_client_count, jeugdwet_client_count = social_domain_client_count, wmo_client_count = social_domain_client_count, municipal_care_client_count = social_domain_client_count, cost_wmo_eur = amount_eur, cost_jeugdwet_eur = amount_eur, municipal_care_eur = amount_eur
-- public: resident_count, person_years, resident_under_25_count
with calendar as (
    select
        make_date($period, 1, 1) as year_start,
        make_date($period + 1, 1, 1) as year_end
),

messages as (
    select
        supplier,
        line_number,
        person_key,
        municipality_code,
        sex,
        age,
        age_band,
        law,
        category,
        start_date,
        until_date,
        end_reason,
        amount_eur,
        row_number() over (
            partition by supplier, municipality_code, allocation_id order by message_seq desc, line_number desc
        ) as message_rank
    from stg.social_domain
    where period = $period
),

provisions as (
    select
        messages.supplier,
        messages.line_number,
        messages.person_key,
        messages.municipality_code,
        messages.sex,
        messages.age_band,
        messages.law,
        messages.category,
        messages.start_date,
        least(messages.until_date, calendar.year_end) as active_until,
        messages.until_date <= calendar.year_end as is_ended,
        messages.end_reason,
        messages.amount_eur,
        case
            when messages.message_rank > 1 then 'superseded'
            when messages.start_date >= calendar.year_end or messages.until_date <= calendar.year_start then 'other_year'
            when messages.age not between 0 and 120 then 'impossible_age'
            else 'none'
        end as exclusion
    from messages
    cross join calendar
),

-- A client counts once per act and once per category, in the municipality of the last provision.
ranked_provisions as (
    select
        person_key,
        municipality_code,
        sex,
        age_band,
        exclusion,
        law,
        category,
        is_ended,
        end_reason,
        amount_eur,
        row_number() over (
            partition by person_key, exclusion, law
            order by active_until desc, start_date desc, supplier, line_number
        ) as rank_in_law,
        row_number() over (
            partition by person_key, exclusion, law, category
            order by active_until desc, start_date desc, supplier, line_number
        ) as rank_in_category,
        row_number() over (
            partition by person_key, exclusion, law in ('Wmo', 'Jeugdwet')
            order by active_until desc, start_date desc, supplier, line_number
        ) as rank_in_care,
        row_number() over (
            partition by person_key, exclusion
            order by active_until desc, start_date desc, supplier, line_number
        ) as rank_in_year,
        row_number() over (
            partition by person_key, exclusion, law, is_ended
            order by active_until desc, start_date desc, supplier, line_number
        ) as rank_in_ends,
        row_number() over (
            partition by person_key, exclusion, law, is_ended, end_reason in ('33', '34')
            order by active_until desc, start_date desc, supplier, line_number
        ) as rank_in_ends_by_reason,
        max(case when category in ('43', '44') then 1 else 0 end) over (partition by person_key, exclusion, law) as has_stay
    from provisions
),

-- Two provisions of one category are one kind of help and do not count as stacking.
stacked_provisions as (
    select
        person_key,
        municipality_code,
        sex,
        age_band,
        exclusion,
        law,
        category,
        is_ended,
        end_reason,
        amount_eur,
        rank_in_law,
        rank_in_category,
        rank_in_care,
        rank_in_year,
        rank_in_ends,
        rank_in_ends_by_reason,
        has_stay,
        sum(case when rank_in_category = 1 then 1 else 0 end) over (partition by person_key, exclusion) as stacked_number
    from ranked_provisions
),

-- The sums of one person in a cell, so that squares are of persons, whatever the number of suppliers.
person_totals as (
    select
        person_key,
        case when exclusion = 'none' then municipality_code else 'unknown' end as municipality_code,
        case when exclusion = 'none' then sex else 'unknown' end as sex,
        case when exclusion = 'none' then age_band else 'unknown' end as age_band,
        exclusion,
        count(*) as provision_count,
        cast(coalesce(sum(amount_eur), 0) as decimal(18, 2)) as amount_eur,
        cast(coalesce(sum(amount_eur) filter (where law = 'Wmo'), 0) as decimal(18, 2)) as cost_wmo_eur,
        cast(coalesce(sum(amount_eur) filter (where law = 'Jeugdwet'), 0) as decimal(18, 2)) as cost_jeugdwet_eur,
        cast(coalesce(sum(amount_eur) filter (where law = 'Participatiewet'), 0) as decimal(18, 2)) as cost_participatiewet_eur,
        count(*) filter (where law = 'Wmo' and rank_in_law = 1) as wmo_client_count,
        count(*) filter (where law = 'Wmo' and category = '01' and rank_in_category = 1) as household_help_client_count,
        count(*) filter (where law = 'Jeugdwet' and rank_in_law = 1) as jeugdwet_client_count,
        count(*) filter (
            where law = 'Jeugdwet' and rank_in_law = 1 and age_band in ('00-04', '05-09', '10-14', '15-19', '20-24')
        ) as youth_care_client_count,
        count(*) filter (where law = 'Participatiewet' and rank_in_law = 1) as participatiewet_client_count,
        count(*) filter (
            where law = 'Jeugdwet' and rank_in_law = 1 and has_stay = 1
            and age_band in ('00-04', '05-09', '10-14', '15-19', '20-24')
        ) as youth_stay_client_count,
        count(*) filter (
            where law = 'Participatiewet' and category = 'income' and rank_in_category = 1
        ) as social_assistance_client_count,
        cast(coalesce(sum(amount_eur) filter (where law in ('Wmo', 'Jeugdwet')), 0) as decimal(18, 2)) as municipal_care_eur,
        count(*) filter (where law in ('Wmo', 'Jeugdwet') and rank_in_care = 1) as municipal_care_client_count,
        count(*) filter (where rank_in_year = 1) as social_domain_client_count,
        count(*) filter (where rank_in_year = 1 and stacked_number >= 2) as stacked_client_count,
        count(*) filter (where law = 'Wmo' and is_ended) as wmo_end_count,
        count(*) filter (where law = 'Wmo' and is_ended and rank_in_ends = 1) as wmo_end_client_count,
        -- The same codes have another meaning under the Jeugdwet.
        count(*) filter (where law = 'Wmo' and is_ended and end_reason in ('33', '34')) as wmo_end_to_zvw_or_wlz_count,
        count(*) filter (
            where law = 'Wmo' and is_ended and end_reason in ('33', '34') and rank_in_ends_by_reason = 1
        ) as wmo_end_to_zvw_or_wlz_client_count
    from stacked_provisions
    group by
        person_key,
        case when exclusion = 'none' then municipality_code else 'unknown' end,
        case when exclusion = 'none' then sex else 'unknown' end,
        case when exclusion = 'none' then age_band else 'unknown' end,
        exclusion
),

provision_totals as (
    select
        municipality_code,
        sex,
        age_band,
        exclusion,
        sum(provision_count) as provision_count,
        sum(provision_count * provision_count) as provision_sumsq,
        sum(amount_eur) as amount_eur,
        sum(cast(amount_eur as decimal(19, 2)) * amount_eur) as amount_eur_sumsq,
        sum(cost_wmo_eur) as cost_wmo_eur,
        sum(cast(cost_wmo_eur as decimal(19, 2)) * cost_wmo_eur) as cost_wmo_eur_sumsq,
        sum(cost_jeugdwet_eur) as cost_jeugdwet_eur,
        sum(cast(cost_jeugdwet_eur as decimal(19, 2)) * cost_jeugdwet_eur) as cost_jeugdwet_eur_sumsq,
        sum(cost_participatiewet_eur) as cost_participatiewet_eur,
        sum(cast(cost_participatiewet_eur as decimal(19, 2)) * cost_participatiewet_eur) as cost_participatiewet_eur_sumsq,
        sum(wmo_client_count) as wmo_client_count,
        sum(household_help_client_count) as household_help_client_count,
        sum(jeugdwet_client_count) as jeugdwet_client_count,
        sum(youth_care_client_count) as youth_care_client_count,
        sum(participatiewet_client_count) as participatiewet_client_count,
        sum(youth_stay_client_count) as youth_stay_client_count,
        sum(social_assistance_client_count) as social_assistance_client_count,
        sum(municipal_care_eur) as municipal_care_eur,
        sum(cast(municipal_care_eur as decimal(19, 2)) * municipal_care_eur) as municipal_care_eur_sumsq,
        sum(municipal_care_client_count) as municipal_care_client_count,
        sum(social_domain_client_count) as social_domain_client_count,
        sum(stacked_client_count) as stacked_client_count,
        sum(wmo_end_count) as wmo_end_count,
        sum(wmo_end_count * wmo_end_count) as wmo_end_sumsq,
        sum(wmo_end_client_count) as wmo_end_client_count,
        sum(wmo_end_to_zvw_or_wlz_count) as wmo_end_to_zvw_or_wlz_count,
        sum(wmo_end_to_zvw_or_wlz_count * wmo_end_to_zvw_or_wlz_count) as wmo_end_to_zvw_or_wlz_sumsq,
        sum(wmo_end_to_zvw_or_wlz_client_count) as wmo_end_to_zvw_or_wlz_client_count
    from person_totals
    group by
        municipality_code,
        sex,
        age_band,
        exclusion
),

-- A municipality may deliver one act and not another; columns of an act that it did not deliver are empty.
deliverers as (
    select
        municipality_code,
        bool_or(law = 'Wmo') as delivered_wmo,
        bool_or(law = 'Jeugdwet') as delivered_jeugdwet,
        bool_or(law = 'Participatiewet') as delivered_participatiewet
    from provisions
    where exclusion = 'none'
    group by municipality_code
),

-- A municipality without a single provision did not deliver: with its residents only, missing would become zero.
resident_totals as (
    select
        municipality_code,
        sex,
        age_band,
        'none' as exclusion,
        sum(resident_count) as resident_count,
        sum(cast(person_years as decimal(38, 9))) as person_years,
        sum(resident_count) filter (
            where age_band in ('00-04', '05-09', '10-14', '15-19', '20-24')
        ) as resident_under_25_count
    from stg.population
    where
        period = $period
        and municipality_code in (select municipality_code from deliverers)
    group by
        municipality_code,
        sex,
        age_band
)

select
    cast($period as integer) as period,
    municipality_code,
    sex,
    age_band,
    exclusion,
    coalesce(provision_totals.provision_count, 0) as provision_count,
    cast(coalesce(provision_totals.provision_sumsq, 0) as decimal(38, 18)) as provision_sumsq,
    cast(coalesce(provision_totals.amount_eur, 0) as decimal(18, 2)) as amount_eur,
    cast(coalesce(provision_totals.amount_eur_sumsq, 0) as decimal(38, 4)) as amount_eur_sumsq,
    case
        when exclusion <> 'none' or delivered_wmo then cast(coalesce(provision_totals.cost_wmo_eur, 0) as decimal(18, 2))
    end as cost_wmo_eur,
    case
        when exclusion <> 'none' or delivered_wmo then cast(coalesce(provision_totals.cost_wmo_eur_sumsq, 0) as decimal(38, 4))
    end as cost_wmo_eur_sumsq,
    case
        when exclusion <> 'none' or delivered_jeugdwet then cast(coalesce(provision_totals.cost_jeugdwet_eur, 0) as decimal(18, 2))
    end as cost_jeugdwet_eur,
    case
        when exclusion <> 'none' or delivered_jeugdwet then cast(coalesce(provision_totals.cost_jeugdwet_eur_sumsq, 0) as decimal(38, 4))
    end as cost_jeugdwet_eur_sumsq,
    case
        when exclusion <> 'none' or delivered_participatiewet then cast(coalesce(provision_totals.cost_participatiewet_eur, 0) as decimal(18, 2))
    end as cost_participatiewet_eur,
    case
        when exclusion <> 'none' or delivered_participatiewet then cast(coalesce(provision_totals.cost_participatiewet_eur_sumsq, 0) as decimal(38, 4))
    end as cost_participatiewet_eur_sumsq,
    case
        when exclusion <> 'none' or delivered_wmo then coalesce(provision_totals.wmo_client_count, 0)
    end as wmo_client_count,
    case
        when exclusion <> 'none' or delivered_wmo then coalesce(provision_totals.household_help_client_count, 0)
    end as wmo_household_help_client_count,
    case
        when exclusion <> 'none' or delivered_jeugdwet then coalesce(provision_totals.youth_care_client_count, 0)
    end as youth_care_client_count,
    case
        when exclusion <> 'none' or delivered_jeugdwet then coalesce(provision_totals.jeugdwet_client_count, 0)
    end as jeugdwet_client_count,
    case
        when exclusion <> 'none' or delivered_participatiewet then coalesce(provision_totals.participatiewet_client_count, 0)
    end as participatiewet_client_count,
    case
        when exclusion <> 'none' or delivered_wmo then coalesce(provision_totals.wmo_end_count, 0)
    end as wmo_end_count,
    case
        when exclusion <> 'none' or delivered_wmo then cast(coalesce(provision_totals.wmo_end_sumsq, 0) as decimal(38, 18))
    end as wmo_end_sumsq,
    case
        when exclusion <> 'none' or delivered_wmo then coalesce(provision_totals.wmo_end_to_zvw_or_wlz_count, 0)
    end as wmo_end_to_zvw_or_wlz_count,
    case
        when exclusion <> 'none' or delivered_wmo then cast(coalesce(provision_totals.wmo_end_to_zvw_or_wlz_sumsq, 0) as decimal(38, 18))
    end as wmo_end_to_zvw_or_wlz_sumsq,
    case
        when exclusion <> 'none' or delivered_wmo then coalesce(provision_totals.wmo_end_client_count, 0)
    end as wmo_end_client_count,
    case
        when exclusion <> 'none' or delivered_wmo then coalesce(provision_totals.wmo_end_to_zvw_or_wlz_client_count, 0)
    end as wmo_end_to_zvw_or_wlz_client_count,
    case
        when exclusion <> 'none' or delivered_jeugdwet then coalesce(provision_totals.youth_stay_client_count, 0)
    end as youth_stay_client_count,
    case
        when exclusion <> 'none' or delivered_participatiewet then coalesce(provision_totals.social_assistance_client_count, 0)
    end as social_assistance_client_count,
    case
        when exclusion <> 'none' or (delivered_wmo and delivered_jeugdwet)
            then cast(coalesce(provision_totals.municipal_care_eur, 0) as decimal(18, 2))
    end as municipal_care_eur,
    case
        when exclusion <> 'none' or (delivered_wmo and delivered_jeugdwet)
            then cast(coalesce(provision_totals.municipal_care_eur_sumsq, 0) as decimal(38, 4))
    end as municipal_care_eur_sumsq,
    case
        when exclusion <> 'none' or (delivered_wmo and delivered_jeugdwet)
            then coalesce(provision_totals.municipal_care_client_count, 0)
    end as municipal_care_client_count,
    case
        when exclusion <> 'none' or (delivered_wmo and delivered_jeugdwet and delivered_participatiewet)
            then coalesce(provision_totals.social_domain_client_count, 0)
    end as social_domain_client_count,
    case
        when exclusion <> 'none' or (delivered_wmo and delivered_jeugdwet and delivered_participatiewet)
            then coalesce(provision_totals.stacked_client_count, 0)
    end as stacked_client_count,
    cast(coalesce(resident_totals.resident_count, 0) as bigint) as resident_count,
    cast(coalesce(resident_totals.person_years, 0) as decimal(38, 9)) as person_years,
    cast(coalesce(resident_totals.resident_under_25_count, 0) as bigint) as resident_under_25_count
from provision_totals
full join resident_totals using (municipality_code, sex, age_band, exclusion)
left join deliverers using (municipality_code)
