select
    * exclude (amount_cents),
    cast(case debit_credit when 'C' then -amount_cents else amount_cents end * 0.01 as decimal(18, 2)) as amount_eur
from read_parquet('{{ var("claims") }}')
where
    debit_credit in ('D', 'C')
    and start_date between make_date({{ var('year') }}, 1, 1) and make_date({{ var('year') }}, 12, 31)
    and coalesce(end_date >= start_date, true)
    and performance_code <> 'ZZZ'
    and coalesce(previous_reference <> 'R0', true)
