"""Data of a funnel plot: the size of each region, the limits around the national value, the regions outside them.

Not here: formulas (``stats.funnel``) or drawing (``funnel_plot``). The data come from published rows only. No mart has
the multiplier of an indicator (such as per 1,000); it follows from the row of the country.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.reports import Selection, is_shown
from triple_aim.stats import intervals
from triple_aim.stats.compare import Significance, outside_limits
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.funnel import Family, overdispersed_funnel, overdispersion, poisson_funnel, proportion_funnel

FAMILIES: dict[str, Family] = {
    "crude_rate": "poisson",
    "proportion": "binomial",
    "indirectly_standardised_ratio": "poisson",
}
LEVELS = (0.95, 0.998)


@dataclass(frozen=True, eq=False)
class Funnel:
    """Regions with ``exposure`` and ``significance``; rows without a value; the limits as a function of exposure."""

    regions: pd.DataFrame
    hidden: pd.DataFrame
    country: pd.Series
    family: Family
    phi: float
    limits: Callable[[Floats], tuple[Estimate, Estimate]]

    @property
    def is_wide(self) -> bool:
        """Whether sizes differ by a factor of ten or more, so that the axis needs a logarithmic scale."""
        size = self.regions["exposure"]
        return bool(size.max() >= 10 * size.min())

    @property
    def outside(self) -> pd.DataFrame:
        """Regions outside the outer limits, the farthest first."""
        beyond = self.regions[self.regions["significance"].abs() == Significance.FAR_ABOVE]
        return beyond.sort_values(["remoteness", "region_code"], ascending=[False, True])

    def sizes(self) -> Floats:
        """300 sizes for smooth curves, from a little below the smallest region to a little above the largest."""
        low, high = (float(end) for end in self.regions["exposure"].agg(["min", "max"]))
        if self.is_wide:
            return np.geomspace(low / 1.15, high * 1.15, 300)
        margin = 0.06 * (high - low) or 0.1 * high
        return np.linspace(max(low - margin, low / 2), high + margin, 300)


def compute_funnel(selection: Selection, region_type: str, period: int, *, overdispersed: bool = False) -> Funnel:
    """Sizes, limits and significance of the regions of one indicator.

    Raises ProjectError when the indicator is not based on counts: chance then has no known distribution.
    """
    metadata = selection.used_indicators.iloc[0]
    where = f"{metadata['indicator_id']}, {region_type}, {period}"
    method = metadata["methods"]
    if method not in FAMILIES:
        raise _refusal(f"a funnel needs counts, and its method is {method}", where)
    rows = selection.rows[selection.rows["period"] == period]
    regions, national = (rows[rows["region_type"] == kind] for kind in (region_type, "nl"))
    if not is_shown(national).any():
        raise NothingToPublish("there is no national value to compare regions with", where, "try another year")
    country = national.iloc[0]
    if method == "indirectly_standardised_ratio" and not _is_ratio_of_counts(national):
        raise _refusal("a funnel needs counts, and this ratio is not one of counts", where)
    regions = regions.assign(exposure=_exposure(regions, country, method))
    has_value = is_shown(regions) & (regions["exposure"] > 0) & regions["numerator"].notna()
    hidden, regions = regions[~has_value], regions[has_value]
    if len(regions) < 2:
        raise NothingToPublish("fewer than two regions have a value to show", where, "try another year or region type")
    family = FAMILIES[method]
    target = 1.0 if method == "indirectly_standardised_ratio" else float(country["numerator"] / country["denominator"])
    per = float(country["value"]) / target
    spread = overdispersion(regions["numerator"], regions["exposure"], target, family=family)

    def limits(exposure: Floats) -> tuple[Estimate, Estimate]:
        if overdispersed:
            inner, outer = (
                overdispersed_funnel(exposure, target, spread, family=family, per=per, level=level) for level in LEVELS
            )
        else:
            chance_limits = proportion_funnel if family == "binomial" else poisson_funnel
            inner, outer = (chance_limits(exposure, target, per=per, level=level) for level in LEVELS)
        return inner, outer

    value = regions["value"].to_numpy()
    inner, outer = limits(regions["exposure"].to_numpy())
    half_width = np.where(value > outer.value, outer.upper - outer.value, outer.value - outer.lower)
    regions = regions.assign(
        significance=outside_limits(value, inner, outer), remoteness=np.abs(value - outer.value) / half_width
    )
    return Funnel(regions, hidden, country, family, float(spread.phi), limits)


def _refusal(what: str, where: str) -> ProjectError:
    return ProjectError(what, where, f"draw a caterpillar; a funnel is for {', '.join(FAMILIES)} of counts")


def _exposure(rows: pd.DataFrame, country: pd.Series, method: str) -> pd.Series:
    """Persons or years at risk; for a ratio the expected number, computed from the published ratio."""
    if method != "indirectly_standardised_ratio":
        return rows["denominator"]
    return (rows["numerator"] / rows["value"].where(rows["value"] > 0)) * float(country["value"])


def _is_ratio_of_counts(country: pd.DataFrame) -> bool:
    """Whether a ratio is one of counts: its published 95 % interval is then that of a Poisson count."""
    lower, upper = (limit / country["numerator"] for limit in intervals.poisson(country["numerator"]))
    published = country[["lower", "upper"]].div(country["value"], axis=0)
    return bool(np.allclose(published, np.column_stack([lower, upper]), rtol=1e-6))
