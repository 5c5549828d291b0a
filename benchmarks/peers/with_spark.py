"""The benchmark question in Spark SQL, on a local session with two cores."""

import csv
import sys
from pathlib import Path

from pyspark.sql import SparkSession

insured, claims, year, out = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.memory", "4g")
    .config("spark.sql.shuffle.partitions", "8")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
schema = (
    "person_key string, valid_from date, valid_to date, birth_year int, sex string, municipality_code string, "
    "ses_quintile string, death_date date"
)
spark.read.csv(insured, sep=";", header=True, schema=schema).createOrReplaceTempView("insured")
spark.read.parquet(claims).createOrReplaceTempView("claims")
result = spark.sql(
    f"""
    with spans as (
        select
            person_key,
            municipality_code,
            greatest(valid_from, make_date({int(year)}, 1, 1)) as start_date,
            least(coalesce(valid_to, date '9999-12-31'), make_date({int(year) + 1}, 1, 1)) as until_date
        from insured
        where coalesce(valid_to > valid_from, true) and sex <> '9' and municipality_code <> 'GM9999'
    ),
    counted_spans as (
        select
            person_key,
            municipality_code,
            until_date,
            datediff(until_date, greatest(start_date, coalesce(max(until_date) over (
                partition by person_key order by start_date rows between unbounded preceding and 1 preceding
            ), start_date))) as day_count
        from spans
    ),
    persons as (
        select person_key, max_by(municipality_code, until_date) as municipality_code, sum(day_count) as day_count
        from counted_spans group by person_key
    ),
    costs as (
        select person_key, sum(case debit_credit when 'C' then -amount_cents else amount_cents end) as cents
        from claims
        where
            debit_credit in ('D', 'C')
            and start_date between make_date({int(year)}, 1, 1) and make_date({int(year)}, 12, 31)
            and coalesce(end_date >= start_date, true)
            and performance_code <> 'ZZZ'
            and coalesce(previous_reference <> 'R0', true)
        group by person_key
    )
    select
        municipality_code,
        sum(day_count) / datediff(make_date({int(year) + 1}, 1, 1), make_date({int(year)}, 1, 1)) as insured_years,
        coalesce(sum(cents), 0) / 100 as amount_eur
    from persons left join costs using (person_key)
    group by municipality_code
    order by municipality_code
    """
).collect()
with Path(out).open("w", newline="") as file:
    csv.writer(file).writerows([("municipality_code", "insured_years", "amount_eur"), *result])
# Spark runs in another process; waiting for it adds its time and memory to this process.
engine = spark.sparkContext._gateway.proc
spark.stop()
engine.stdin.close()
engine.wait()
