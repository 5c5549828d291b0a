-- Every service to a person in this chunk once, with its true amount and the defect or correction of its claim.
-- grain: person, care_row, occasion
with drawn as (
    select
        person,
        occasion,
        event,
        care_row,
        care_kind,
        performance_code,
        nights,
        case when is_dying then $opens + last_day - 1 end as death_date,
        codes.code,
        case performance_code when 'RX' then cast(doses as double) end as ddd_quantity,
        -- No service falls in the gap of twenty days, which is not insured.
        $opens + cast(
            first_day + position + case when break_kind = 'gap' and first_day + position >= break_day then 20 else 0 end
            as integer
        ) as start_date,
        person_key,
        municipality_code,
        sex,
        age_band,
        greatest(1, cast(round(100 * euro * price * (0.4 - 0.6 * ln(draw(event, 2 + 50 * care_row)))) as bigint)) as cents,
        1 + cast(floor(-booking_days * ln(draw(event, 3) * draw(event, 4))) as integer) as delay,
        draw(event, 5) as defect_draw,
        draw(event, 6) as correction_draw
    from occasions
    inner join insured using (person)
    inner join care using (care_row)
    inner join prices using (care_kind, age_band, sex)
    left join codes
        on codes.care_row = occasions.care_row
        and codes.code_number = cast(floor(draw(event, 7) * care.code_count) as integer)
),

booked as (
    select
        *,
        -- A stay ends with death.
        case
            when nights > 0
                then least(start_date + 1 + cast(floor(draw(event, 8) * 2 * nights) as integer), death_date)
        end as end_date,
        coalesce(end_date, start_date) + delay as booking_date,
        booking_date + 30 + cast(floor(draw(event, 9) * 120) as integer) as correction_date,
        case
            when defect_draw < $unknown_person then 'unknown_person'
            when defect_draw < $unknown_person + $other_year then 'other_year'
            when defect_draw < $unknown_person + $other_year + $bad_lines * 0.25 then 'ends_before'
            when defect_draw < $unknown_person + $other_year + $bad_lines * 0.50 then 'unlisted_code'
            when defect_draw < $unknown_person + $other_year + $bad_lines * 0.75 then 'unknown_sign'
            when defect_draw < $unknown_person + $other_year + $bad_lines then 'unknown_reference'
            else 'none'
        end as defect
    from drawn
)

select
    person,
    care_row,
    occasion,
    event,
    person_key,
    municipality_code,
    sex,
    age_band,
    care_kind,
    performance_code,
    code,
    start_date,
    end_date,
    booking_date,
    correction_date,
    ddd_quantity,
    cents,
    case
        when care_kind <> 'general_practice' then 'A' || substr(municipality_code, 3) || care_row % 10
        when draw(event, 12) < 0.82 then 'H' || substr(municipality_code, 3) || person % 8
        else 'H' || substr(municipality_code, 3) || event % 8
    end as provider_code,
    defect,
    case
        when defect <> 'none' or correction_draw >= $corrected then 'none'
        when correction_draw < $corrected * 0.1 then 'half'
        when correction_draw < $corrected * 0.55 then 'whole'
        else 'again'
    end as eventual_correction,
    -- A correction after the day of delivery is not delivered.
    case when correction_date > $delivered then 'none' else eventual_correction end as correction,
    booking_date <= $delivered as is_delivered
from booked
