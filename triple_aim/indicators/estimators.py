"""Method of a spec → function of ``stats``: regional sums in, estimates out.

Not here: formulas (``stats``), the sums of a region (``rollup``). The same function estimates a region, the rest of
the country and the worked example of a spec.
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
from triple_aim.vocabulary import TRAITS

ROUNDING = 1e-12


@dataclass(frozen=True)
class Sums:
    """Regional sums that add up: (…) for crude methods, (…, stratum) for standardised methods."""

    parts: dict[str, Floats]
    #: The variance of the noise in a sum, as (period, region, category[, group]); empty for exact sums.
    noise: dict[str, Floats] = field(default_factory=dict)

    @classmethod
    def changed(cls, parts: dict[str, Floats], noise: dict[str, Floats]) -> Sums:
        """Sums after their changes. Σx² is at least (Σx)²/n, and nothing where the sum is nothing."""
        if noise and "sumsq" in parts:
            total = parts["numerator"]
            persons = parts.get("persons", parts["denominator"])
            least = np.nan_to_num(total**2 / np.where(persons > 0, persons, 1.0))
            parts = {**parts, "sumsq": np.where(total == 0, 0.0, np.maximum(parts["sumsq"], least * (1 + ROUNDING)))}
        return cls(parts, noise)

    def minus(self, other: Sums) -> Sums:
        """These sums less ``other``, such as the rest of the country; a region without data subtracts zero.

        A difference within rounding is zero, so that a region with all deliveries leaves an empty rest. The variances
        of the noise add up. With noise a stratum of the rest can be less than nothing; it is zero then.
        """
        left = {name: array - np.nan_to_num(other.parts[name]) for name, array in self.parts.items()}
        left = {n: np.where(np.abs(rest) <= ROUNDING * np.abs(self.parts[n]), 0.0, rest) for n, rest in left.items()}
        if not self.noise:
            return Sums(left)
        added = {name: array + np.nan_to_num(other.noise[name]) for name, array in self.noise.items()}
        left = {name: np.where(array < 0, 0.0, array) for name, array in left.items()}
        if "numerator" in left:  # where nobody is left, nothing is counted
            left["numerator"] = np.where(left["denominator"] == 0, 0.0, left["numerator"])
        return Sums.changed(left, added)

    def of(self, index: int) -> Sums:
        """One region, as an axis of length 1 that broadcasts against all regions."""
        parts, noise = ({name: array[:, [index]] for name, array in side.items()} for side in (self.parts, self.noise))
        return Sums(parts, noise)


UNUSED = np.array([])


@dataclass(frozen=True)
class EstimatorInputs:
    """The inputs of one set of estimates; sums are (period, region, category, …)."""

    sums: Sums
    weight: Floats = field(default_factory=lambda: UNUSED)
    reference: Floats = field(default_factory=lambda: UNUSED)


_recorded: ContextVar[list[EstimatorInputs] | None] = ContextVar("recorded", default=None)


@contextmanager
def recording_inputs() -> Iterator[list[EstimatorInputs]]:
    """Collect the inputs of every estimate within the context, so that one can be recomputed."""
    recorded: list[EstimatorInputs] = []
    token = _recorded.set(recorded)
    try:
        yield recorded
    finally:
        _recorded.reset(token)


def record_inputs(sums: Sums, weight: Floats = UNUSED, reference: Floats = UNUSED) -> None:
    """Record the inputs of an estimate, inside ``recording_inputs`` only."""
    recorded = _recorded.get()
    if recorded is not None:
        recorded.append(EstimatorInputs(sums, weight, reference))


def estimate(route: Compute, sums: Sums, weight: Floats = UNUSED, reference: Floats = UNUSED) -> Estimate:
    """The estimate of a route; ``weight`` and ``reference`` are per stratum, for the standardised methods."""
    record_inputs(sums, weight, reference)
    # Methods that use the variances of the noise find them under names of their own.
    parts = sums.parts | {f"{name}_noise": variance for name, variance in sums.noise.items()}
    estimated = METHODS[route.method](route, parts, weight, reference)
    return _with_noise(route, parts, estimated) if sums.noise else estimated


def _with_noise(route: Compute, s: dict[str, Floats], estimated: Estimate) -> Estimate:
    """Widen the limits by the variance of the noise in numerator and denominator, by the delta method.

    The value of these methods is proportional to the numerator and inverse to the denominator, in every stratum by the
    same factor. Other methods have the noise of their groups in their own variance.
    """
    if route.method not in QUOTIENTS:
        return estimated
    relative = _relative_noise(s, has_strata=TRAITS[route.method].strata in ("weighted", "expected"))
    wide = intervals.widened(estimated, np.nan_to_num(estimated.value) ** 2 * relative, level=route.level)
    # No share exceeds the whole.
    return Estimate(wide.value, wide.lower, np.fmin(wide.upper, route.per)) if route.method == "proportion" else wide


def _crude_rate(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return rates.crude_rate(s["numerator"], s["denominator"], per=route.per, level=route.level)


def _proportion(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    # Two sources may disagree so much that cases exceed persons: then there is no share.
    cases = np.where(s["numerator"] > s["denominator"], np.nan, s["numerator"])
    return rates.proportion(cases, s["denominator"], per=route.per, level=route.level)


def _mean(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return _scaled(rates.mean(s["numerator"], s["sumsq"], s["denominator"], level=route.level), route.per)


def _ratio(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    if route.interval_method != "delta" or "sumsq" not in s:
        return rates.ratio_of_sums(s["numerator"], s["denominator"], per=route.per)
    # Exposure has no variance here: the interval is that of the mean per person, in units of exposure.
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
    """The variance of the number of events of a stratum; None where it equals that number."""
    if route.interval_method == "dobson_binomial":  # persons among persons: each is a case at most once
        spread = s["numerator"] * (1 - np.nan_to_num(quotient(s["numerator"], s["denominator"])))
        # If all persons are cases the variance is 0, which would mean no events.
        return np.maximum(spread, ROUNDING * s["numerator"])
    return s["sumsq"] if route.interval_method == "dobson_dependent" else None


def _standardised_mean(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    mean = standardise.directly_standardised_mean(
        s["numerator"],
        s.get("sumsq") if route.interval_method == "delta" else None,
        s.get("persons", s["denominator"]),
        weight,
        exposure=s["denominator"],
        level=route.level,
    )
    return _scaled(mean, route.per)


def _standardised_ratio(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    variance = None
    if route.interval_method == "delta":
        # Over all persons: wider than within strata, but a stratum of one person has no variance.
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

    def expectancy(deaths: Floats) -> Estimate:
        if route.healthy is None:
            return life_table.life_expectancy(deaths, s["denominator"], s["age"], at=at, level=route.level)
        share, spread = s["healthy"], s["healthy_variance"]
        return life_table.healthy_life_expectancy(
            deaths, s["denominator"], s["age"], share, share_variance=spread, at=at, level=route.level
        )

    estimated = expectancy(s["numerator"])
    if "numerator_noise" not in s:
        return estimated
    # All ages share one factor, so one standard deviation of the noise moves the value by a known step.
    deviation = np.sqrt(_relative_noise(s))
    moved = expectancy(s["numerator"] * (1 + deviation[..., None]))
    return intervals.widened(estimated, (moved.value - estimated.value) ** 2, level=route.level)


def _gradient(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    """A line through the rates of groups; the rates are standardised if the route names a standard."""
    population = s["denominator"].sum(axis=-1)
    if weight.size:
        dependent = s.get("sumsq")
        group = standardise.directly_standardised_rate(
            s["numerator"], s["denominator"], weight, event_sumsq=dependent, level=route.level
        )
    else:
        group = rates.crude_rate(s["numerator"].sum(axis=-1), population, level=route.level)
    # The variance that the limits of a group's rate imply, as OHID derives it.
    variance = ((group.upper - group.lower) / (2 * intervals.z_score(route.level))) ** 2
    variance = variance + group.value**2 * _relative_noise(s)
    if route.method == "slope_index":
        return inequality.slope_index(group.value, variance, population, per=route.per, level=route.level)
    return inequality.relative_index(group.value, variance, population, level=route.level)


def _concentration(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    total, persons = s["numerator"].sum(axis=-1), s.get("persons", s["denominator"]).sum(axis=-1)
    average = quotient(total, persons)
    # Between the persons of a group: from the squares, or binomial.
    variance = average * (1 - average)
    if "sumsq" in s:
        variance = rates.sample_variance(total, s["sumsq"].sum(axis=-1), persons)
    variance = variance + average**2 * persons * _relative_noise(s)
    return inequality.concentration_index(
        average, persons, variance=variance, correction=route.correction, level=route.level
    )


def _relative_noise(s: dict[str, Floats], *, has_strata: bool = True) -> Floats | float:
    """The variance of the noise in a rate, relative to the square of the rate; 0 for exact sums.

    Sums have their strata on the last axis, the noise has none.
    """
    relative: Floats | float = 0.0
    for name in ("numerator", "denominator"):
        if f"{name}_noise" in s:
            total = s[name].sum(axis=-1) if has_strata else s[name]
            relative = relative + np.nan_to_num(quotient(s[f"{name}_noise"], total**2))
    return relative


def _gini(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    amount, persons = s["numerator"].sum(axis=-1), s["denominator"].sum(axis=-1)
    if "numerator_noise" in s:  # the noise may leave a class with euros without persons
        persons = np.where(amount > 0, np.maximum(persons, 1.0), persons)
    return _scaled(inequality.gini(amount, persons), route.per)


def _variation(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    component = variation.systematic_component(s["observed"], s["expected"], noise=s.get("noise", 0.0), per=route.per)
    return Estimate.without_limits(component)


def _scaled(unscaled: Estimate, factor: Floats | float) -> Estimate:
    return Estimate(unscaled.value * factor, unscaled.lower * factor, unscaled.upper * factor)


#: Methods whose value is a quotient of numerator and denominator, or a weighted mean of such quotients.
QUOTIENTS = frozenset(
    {
        "crude_rate", "proportion", "mean", "ratio",
        "directly_standardised_rate", "directly_standardised_mean", "indirectly_standardised_ratio",
    }
)  # fmt: skip

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
