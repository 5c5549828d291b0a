-- Euros and claim lines by month of care and months until booking, for the run-off of a year.
-- grain: period, municipality_code, service_month, delay_month, exclusion
with booked_lines as (
    select
        coalesce(members.municipality_code, 'unknown') as municipality_code,
        month(lines.start_date) as service_month_number,
        (year(lines.booking_date) - year(lines.start_date)) * 12 + month(lines.booking_date) - month(lines.start_date)
            as delay_in_months,
        lines.exclusion,
        count(*) as claim_line_count,
        sum(lines.amount_eur) as amount_eur
    from person.care_lines as lines
    left join person.insured_members as members
        on members.period = $period
        and members.person_number = lines.person_number
        and members.exclusion = lines.exclusion
    where lines.period = $period
    group by
        coalesce(members.municipality_code, 'unknown'),
        month(lines.start_date),
        (year(lines.booking_date) - year(lines.start_date)) * 12 + month(lines.booking_date) - month(lines.start_date),
        lines.exclusion
),

-- A booking before the start of care has delay 0; two digits cover more than eight years.
labelled_lines as (
    select
        municipality_code,
        lpad(cast(service_month_number as varchar), 2, '0') as service_month,
        case
            when delay_in_months is null then 'unknown'
            else lpad(cast(least(greatest(delay_in_months, 0), 99) as varchar), 2, '0')
        end as delay_month,
        case when exclusion = 'none' and delay_in_months is null then 'no_booking_date' else exclusion end as exclusion,
        claim_line_count,
        amount_eur
    from booked_lines
)

select
    cast($period as integer) as period,
    municipality_code,
    service_month,
    delay_month,
    exclusion,
    sum(claim_line_count) as claim_line_count,
    cast(sum(amount_eur) as decimal(18, 2)) as amount_eur
from labelled_lines
group by
    municipality_code,
    service_month,
    delay_month,
    exclusion
