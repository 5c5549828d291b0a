"""Method of a spec → function of ``stats``: regional sums in, estimates out.

Not here: formulas (``stats``) or which sums belong to a region (``rollup``). The same function serves a region, the
rest of the country and the worked example in a spec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np

from triple_aim.cubes import Floats
from triple_aim.definitions import Compute
from triple_aim.stats import (
    inequality,
    intervals,
    life_table,
    rates,
    standardise,
    survey,
    survey_design,
    survey_domains,
    variation,
    weighting,
)
from triple_aim.stats.arguments import quotient
from triple_aim.stats.estimate import Estimate

ROUNDING = 1e-12


@dataclass(frozen=True)
class Sums:
    """Regional sums that add up: (…) for plain methods, (…, stratum) for standardised ones."""

    parts: dict[str, Floats]

    def minus(self, other: Sums) -> Sums:
        """What is left when ``other`` is taken out: the rest of the country. A region without data takes out nothing.

        A region that holds all who delivered leaves nothing, though sums of floats may differ in their last digits.
        """
        left = {name: array - np.nan_to_num(other.parts[name]) for name, array in self.parts.items()}
        return Sums(
            {n: np.where(np.abs(rest) <= ROUNDING * np.abs(self.parts[n]), 0.0, rest) for n, rest in left.items()}
        )

    def of(self, index: int) -> Sums:
        """One region, kept as an axis of length 1 so that it broadcasts against all of them."""
        return Sums({name: array[:, [index]] for name, array in self.parts.items()})


UNUSED = np.array([])


@dataclass(frozen=True)
class Note:
    """What one set of estimates was made from; sums are (period, region, category, …)."""

    sums: Sums
    weight: Floats = field(default_factory=lambda: UNUSED)
    reference: Floats = field(default_factory=lambda: UNUSED)


_notes: ContextVar[list[Note] | None] = ContextVar("notes", default=None)


@contextmanager
def noting() -> Iterator[list[Note]]:
    """Collect what estimates are made from, for whoever wants to do one again by hand."""
    notes: list[Note] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note(sums: Sums, weight: Floats = UNUSED, reference: Floats = UNUSED) -> None:
    """Put down what an estimate is made from, if anyone collects it."""
    notes = _notes.get()
    if notes is not None:
        notes.append(Note(sums, weight, reference))


def estimate(route: Compute, sums: Sums, weight: Floats = UNUSED, reference: Floats = UNUSED) -> Estimate:
    """The estimate of a route; ``weight`` and ``reference`` are per stratum, for the standardised methods."""
    note(sums, weight, reference)
    return METHODS[route.method](route, sums.parts, weight, reference)


def _crude_rate(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return rates.crude_rate(s["numerator"], s["denominator"], per=route.per, level=route.level)


def _proportion(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    # Two sources may disagree so far that there are more cases than persons: then there is no share.
    cases = np.where(s["numerator"] > s["denominator"], np.nan, s["numerator"])
    return rates.proportion(cases, s["denominator"], per=route.per, level=route.level)


def _mean(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return _scaled(rates.mean(s["numerator"], s["sumsq"], s["denominator"], level=route.level), route.per)


def _ratio(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    if route.interval_method != "delta" or "sumsq" not in s:
        return rates.ratio_of_sums(s["numerator"], s["denominator"], per=route.per)
    # Exposure counts as known: the interval is that of the mean per person, in units of exposure.
    per_person = rates.mean(s["numerator"], s["sumsq"], s["persons"], level=route.level)
    return _scaled(per_person, route.per * s["persons"] / np.where(s["denominator"] > 0, s["denominator"], np.nan))


def _standardised_rate(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return standardise.directly_standardised_rate(
        s["numerator"],
        s["denominator"],
        weight,
        per=route.per,
        event_sumsq=_spread_of_events(route, s),
        interval="gamma" if route.interval_method == "gamma" else "dobson",
        level=route.level,
    )


def _spread_of_events(route: Compute, s: dict[str, Floats]) -> Floats | None:
    """The variance of the number of events of a stratum, where it is not that number itself."""
    if route.interval_method == "dobson_binomial":  # persons among persons: nobody is a case twice
        spread = s["numerator"] * (1 - np.nan_to_num(quotient(s["numerator"], s["denominator"])))
        return np.maximum(spread, ROUNDING * s["numerator"])  # all of a stratum: no spread, but events all the same
    return s["sumsq"] if route.interval_method == "dobson_dependent" else None


def _standardised_mean(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    made = standardise.directly_standardised_mean(
        s["numerator"],
        s.get("sumsq") if route.interval_method == "delta" else None,
        s.get("persons", s["denominator"]),
        weight,
        exposure=s["denominator"],
        level=route.level,
    )
    return _scaled(made, route.per)


def _standardised_ratio(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    variance = None
    if route.interval_method == "delta":
        # Of all persons together: wider than within strata, but a stratum of one person has no spread of its own.
        total, squares, persons = (s[name].sum(axis=-1) for name in ("numerator", "sumsq", "persons"))
        variance = persons * rates.sample_variance(total, squares, persons)
    return standardise.indirectly_standardised_ratio(
        s["numerator"],
        s["denominator"],
        reference,
        per=route.per,
        is_count=route.interval_method == "byar",
        variance=variance,
        level=route.level,
    )


def _survey_proportion(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    freedom = np.maximum(s["respondents"] - s["strata"], 1)
    if weight.size:
        kish = weighting.kish_effective_sample_size(s["w"].sum(axis=-1), s["ww"].sum(axis=-1))
        return survey_domains.standardised_proportion(
            s["w"], s["wy"], s["covariance"], weight, freedom, effective_n=kish, per=route.per, level=route.level
        )
    return survey.weighted_proportion(
        s["w"],
        s["wy"],
        s["v_yy"],
        s["v_yw"],
        s["v_ww"],
        freedom,
        effective_n=weighting.kish_effective_sample_size(s["w"], s["ww"]),
        per=route.per,
        level=route.level,
    )


def _survey_mean(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    freedom = np.maximum(s["respondents"] - s["strata"], 1)
    return survey_design.weighted_ratio(
        s["w"], s["wy"], s["v_yy"], s["v_yw"], s["v_ww"], freedom, per=route.per, level=route.level
    )


def _survey_gap(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    freedom = np.maximum(s["respondents"] - s["strata"], 1)
    return survey_domains.weighted_gap(s["w"], s["wy"], s["covariance"], freedom, per=route.per, level=route.level)


def _life(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    at = float(route.at or 0)
    if route.healthy is None:
        return life_table.life_expectancy(s["numerator"], s["denominator"], s["age"], at=at, level=route.level)
    share, spread = s["healthy"], s["healthy_variance"]
    return life_table.healthy_life_expectancy(
        s["numerator"], s["denominator"], s["age"], share, share_variance=spread, at=at, level=route.level
    )


def _gradient(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    """A line through the rates of groups, each standardised where the route names a standard."""
    population = s["denominator"].sum(axis=-1)
    if weight.size:
        dependent = s.get("sumsq")
        group = standardise.directly_standardised_rate(
            s["numerator"], s["denominator"], weight, event_sumsq=dependent, level=route.level
        )
    else:
        group = rates.crude_rate(s["numerator"].sum(axis=-1), population, level=route.level)
    # The spread that the limits of a group's rate speak of; OHID takes it from them in the same way.
    variance = ((group.upper - group.lower) / (2 * intervals.z_score(route.level))) ** 2
    if route.method == "slope_index":
        return inequality.slope_index(group.value, variance, population, per=route.per, level=route.level)
    return inequality.relative_index(group.value, variance, population, level=route.level)


def _concentration(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    total, persons = s["numerator"].sum(axis=-1), s.get("persons", s["denominator"]).sum(axis=-1)
    average = quotient(total, persons)
    # Between the persons of a group: from the squares, or of a yes or no.
    variance = average * (1 - average)
    if "sumsq" in s:
        variance = rates.sample_variance(total, s["sumsq"].sum(axis=-1), persons)
    return inequality.concentration_index(
        average, persons, variance=variance, correction=route.correction, level=route.level
    )


def _gini(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return _scaled(inequality.gini(s["numerator"].sum(axis=-1), s["denominator"].sum(axis=-1)), route.per)


def _variation(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    component = variation.systematic_component(s["observed"], s["expected"], per=route.per)
    return Estimate.without_limits(component)


def _scaled(made: Estimate, factor: Floats | float) -> Estimate:
    return Estimate(made.value * factor, made.lower * factor, made.upper * factor)


METHODS: dict[str, Callable[[Compute, dict[str, Floats], Floats, Floats], Estimate]] = {
    "crude_rate": _crude_rate,
    "proportion": _proportion,
    "mean": _mean,
    "ratio": _ratio,
    "directly_standardised_rate": _standardised_rate,
    "directly_standardised_mean": _standardised_mean,
    "indirectly_standardised_ratio": _standardised_ratio,
    "survey_proportion": _survey_proportion,
    "survey_mean": _survey_mean,
    "survey_gap": _survey_gap,
    "life_expectancy": _life,
    "healthy_life_expectancy": _life,
    "slope_index": _gradient,
    "relative_index": _gradient,
    "concentration_index": _concentration,
    "gini": _gini,
    "systematic_variation": _variation,
}
