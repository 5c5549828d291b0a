"""The true value of indicators, from the true sums: what a run on the deliveries has to come to.

Not here: the sums (``model/truth.sql`` and what stands beside it), the formulas that are no ratio (``formulas``).
Nothing of the monitor's own is used. Which indicators, and of which sums, is told by ``model/indicators.csv``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from triple_aim.synthetic.formulas import (
    Floats,
    concentration,
    contribution,
    erreygers,
    fitted_ends,
    over,
    systematic_variation,
    years_to_live,
)
from triple_aim.synthetic.tables import REFERENCE, read

REGION = ["period", "region_code"]
CELL = ["sex", "age_band"]
COUNTRY = "NL01"
FIFTHS = range(1, 6)
CONDITION_COUNTS = range(4)  # the last is three or more
SURVEYED_AGES = {"18-64": (18, 65), "65+": (65, 200)}
GOOD_HEALTH = ["klgga208_yes_count", "klgga208_asked_count"]
EDUCATION = (1, 3)  # low and high
LEAST_PLACES = 5  # fewer say nothing of variation
ACTS = ("wmo", "jeugdwet", "participatiewet")
WINDOW = 5  # years of a trend

Row = Any  # of indicators.csv


def true_values(truth: pd.DataFrame) -> pd.DataFrame:
    """Each indicator by year for the country and every municipality, as far as its sums were made."""
    country = truth.assign(municipality_code=COUNTRY)
    cells = pd.concat([truth, country]).rename(columns={"municipality_code": "region_code"})
    wide = cells.pivot_table(index=[*REGION, *CELL], columns="measure", values="value", aggfunc="sum")
    wanted = _every_kind(read("indicators"), truth)
    wide = wide.fillna(0).reset_index()
    # No limit of age leaves out the ages of surveys.
    wide["from_age"] = wide["age_band"].str[:2].astype(float).mask(wide["age_band"].isin(SURVEYED_AGES))
    parts = [
        _value(row, wide).assign(indicator_id=row.indicator_id, segment=row.segment) for row in wanted.itertuples()
    ]
    values = pd.concat(parts, ignore_index=True).dropna(subset="value")
    return values[["indicator_id", "segment", *REGION, "value"]]


def _every_kind(wanted: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The rows whose sums there are, those of a kind of care once for each kind."""
    measures = set(truth["measure"])
    wanted = wanted.assign(segment=wanted["segment"].fillna("all"), method=wanted["method"].fillna("ratio"))
    of_kind = wanted["segment"] == "{care_kind}"
    each = [wanted[of_kind].replace({"{care_kind}": kind}, regex=True) for kind in _kinds(measures)]
    told = pd.concat([wanted[~of_kind], *each], ignore_index=True)
    return told[told["denominator"].isin(measures)]


def _kinds(measures: set[str] | pd.Index[str]) -> list[str]:
    return sorted(name[5:-6] for name in measures if name.startswith("user_"))


def _value(row: Row, cells: pd.DataFrame) -> pd.DataFrame:
    """One indicator by year and region."""
    cells = cells[~(cells["from_age"] < row.from_age) & ~(cells["from_age"] >= row.below_age)]
    return (row.per * METHODS[row.method](row, cells)).rename("value").rename_axis(REGION).reset_index()


def _sums(cells: pd.DataFrame, over: str, under: str) -> pd.DataFrame:
    """Of what never happened no sum was made."""
    return cells[[*REGION, *CELL]].assign(over=cells.get(over, 0), under=cells.get(under, 0))


def _ratio(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    return _level(_sums(cells, row.numerator, row.denominator), row.standard, row.pool)


def _level(sums: pd.DataFrame, standard: Any, pool: float = 1) -> pd.Series[float]:
    """Over by under of each region: as they are, by the weights of a standard, or against the country."""
    if standard == "country":
        sums = sums.assign(under=_expected(sums))
    elif isinstance(standard, str):
        # The weight of an age is that of each sex; where nobody is at risk, it is left out.
        weight = sums["age_band"].map(_standard(standard)).where(sums["under"] > 0)
        sums = sums.assign(over=weight * sums["over"] / sums["under"], under=weight)
    totals = _pooled(sums.groupby(REGION)[["over", "under"]].sum(), pool)
    return totals["over"] / totals["under"].where(totals["under"] > 0)


def _expected(sums: pd.DataFrame) -> pd.Series[float]:
    """What would have come over if each stratum had the country's rate."""
    strata = [name for name in sums if name not in ("region_code", "over", "under")]
    country = sums[sums["region_code"] == COUNTRY].set_index(strata)
    rate = (country["over"] / country["under"]).rename("rate")
    return sums["under"] * sums.join(rate, on=strata)["rate"]


def _standard(name: str) -> pd.Series[float]:
    """Weights of a standard population by five years of age, and by the ages of surveys."""
    weights = pd.read_csv(REFERENCE / "standards" / f"{name}.csv").set_index("age_band")["weight"]
    first = weights.index.str[:2].astype(int)
    within = {
        band: weights @ (np.minimum(first + 5, below) - np.maximum(first, above)).to_numpy().clip(0) / 5
        for band, (above, below) in SURVEYED_AGES.items()
    }
    return pd.concat([weights, pd.Series(within)])


def _pooled(totals: pd.DataFrame, pool: float) -> pd.DataFrame:
    """Each year with those before it, as many as are pooled."""
    return _every_year(totals).rolling(int(pool)).sum().stack("region_code") if pool > 1 else totals


def _every_year(values: pd.DataFrame | pd.Series[float]) -> pd.DataFrame:
    """Regions in columns, and a row for every year between the first and the last."""
    wide = values.unstack("region_code")
    return wide.reindex(pd.RangeIndex(wide.index.min(), wide.index.max() + 1, name="period"))


def _life_table(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    deaths, years = (_by_age(cells, name, row.pool) for name in (row.numerator, row.denominator))
    values = years_to_live(deaths.to_numpy(), years.to_numpy(), np.array(years.columns, dtype=float))
    return pd.Series(values, years.index)


def _healthy_life_table(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Ages have the share of those they were surveyed with, in the latest survey of the years that are pooled."""
    deaths, years = (_by_age(cells, name, row.pool) for name in (row.numerator, row.denominator))
    ages = np.array(years.columns, dtype=float)
    shares = [
        _every_year(_level(_sums(cells[cells["age_band"] == band], *GOOD_HEALTH), None))
        .ffill(limit=int(row.pool) - 1)
        .stack()
        .reindex(years.index)
        for band in SURVEYED_AGES
    ]
    healthy = np.where(ages < SURVEYED_AGES["65+"][0], *(share.to_numpy()[:, None] for share in shares))
    return pd.Series(years_to_live(deaths.to_numpy(), years.to_numpy(), ages, healthy), years.index)


def _by_age(cells: pd.DataFrame, column: str, pool: float) -> pd.DataFrame:
    """Both sexes together, with ages in columns."""
    return _pooled(cells.pivot_table(index=REGION, columns="from_age", values=column, aggfunc="sum"), pool)


def _over_fifths(index: Callable[[Floats, Floats], Floats]) -> Callable[[Row, pd.DataFrame], pd.Series[float]]:
    """An index of the levels of the fifths and of how many are in each, which no municipality has."""

    def method(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
        cells = cells[cells["region_code"] == COUNTRY]
        sums = [_sums(cells, f"fifth_{n}_{row.numerator}", f"fifth_{n}_{row.denominator}") for n in FIFTHS]
        levels = pd.concat([_level(each, row.standard) for each in sums], axis=1)
        sizes = pd.concat([each.groupby(REGION)["under"].sum() for each in sums], axis=1)
        return pd.Series(index(levels.to_numpy(), sizes.to_numpy()), levels.index)

    return method


def _slope(value: Floats, population: Floats) -> Floats:
    lowest, highest = fitted_ends(value, population)
    return highest - lowest


def _relative(value: Floats, population: Floats) -> Floats:
    lowest, highest = fitted_ends(value, population)
    return over(highest, lowest)


def _case_mix(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Strata by the number of conditions too."""
    parts = [
        _sums(cells, f"conditions_{n}_{row.numerator}", f"conditions_{n}_{row.denominator}").assign(condition_count=n)
        for n in CONDITION_COUNTS
    ]
    return _level(pd.concat(parts, ignore_index=True), "country")


def _variation(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Between the municipalities, of the country; of five or more."""
    sums = _sums(cells, row.numerator, row.denominator)
    sums = sums.assign(expected=_expected(sums))[sums["region_code"] != COUNTRY]
    by_place = sums.groupby(REGION)[["over", "expected"]].sum().unstack()
    values = systematic_variation(by_place["over"].to_numpy(), by_place["expected"].to_numpy())
    few = len(by_place["over"].columns) < LEAST_PLACES
    return pd.DataFrame({COUNTRY: values * (np.nan if few else 1)}, by_place.index).stack()


def _gap(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """High education less low."""
    low, high = (
        _level(_sums(cells, *(f"education_{code}_{name}" for name in (row.numerator, row.denominator))), None)
        for code in EDUCATION
    )
    return high - low


def _grossed_up(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """As if the residents of each municipality cost what its insured do."""
    places = cells[cells["region_code"] != COUNTRY].groupby(REGION)
    sums = places[[row.numerator, "insured_years", row.denominator]].sum()
    residents = sums[row.denominator]
    totals = pd.DataFrame({"over": sums[row.numerator] / sums["insured_years"] * residents, "under": residents})
    country = totals.groupby("period").sum().assign(region_code=COUNTRY).set_index("region_code", append=True)
    return pd.concat([totals, country]).eval("over / under")


def _all_acts(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Euros under the acts of the social domain, and those of the insured beside them."""
    acts = [_level(_sums(cells, f"cost_{act}_eur", row.denominator), None) for act in ACTS]
    return sum(acts, _grossed_up(row, cells))


def _growth(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Growth a year since the year before, or since a base year."""
    breaks = pd.read_csv(REFERENCE / "breaks" / "series_breaks.csv")
    breaks = breaks[breaks["source"].str.split().map(lambda names: "claims" in names) & ~breaks["comparable"]]
    parts = _parts(row, cells)
    periods = parts.index.unique("period")
    pairs = [(end - 1 if np.isnan(row.since) else int(row.since), end) for end in periods]
    grown = {}
    for start, end in pairs:
        if start not in periods or start >= end:
            continue
        broken = breaks[breaks["first_year"].between(start + 1, end)]["column_or_kind"].str.split().explode()
        kept = [kind for kind in parts if not broken.isin([kind, "all"]).any()]
        ratio = parts.loc[end][kept].sum(axis=1) / parts.loc[start][kept].sum(axis=1)
        grown[end] = ratio ** (1 / (end - start)) - 1
    return pd.concat(grown) if grown else pd.Series(index=parts.index[:0], dtype=float)


def _trend(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """The slope of a line through the logarithms of a window of years, as growth a year."""
    levels = np.log(_every_year(_parts(row, cells)["all"]))
    away = np.arange(WINDOW) - (WINDOW - 1) / 2
    slope = sum(distance * levels.shift(WINDOW - 1 - year) for year, distance in enumerate(away)) / (away**2).sum()
    return np.expm1(slope).stack()


def _parts(row: Row, cells: pd.DataFrame) -> pd.DataFrame:
    """Euros per insured year of everything, or of each kind of care where breaks are taken out."""
    if row.segment == "break_adjusted":
        names = {kind: f"cost_{kind}_eur" for kind in _kinds(cells.columns)}
        return pd.DataFrame({k: _level(_sums(cells, name, row.denominator), None) for k, name in names.items()})
    levels = _ratio(row, cells)
    if row.segment == "real":
        prices = pd.read_csv(REFERENCE / "prices" / "cpi.csv").set_index("year")["index"]
        levels = levels / levels.index.get_level_values("period").map(prices)
    return levels.to_frame("all")


def _change(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Euros per insured year more than the year before: the whole, or what one factor adds to it."""
    factors, loose, index = _factors(row, cells)
    before = index.get_indexer(pd.MultiIndex.from_arrays([index.get_level_values(0) - 1, index.get_level_values(1)]))
    then, now = before[before >= 0], np.flatnonzero(before >= 0)
    if row.segment in factors:
        sides = ({name: factor[rows] for name, factor in factors.items()} for rows in (then, now))
        change = contribution(row.segment, *sides)
    elif row.segment == "unattributed":
        change = loose[now] - loose[then]
    else:
        level = _ratio(row, cells).reindex(index).to_numpy()
        change = level[now] - level[then]
    return pd.Series(change, index[now])


def _factors(row: Row, cells: pd.DataFrame) -> tuple[dict[str, Floats], Floats, pd.MultiIndex]:
    """What euros per insured year are the product of, in strata and kinds of care, and the euros without an act."""

    def table(name: str) -> pd.DataFrame:
        return cells.pivot_table(index=REGION, columns=CELL, values=name, aggfunc="sum", fill_value=0)

    exposure = table(row.denominator)
    kinds = _kinds(cells.columns)
    users, acts, euros = (
        np.stack([table(name.format(kind)).to_numpy(float) for kind in kinds], axis=-1)
        for name in ("user_{}_count", "line_{}_count", "cost_{}_eur")
    )
    years = np.broadcast_to(exposure.to_numpy(float)[..., None], euros.shape)
    everybody = years[..., 0].sum(axis=-1)[:, None, None]
    loose = np.where(acts == 0, euros, 0)
    factors = {
        "structure": over(years, everybody),
        "use": over(users, years),
        "volume": over(acts, users),
        "price": over(euros - loose, acts),
    }
    flat = {name: factor.reshape(len(exposure), -1) for name, factor in factors.items()}
    return flat, (loose / everybody).sum(axis=(1, 2)), exposure.index


Method = Callable[[Row, pd.DataFrame], "pd.Series[float]"]
METHODS: dict[str, Method] = {
    "ratio": _ratio,
    "life_table": _life_table,
    "healthy_life_table": _healthy_life_table,
    "case_mix": _case_mix,
    "gap": _gap,
    "grossed_up": _grossed_up,
    "all_acts": _all_acts,
    "growth": _growth,
    "trend": _trend,
    "change": _change,
    "variation": _variation,
    "slope": _over_fifths(_slope),
    "relative": _over_fifths(_relative),
    "concentration": _over_fifths(concentration),
    "erreygers": _over_fifths(erreygers),
}
