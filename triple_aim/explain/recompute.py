"""A number made again from a table of its strata and from nothing else, by the functions that made it at night.

Not here: which strata belong to a number (``strata``), the functions themselves (``triple_aim.indicators``, ``stats``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from triple_aim.cubes import Floats
from triple_aim.definitions import Compute
from triple_aim.indicators import Note, Sums, components, estimate
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.growth import break_adjusted, compound, log_linear
from triple_aim.stats.standardise import directly_standardised_mean

#: Methods that see the sum of their strata: rates are made of sums, never averaged.
OF_SUMS = frozenset({"crude_rate", "proportion", "mean", "ratio"})


def remade(route: Compute, strata: pd.DataFrame, beside: Mapping[str, float], note: Note, segment: str) -> Estimate:
    """The estimate of one row; ``note`` holds its strata as the method wants them, ``beside`` what no stratum has."""
    if route.growth and route.growth.years:
        made = _slope(route, strata, segment)
    elif route.method == "growth":
        made = Estimate.without_limits(route.per * _growth(strata, beside, segment))
    elif route.method == "decomposition":
        made = Estimate.without_limits(route.per * _component(route, strata, segment))
    elif route.method in OF_SUMS:
        made = estimate(route, Sums({name: np.array([total]) for name, total in beside.items()}))
    else:
        made = estimate(route, note.sums, note.weight, note.reference)
    return Estimate(*(np.ravel(part)[:1] for part in (made.value, made.lower, made.upper)))


def _growth(strata: pd.DataFrame, beside: Mapping[str, float], basis: str) -> Floats:
    """Growth a year on one basis: of everything, in prices of the start, of comparable parts, of like ages."""
    if "comparable" in strata:
        parts = {when: strata[f"{when}_parts"].to_numpy() / beside[f"{when}_exposure"] for when in ("end", "start")}
        return break_adjusted(parts["end"], parts["start"], strata["comparable"].to_numpy() == 1, beside["years"]).value
    end, start = (
        _level({name: strata[f"{when}_{name}"] for name in ("total", "exposure", "persons")}, strata.get("weight"))
        for when in ("end", "start")
    )
    prices = beside["end_index"] / beside["start_index"] if basis == "real" else 1.0
    return compound(end / prices, start, beside["years"]).value


def _slope(route: Compute, strata: pd.DataFrame, basis: str) -> Estimate:
    """The slope of a line through the logarithms of the years."""
    years = dict(list(strata.groupby("year")))
    series = np.array([_level(year, year.get("weight")) for year in years.values()])
    if basis == "real":
        series = series / np.array([year["index"].iloc[0] for year in years.values()])
    made = log_linear(series, np.array([int(year) for year in years]), level=route.level)
    return Estimate(*(route.per * part for part in (made.value, made.lower, made.upper)))


def _level(sums: Mapping[str, pd.Series[float]] | pd.DataFrame, weight: pd.Series[float] | None) -> Floats:
    """Euros per unit of exposure, with the ages of the standard where there are weights."""
    total, exposure = sums["total"].to_numpy(), sums["exposure"].to_numpy()
    if weight is None:
        return np.asarray(total.sum() / exposure.sum())
    persons = sums["persons"].to_numpy()
    return directly_standardised_mean(total, None, persons, weight.to_numpy(), exposure=exposure).value


def _component(route: Compute, strata: pd.DataFrame, component: str) -> Floats:
    """One component of a change; strata are cells of sex and age, the members of a family running fastest."""
    members = strata[str(route.family)].nunique()
    steps = [name for name in route.factors if f"end_{name}" in strata]

    def side(when: str) -> Sums:
        names = ("exposure", *steps, "euros")
        parts = {name: strata[f"{when}_{name}"].to_numpy().reshape(1, 1, 1, -1, members) for name in names}
        return Sums(parts | {"exposure": parts["exposure"][..., 0]})

    return components((side("start"), side("end")), steps)[component]
