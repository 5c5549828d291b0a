"""Method of a spec → function of ``stats``: regional sums in, estimates out.

Not here: formulas (``stats``) or which sums belong to a region (``rollup``). The same function serves a region, the
rest of the country and the worked example in a spec.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from triple_aim.cubes import Floats
from triple_aim.specs import Compute
from triple_aim.stats import rates, standardise, survey
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


def estimate(route: Compute, sums: Sums, weight: Floats = UNUSED, reference: Floats = UNUSED) -> Estimate:
    """The estimate of a route; ``weight`` and ``reference`` are per stratum, for the standardised methods."""
    return METHODS[route.method](route, sums.parts, weight, reference)


def _crude_rate(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return rates.crude_rate(s["numerator"], s["denominator"], per=route.per, level=route.level)


def _proportion(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return rates.proportion(s["numerator"], s["denominator"], per=route.per, level=route.level)


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
        s["numerator"], s["denominator"], weight, per=route.per, level=route.level
    )


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
    return standardise.indirectly_standardised_ratio(
        s["numerator"],
        s["denominator"],
        reference,
        per=route.per,
        is_count=route.interval_method == "byar",
        level=route.level,
    )


def _survey_proportion(route: Compute, s: dict[str, Floats], weight: Floats, reference: Floats) -> Estimate:
    return survey.weighted_proportion(
        s["w"],
        s["wy"],
        s["v_yy"],
        s["v_yw"],
        s["v_ww"],
        np.maximum(s["respondents"] - s["strata"], 1),
        effective_n=survey.kish_effective_sample_size(s["w"], s["ww"]),
        per=route.per,
        level=route.level,
    )


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
}
