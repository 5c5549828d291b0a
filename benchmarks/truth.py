"""The true value of indicators, from the true sums: what a run on the deliveries has to come to.

Not here: the sums (``nation/truth.sql`` and what stands beside it). The formulas are written out once more: nothing of
the monitor's own is used. Which indicators, and of which sums, is told by ``nation/indicators.csv``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
STANDARDS = HERE.parent / "reference" / "standards"
REGION = ["period", "region_code"]
COUNTRY = "NL01"


def true_values(truth: pd.DataFrame) -> pd.DataFrame:
    """Each indicator by year for the country and every municipality, as far as its sums were made."""
    country = truth.assign(municipality_code=COUNTRY)
    cells = pd.concat([truth, country]).rename(columns={"municipality_code": "region_code"})
    wide = cells.pivot_table(index=[*REGION, "sex", "age_band"], columns="measure", values="value", aggfunc="sum")
    wide = wide.fillna(0).reset_index()
    wide["from_age"] = wide["age_band"].str[:2].astype(int)
    wanted = _every_kind(pd.read_csv(HERE / "nation" / "indicators.csv"), truth)
    parts = [
        _value(row, wide).assign(indicator_id=row.indicator_id, segment=row.segment) for row in wanted.itertuples()
    ]
    values = pd.concat(parts, ignore_index=True).dropna(subset="value")
    return values[["indicator_id", "segment", *REGION, "value"]]


def _every_kind(wanted: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The rows whose sums there are, those of a kind of care once for each kind."""
    measures = set(truth["measure"])
    wanted = wanted.assign(segment=wanted["segment"].fillna("all"))
    of_kind = wanted["segment"] == "{care_kind}"
    kinds = sorted(name[5:-6] for name in measures if name.startswith("user_"))
    each = [wanted[of_kind].replace({"{care_kind}": kind}, regex=True) for kind in kinds]
    told = pd.concat([wanted[~of_kind], *each], ignore_index=True)
    return told[told["numerator"].isin(measures) & told["denominator"].isin(measures)]


def _value(row: tuple, cells: pd.DataFrame) -> pd.DataFrame:  # type: ignore[type-arg]
    """One indicator by year and region."""
    cells = cells[~(cells["from_age"] < row.from_age) & ~(cells["from_age"] >= row.below_age)]
    sums = cells[[*REGION, "sex", "age_band"]].assign(over=cells[row.numerator], under=cells[row.denominator])
    if row.standard == "country":
        country = sums[sums["region_code"] == COUNTRY].assign(rate=lambda rows: rows["over"] / rows["under"])
        sums = sums.merge(country[["period", "sex", "age_band", "rate"]])
        sums["under"] *= sums["rate"]
    elif isinstance(row.standard, str):
        # The weight of an age is that of each sex; where nobody is at risk, it is left out.
        standard = pd.read_csv(STANDARDS / f"{row.standard}.csv").set_index("age_band")["weight"]
        weight = sums["age_band"].map(standard).where(sums["under"] > 0)
        sums["over"], sums["under"] = weight * sums["over"] / sums["under"], weight
    totals = sums.groupby(REGION)[["over", "under"]].sum()
    if row.pool > 1:
        years = totals.groupby("region_code").rolling(int(row.pool)).sum()
        totals = years.droplevel(0)
    values = row.per * totals["over"] / totals["under"].where(totals["under"] > 0)
    if row.is_growth == 1:
        values = row.per * (values / values.groupby("region_code").shift() - 1)
    return values.rename("value").reset_index()
