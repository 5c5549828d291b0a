"""The recomputation of one number from the table of its strata alone, with the functions of the indicators.

Not here: which strata belong to a number (``strata``), the functions themselves (``triple_aim.indicators``, ``stats``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from triple_aim.cubes import Floats
from triple_aim.definitions import Compute
from triple_aim.indicators import EstimatorInputs, Sums, components, estimate
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.growth import break_adjusted, compound, log_linear
from triple_aim.stats.standardise import directly_standardised_mean

#: Methods that use only the sums over the strata.
OF_SUMS = frozenset({"crude_rate", "proportion", "mean", "ratio"})


def recompute_estimate(
    route: Compute, strata: pd.DataFrame, overall: Mapping[str, float], inputs: EstimatorInputs, segment: str
) -> Estimate:
    """Return the estimate of one row, from its strata, its overall numbers and the inputs of its method."""
    if route.growth and route.growth.years:
        result = _slope(route, strata, segment)
    elif route.method == "growth":
        result = Estimate.without_limits(route.per * _growth(strata, overall, segment))
    elif route.method == "decomposition":
        result = Estimate.without_limits(route.per * _component(route, strata, segment))
    elif route.method in OF_SUMS:
        result = estimate(route, Sums({name: np.array([total]) for name, total in overall.items()}))
    else:
        result = estimate(route, inputs.sums, inputs.weight, inputs.reference)
    return Estimate(*(np.ravel(part)[:1] for part in (result.value, result.lower, result.upper)))


def _growth(strata: pd.DataFrame, overall: Mapping[str, float], basis: str) -> Floats:
    """Return the growth per year on one basis: total, in start prices, of comparable parts, or age-standardised."""
    if "comparable" in strata:
        parts = {when: strata[f"{when}_parts"].to_numpy() / overall[f"{when}_exposure"] for when in ("end", "start")}
        comparable = strata["comparable"].to_numpy() == 1
        return break_adjusted(parts["end"], parts["start"], comparable, overall["years"]).value
    end, start = (
        _level({name: strata[f"{when}_{name}"] for name in ("total", "exposure", "persons")}, strata.get("weight"))
        for when in ("end", "start")
    )
    prices = overall["end_index"] / overall["start_index"] if basis == "real" else 1.0
    return compound(end / prices, start, overall["years"]).value


def _slope(route: Compute, strata: pd.DataFrame, basis: str) -> Estimate:
    """Return the slope of the line through the logarithms of the years."""
    years = dict(list(strata.groupby("year")))
    series = np.array([_level(year, year.get("weight")) for year in years.values()])
    if basis == "real":
        series = series / np.array([year["index"].iloc[0] for year in years.values()])
    result = log_linear(series, np.array([int(str(year)) for year in years]), level=route.level)
    return Estimate(*(route.per * part for part in (result.value, result.lower, result.upper)))


def _level(sums: Mapping[str, pd.Series[float]] | pd.DataFrame, weight: pd.Series[float] | None) -> Floats:
    """Return euros per unit of exposure, standardised for age where there are weights."""
    total, exposure = sums["total"].to_numpy(), sums["exposure"].to_numpy()
    if weight is None:
        return np.asarray(total.sum() / exposure.sum())
    persons = sums["persons"].to_numpy()
    return directly_standardised_mean(total, None, persons, weight.to_numpy(), exposure=exposure).value


def _component(route: Compute, strata: pd.DataFrame, component: str) -> Floats:
    """Return one component of a change; the strata are sorted by sex, age and segment."""
    members = strata[str(route.segments)].nunique()
    steps = [name for name in route.factors if f"end_{name}" in strata]

    def side(when: str) -> Sums:
        names = ("exposure", *steps, "euros")
        parts = {name: strata[f"{when}_{name}"].to_numpy().reshape(1, 1, 1, -1, members) for name in names}
        return Sums(parts | {"exposure": parts["exposure"][..., 0]})

    return components((side("start"), side("end")), steps)[component]
