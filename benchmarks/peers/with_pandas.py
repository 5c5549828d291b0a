"""The benchmark question in pandas, in memory."""

import sys

import pandas as pd

insured, claims, year, out = sys.argv[1:]
opens, closes = pd.Timestamp(int(year), 1, 1), pd.Timestamp(int(year) + 1, 1, 1)

spans = pd.read_csv(insured, sep=";", dtype={"sex": "str"}, parse_dates=["valid_from", "valid_to"])
spans = spans[
    ~(spans["valid_to"] <= spans["valid_from"]) & (spans["sex"] != "9") & (spans["municipality_code"] != "GM9999")
]
spans = spans.assign(
    start=spans["valid_from"].clip(lower=opens), until=spans["valid_to"].fillna(closes).clip(upper=closes)
).sort_values(["person_key", "start"])
latest = spans.groupby("person_key")["until"].cummax()
before = latest.shift().where(spans["person_key"] == spans["person_key"].shift())
spans["days"] = (spans["until"] - spans["start"].clip(lower=before.fillna(spans["start"]))).dt.days
days = spans.groupby("person_key")["days"].sum()
home = spans.sort_values("until").groupby("person_key")["municipality_code"].last()

columns = [
    "person_key",
    "performance_code",
    "start_date",
    "end_date",
    "amount_cents",
    "debit_credit",
    "previous_reference",
]
lines = pd.read_parquet(claims, columns=columns, dtype_backend="pyarrow")
for name in ("start_date", "end_date"):
    lines[name] = lines[name].astype("timestamp[s][pyarrow]")
is_valid = (
    lines["debit_credit"].isin(["D", "C"])
    & (lines["start_date"] >= opens)
    & (lines["start_date"] < closes)
    & (lines["end_date"].fillna(lines["start_date"]) >= lines["start_date"])
    & (lines["performance_code"] != "ZZZ")
    & (lines["previous_reference"].fillna("") != "R0")
)
lines = lines[is_valid]
cents = lines["amount_cents"].where(lines["debit_credit"] == "D", -lines["amount_cents"])
cost = cents.groupby(lines["person_key"]).sum().astype("int64")

persons = pd.DataFrame({"municipality_code": home, "days": days})
persons["cents"] = cost.reindex(persons.index).fillna(0)
sums = persons.groupby("municipality_code")[["days", "cents"]].sum()
result = pd.DataFrame({"insured_years": sums["days"] / (closes - opens).days, "amount_eur": sums["cents"] / 100})
result.to_csv(out)
