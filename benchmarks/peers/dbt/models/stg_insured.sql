select
    person_key,
    municipality_code,
    greatest(valid_from, make_date({{ var('year') }}, 1, 1)) as start_date,
    least(coalesce(valid_to, date '9999-12-31'), make_date({{ var('year') }} + 1, 1, 1)) as until_date
from read_csv(
    '{{ var("insured") }}',
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
