"""The benchmark question in polars, lazy, on the streaming engine."""

import datetime
import sys

import polars as pl
from polars import col

insured, claims, year, out = sys.argv[1:]
opens, closes = datetime.date(int(year), 1, 1), datetime.date(int(year) + 1, 1, 1)

spans = (
    pl.scan_csv(
        insured, separator=";", schema_overrides={"sex": pl.String, "ses_quintile": pl.String}, try_parse_dates=True
    )
    .filter(
        (col("valid_to") > col("valid_from")).fill_null(True)
        & (col("sex") != "9")
        & (col("municipality_code") != "GM9999")
    )
    .with_columns(
        start=pl.max_horizontal("valid_from", pl.lit(opens)), until=pl.min_horizontal("valid_to", pl.lit(closes))
    )
    .sort("person_key", "start")
    .with_columns(before=col("until").cum_max().shift(1).over("person_key"))
    .with_columns(days=(col("until") - pl.max_horizontal("start", "before")).dt.total_days())
)
persons = spans.group_by("person_key").agg(col("municipality_code").sort_by("until").last(), col("days").sum())
costs = (
    pl.scan_parquet(claims)
    .filter(
        col("debit_credit").is_in(["D", "C"])
        & col("start_date").is_between(opens, closes, closed="left")
        & (col("end_date") >= col("start_date")).fill_null(True)
        & (col("performance_code") != "ZZZ")
        & (col("previous_reference") != "R0").fill_null(True)
    )
    .group_by("person_key")
    .agg(cents=pl.when(col("debit_credit") == "C").then(-col("amount_cents")).otherwise(col("amount_cents")).sum())
)
result = (
    persons.join(costs, on="person_key", how="left")
    .group_by("municipality_code")
    .agg(insured_years=col("days").sum() / (closes - opens).days, amount_eur=col("cents").fill_null(0).sum() / 100)
    .sort("municipality_code")
)
result.collect(engine="streaming").write_csv(out)
