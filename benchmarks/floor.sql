-- The minimum work: insured years and cost by municipality, directly from the delivered files.
-- grain: municipality_code
--
-- Correct for these deliveries only: no row is typed, set aside, counted or reconciled, and the unknown reference is found
-- by its name (R0). Rows that break a rule are left out and credits are subtracted; both give the true sums.
with spans as (
    select
        person_key,
        municipality_code,
        greatest(valid_from, make_date($year, 1, 1)) as start_date,
        least(coalesce(valid_to, date '9999-12-31'), make_date($year + 1, 1, 1)) as until_date
    from read_csv(
        $insured,
        delim = ';',
        header = true,
        auto_detect = false,
        columns = {
            'person_key': 'varchar', 'valid_from': 'date', 'valid_to': 'date', 'birth_year': 'integer', 'sex': 'varchar',
            'municipality_code': 'varchar', 'ses_quintile': 'varchar', 'death_date': 'date'
        }
    )
    where
        coalesce(valid_to > valid_from, true)
        and sex <> '9'
        and municipality_code <> 'GM9999'
),

-- A day in two overlapping stretches of one person counts once.
counted_spans as (
    select
        person_key,
        municipality_code,
        until_date,
        date_diff('day', greatest(start_date, coalesce(max(until_date) over (
            partition by person_key order by start_date rows between unbounded preceding and 1 preceding
        ), start_date)), until_date) as day_count
    from spans
),

persons as (
    select
        person_key,
        arg_max(municipality_code, until_date) as municipality_code,
        sum(day_count) as day_count
    from counted_spans
    group by person_key
),

costs as (
    select
        person_key,
        sum(case debit_credit when 'C' then -amount_cents else amount_cents end) as cents
    from read_parquet($claims)
    where
        debit_credit in ('D', 'C')
        and start_date between make_date($year, 1, 1) and make_date($year, 12, 31)
        and coalesce(end_date >= start_date, true)
        and performance_code <> 'ZZZ'
        and coalesce(previous_reference <> 'R0', true)
    group by person_key
)

select
    municipality_code,
    sum(day_count) / date_diff('day', make_date($year, 1, 1), make_date($year + 1, 1, 1)) as insured_years,
    coalesce(sum(cents), 0) * 0.01 as amount_eur
from persons
left join costs using (person_key)
group by municipality_code
order by municipality_code
