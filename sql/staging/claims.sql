-- Claim lines with signed euros, half-open dates and the activity of the performance code.
-- grain: period, supplier, line_number
select
    claims.period,
    claims.supplier,
    claims.line_number,
    claims.person_key,
    claims.care_kind,
    activities.activity,
    upper(replace(claims.diagnosis_icd10, '.', '')) as diagnosis_icd10,
    claims.atc_code,
    claims.start_date,
    coalesce(claims.end_date, claims.start_date) + 1 as until_date,
    claims.booking_date,
    claims.provider_code,
    claims.ddd_quantity,
    claims.debit_credit,
    claims.reference_number,
    claims.previous_reference,
    -- Times 0.01, because a decimal divided by 100 is a double in DuckDB and a decimal in Spark.
    cast(
        cast(case claims.debit_credit when 'C' then -claims.amount_cents else claims.amount_cents end as decimal(18, 2))
        * 0.01 as decimal(18, 2)
    ) as amount_eur
from delivery.claims
left join ref.activities on activities.performance_code = claims.performance_code
