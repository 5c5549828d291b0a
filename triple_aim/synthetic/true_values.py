"""The true value of each indicator, computed from the true sums; a run on the deliveries must reproduce it.

Not here: the sums (``model/truth.sql`` and the other queries), or formulas other than ratios (``formulas``). The code
shares nothing with the monitor. ``model/indicators.csv`` lists the indicators and their sums.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from triple_aim.synthetic.formulas import (
    Floats,
    concentration,
    divide,
    erreygers,
    factor_contribution,
    fitted_ends,
    life_expectancy,
    systematic_variation,
)
from triple_aim.synthetic.tables import REFERENCE, read

REGION = ["period", "region_code"]
CELL = ["sex", "age_band"]
COUNTRY = "NL01"
FIFTHS = range(1, 6)
CONDITION_COUNTS = range(4)  # the last one: three or more
SURVEYED_AGES = {"18-64": (18, 65), "65+": (65, 200)}
GOOD_HEALTH = ["klgga208_yes_count", "klgga208_asked_count"]
EDUCATION = (1, 3)  # low and high
MINIMUM_PLACES = 5  # for systematic variation
ACTS = ("wmo", "jeugdwet", "participatiewet")
TREND_YEARS = 5


class Row(NamedTuple):
    """A row of ``model/indicators.csv``; an empty field is nan."""

    indicator_id: str
    segment: str
    numerator: str
    denominator: str
    per: float
    standard: str | float
    from_age: float
    below_age: float
    pool: float
    since: float
    method: str


def true_values(truth: pd.DataFrame) -> pd.DataFrame:
    """Each indicator whose sums were generated, by year, for the country and every municipality."""
    country = truth.assign(municipality_code=COUNTRY)
    cells = pd.concat([truth, country]).rename(columns={"municipality_code": "region_code"})
    wide = cells.pivot_table(index=[*REGION, *CELL], columns="measure", values="value", aggfunc="sum")
    indicators = _computable(read("indicators"), truth)
    wide = wide.fillna(0).reset_index()
    # Limits of age do not apply to the age groups of surveys.
    wide["from_age"] = wide["age_band"].str[:2].astype(float).mask(wide["age_band"].isin(SURVEYED_AGES))
    rows = [Row(*values) for values in indicators[list(Row._fields)].itertuples(index=False, name=None)]
    parts = [_value(row, wide).assign(indicator_id=row.indicator_id, segment=row.segment) for row in rows]
    values = pd.concat(parts, ignore_index=True).dropna(subset="value")
    return values[["indicator_id", "segment", *REGION, "value"]]


def _computable(indicators: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The rows whose sums exist; rows per kind of care are repeated for each kind."""
    measures = set(truth["measure"])
    segment, method = indicators["segment"].fillna("all"), indicators["method"].fillna("ratio")
    indicators = indicators.assign(segment=segment, method=method)
    is_per_kind = segment == "{care_kind}"
    per_kind = [indicators[is_per_kind].replace({"{care_kind}": kind}, regex=True) for kind in _care_kinds(measures)]
    rows = pd.concat([indicators[~is_per_kind], *per_kind], ignore_index=True)
    return rows[rows["denominator"].isin(measures)]


def _care_kinds(measures: set[str] | pd.Index[str]) -> list[str]:
    return sorted(name[5:-6] for name in measures if name.startswith("user_"))


def _value(row: Row, cells: pd.DataFrame) -> pd.DataFrame:
    """One indicator by year and region."""
    cells = cells[~(cells["from_age"] < row.from_age) & ~(cells["from_age"] >= row.below_age)]
    return (row.per * METHODS[row.method](row, cells)).rename("value").rename_axis(REGION).reset_index()


def _sums(cells: pd.DataFrame, numerator: str, denominator: str) -> pd.DataFrame:
    """Numerator and denominator by cell; the sum of an event that never occurred does not exist and is 0."""
    return cells[[*REGION, *CELL]].assign(numerator=cells.get(numerator, 0), denominator=cells.get(denominator, 0))


def _ratio(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    return _level(_sums(cells, row.numerator, row.denominator), row.standard, row.pool)


def _level(sums: pd.DataFrame, standard: str | float | None, pool: float = 1) -> pd.Series[float]:
    """Ratio of each region: crude, directly standardised, or indirectly standardised to the country."""
    if standard == "country":
        sums = sums.assign(denominator=_expected(sums))
    elif isinstance(standard, str):
        # Both sexes have the weight of the age; a stratum without anybody at risk has no weight.
        weight = sums["age_band"].map(_standard(standard)).where(sums["denominator"] > 0)
        sums = sums.assign(numerator=weight * sums["numerator"] / sums["denominator"], denominator=weight)
    totals = _pooled(sums.groupby(REGION)[["numerator", "denominator"]].sum(), pool)
    return totals["numerator"] / totals["denominator"].where(totals["denominator"] > 0)


def _expected(sums: pd.DataFrame) -> pd.Series[float]:
    """The expected numerator if each stratum had the rate of the country."""
    strata = [name for name in sums.columns if name not in ("region_code", "numerator", "denominator")]
    country = sums[sums["region_code"] == COUNTRY].set_index(strata)
    rate = (country["numerator"] / country["denominator"]).rename("rate")
    return sums["denominator"] * sums.join(rate, on=strata)["rate"]


@cache
def _standard(name: str) -> pd.Series[float]:
    """Weights of a standard population by five-year age band and by age group of surveys."""
    weights: pd.Series[float] = pd.read_csv(REFERENCE / "standards" / f"{name}.csv").set_index("age_band")["weight"]
    first = weights.index.str[:2].astype(int).to_numpy()
    within = {
        band: weights @ (np.minimum(first + 5, below) - np.maximum(first, above)).clip(0) / 5
        for band, (above, below) in SURVEYED_AGES.items()
    }
    both: pd.Series[float] = pd.concat([weights, pd.Series(within)])
    return both


def _pooled(totals: pd.DataFrame, pool: float) -> pd.DataFrame:
    """Sums over the last ``pool`` years."""
    if pool > 1:  # nan, an empty field, is not
        # Each column of the unstacked frame is a pair, so that this stack gives a frame again.
        totals = cast("pd.DataFrame", _every_year(totals).rolling(int(pool)).sum().stack("region_code"))
    return totals


def _every_year(values: pd.DataFrame | pd.Series[float]) -> pd.DataFrame:
    """One column per region and one row per year from the first to the last."""
    wide = cast("pd.DataFrame", values.unstack("region_code"))  # a series only where the index has one level
    return wide.reindex(pd.RangeIndex(wide.index.min(), wide.index.max() + 1, name="period"))


def _stacked(by_region: pd.DataFrame) -> pd.Series[float]:
    """One value per year and region from one column per region."""
    return cast("pd.Series[float]", by_region.stack())


def _life_table(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    deaths, years = (_by_age(cells, name, row.pool) for name in (row.numerator, row.denominator))
    values = life_expectancy(deaths.to_numpy(), years.to_numpy(), np.array(years.columns, dtype=float))
    return pd.Series(values, years.index)


def _healthy_life_table(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Each age has the healthy share of its survey age group in the latest survey of the pooled years."""
    deaths, years = (_by_age(cells, name, row.pool) for name in (row.numerator, row.denominator))
    ages = np.array(years.columns, dtype=float)
    shares = [
        _stacked(
            _every_year(_level(_sums(cells[cells["age_band"] == band], *GOOD_HEALTH), None)).ffill(
                limit=int(row.pool) - 1
            )
        ).reindex(years.index)
        for band in SURVEYED_AGES
    ]
    healthy = np.where(ages < SURVEYED_AGES["65+"][0], *(share.to_numpy()[:, None] for share in shares))
    return pd.Series(life_expectancy(deaths.to_numpy(), years.to_numpy(), ages, healthy), years.index)


def _by_age(cells: pd.DataFrame, column: str, pool: float) -> pd.DataFrame:
    """Pooled sums of both sexes, one column per age."""
    return _pooled(cells.pivot_table(index=REGION, columns="from_age", values=column, aggfunc="sum"), pool)


def _fifths(index: Callable[[Floats, Floats], Floats]) -> Callable[[Row, pd.DataFrame], pd.Series[float]]:
    """A method that computes an inequality index from level and size of the fifths, for the country only."""

    def method(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
        cells = cells[cells["region_code"] == COUNTRY]
        sums = [_sums(cells, f"fifth_{n}_{row.numerator}", f"fifth_{n}_{row.denominator}") for n in FIFTHS]
        levels = pd.concat([_level(each, row.standard) for each in sums], axis=1)
        sizes = pd.concat([each.groupby(REGION)["denominator"].sum() for each in sums], axis=1)
        return pd.Series(index(levels.to_numpy(), sizes.to_numpy()), levels.index)

    return method


def _slope(value: Floats, population: Floats) -> Floats:
    lowest, highest = fitted_ends(value, population)
    return highest - lowest


def _relative(value: Floats, population: Floats) -> Floats:
    lowest, highest = fitted_ends(value, population)
    return divide(highest, lowest)


def _case_mix(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Indirectly standardised ratio with strata by age, sex and number of conditions."""
    parts = [
        _sums(cells, f"conditions_{n}_{row.numerator}", f"conditions_{n}_{row.denominator}").assign(condition_count=n)
        for n in CONDITION_COUNTS
    ]
    return _level(pd.concat(parts, ignore_index=True), "country")


def _variation(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Systematic variation between municipalities, for the country; nan with too few municipalities."""
    sums = _sums(cells, row.numerator, row.denominator)
    sums = sums.assign(expected=_expected(sums))[sums["region_code"] != COUNTRY]
    by_place = sums.groupby(REGION)[["numerator", "expected"]].sum().unstack()
    values = systematic_variation(by_place["numerator"].to_numpy(), by_place["expected"].to_numpy())
    too_few = len(by_place["numerator"].columns) < MINIMUM_PLACES
    return _stacked(pd.DataFrame({COUNTRY: values * (np.nan if too_few else 1)}, by_place.index))


def _gap(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """The level of high education minus that of low education."""
    low, high = (
        _level(_sums(cells, *(f"education_{code}_{name}" for name in (row.numerator, row.denominator))), None)
        for code in EDUCATION
    )
    return high - low


def _grossed_up(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Cost per insured year of each municipality, extrapolated to its residents."""
    places = cells[cells["region_code"] != COUNTRY].groupby(REGION)
    sums = places[[row.numerator, "insured_years", row.denominator]].sum()
    residents = sums[row.denominator]
    totals = pd.DataFrame({"euros": sums[row.numerator] / sums["insured_years"] * residents, "residents": residents})
    country = totals.groupby("period").sum().assign(region_code=COUNTRY).set_index("region_code", append=True)
    places_and_country = pd.concat([totals, country])
    return places_and_country["euros"] / places_and_country["residents"]


def _all_acts(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Euros under the acts of the social domain plus those of the insured."""
    acts = [_level(_sums(cells, f"cost_{act}_eur", row.denominator), None) for act in ACTS]
    return sum(acts, _grossed_up(row, cells))


def _growth(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Growth per year since the previous year or since a base year, without kinds of care that have a series break."""
    breaks = pd.read_csv(REFERENCE / "breaks" / "series_breaks.csv")
    breaks = breaks[breaks["source"].str.split().map(lambda names: "claims" in names) & ~breaks["comparable"]]
    parts = _parts(row, cells)
    periods = parts.index.unique("period")
    pairs = [(end - 1 if np.isnan(row.since) else int(row.since), end) for end in periods]
    growth = {}
    for start, end in pairs:
        if start not in periods or start >= end:
            continue
        broken = breaks[breaks["first_year"].between(start + 1, end)]["column_or_kind"].str.split().explode()
        kept = [kind for kind in parts if not broken.isin([kind, "all"]).any()]
        of_start, of_end = (cast("pd.DataFrame", parts.loc[year])[kept].sum(axis=1) for year in (start, end))
        ratio = of_end / of_start
        growth[end] = ratio ** (1 / (end - start)) - 1
    return pd.concat(growth) if growth else pd.Series(index=parts.index[:0], dtype=float)


def _trend(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Growth per year from a line through the logarithms of the last years."""
    levels = cast("pd.DataFrame", np.log(_every_year(_parts(row, cells)["all"])))
    distances = np.arange(TREND_YEARS) - (TREND_YEARS - 1) / 2
    slope = (
        sum(distance * levels.shift(TREND_YEARS - 1 - year) for year, distance in enumerate(distances))
        / (distances**2).sum()
    )
    return _stacked(cast("pd.DataFrame", np.expm1(slope)))


def _parts(row: Row, cells: pd.DataFrame) -> pd.DataFrame:
    """Euros per insured year: in total, or by kind of care when the growth is adjusted for breaks."""
    if row.segment == "break_adjusted":
        names = {kind: f"cost_{kind}_eur" for kind in _care_kinds(cells.columns)}
        return pd.DataFrame({k: _level(_sums(cells, name, row.denominator), None) for k, name in names.items()})
    levels = _ratio(row, cells)
    if row.segment == "real":
        prices = pd.read_csv(REFERENCE / "prices" / "cpi.csv").set_index("year")["index"]
        levels = levels / levels.index.get_level_values("period").map(prices.to_dict())
    return levels.to_frame("all")


def _change(row: Row, cells: pd.DataFrame) -> pd.Series[float]:
    """Change of euros per insured year since the previous year: in total, or the contribution of one factor."""
    factors, unattributed, index = _factors(row, cells)
    before = index.get_indexer(pd.MultiIndex.from_arrays([index.get_level_values(0) - 1, index.get_level_values(1)]))
    previous, current = before[before >= 0], np.flatnonzero(before >= 0)
    if row.segment in factors:
        ends = ({name: factor[rows] for name, factor in factors.items()} for rows in (previous, current))
        change = factor_contribution(row.segment, *ends)
    elif row.segment == "unattributed":
        change = unattributed[current] - unattributed[previous]
    else:
        level = _ratio(row, cells).reindex(index).to_numpy()
        change = level[current] - level[previous]
    return pd.Series(change, index[current])


def _factors(row: Row, cells: pd.DataFrame) -> tuple[dict[str, Floats], Floats, pd.MultiIndex]:
    """The factors of euros per insured year by stratum and kind of care, and the euros without an activity."""

    kinds = _care_kinds(cells.columns)
    names = {name: [name.format(kind) for kind in kinds] for name in ("user_{}_count", "line_{}_count", "cost_{}_eur")}
    columns = [row.denominator, *(column for each in names.values() for column in each)]
    wide = cells.pivot_table(index=REGION, columns=CELL, values=columns, aggfunc="sum", fill_value=0)
    exposure = wide[row.denominator]
    users, activities, euros = (
        np.stack([wide[column].to_numpy(float) for column in each], axis=-1) for each in names.values()
    )
    years = np.broadcast_to(exposure.to_numpy(float)[..., None], euros.shape)
    all_years = years[..., 0].sum(axis=-1)[:, None, None]
    unattributed = np.where(activities == 0, euros, 0)
    factors = {
        "structure": divide(years, all_years),
        "use": divide(users, years),
        "volume": divide(activities, users),
        "price": divide(euros - unattributed, activities),
    }
    flat = {name: factor.reshape(len(exposure), -1) for name, factor in factors.items()}
    return flat, (unattributed / all_years).sum(axis=(1, 2)), cast("pd.MultiIndex", exposure.index)


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
    "slope": _fifths(_slope),
    "relative": _fifths(_relative),
    "concentration": _fifths(concentration),
    "erreygers": _fifths(erreygers),
}
