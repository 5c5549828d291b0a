"""What a funnel shows: each region's size, the limits of chance around the national value, and who is beyond them.

Not here: formulas (``stats.funnel``) or drawing (``funnel``). All is read from published rows; per how many
persons a value is stands in no mart, but follows from the country's own row.
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
    """Regions that are shown, with ``exposure`` and ``significance``; the rows that are not; the limits by size."""

    regions: pd.DataFrame
    hidden: pd.DataFrame
    country: pd.Series
    family: Family
    phi: float
    limits: Callable[[Floats], tuple[Estimate, Estimate]]

    @property
    def is_wide(self) -> bool:
        """Whether sizes differ so much that only a logarithmic scale shows them all."""
        size = self.regions["exposure"]
        return bool(size.max() >= 10 * size.min())

    @property
    def outside(self) -> pd.DataFrame:
        """Regions beyond the outer limits, the farthest first."""
        beyond = self.regions[self.regions["significance"].abs() == Significance.FAR_ABOVE]
        return beyond.sort_values(["remoteness", "region_code"], ascending=[False, True])

    def sizes(self) -> Floats:
        """So many sizes that curves over them are smooth, a little beyond those of the regions."""
        low, high = (float(end) for end in self.regions["exposure"].agg(["min", "max"]))
        if self.is_wide:
            return np.geomspace(low / 1.15, high * 1.15, 300)
        margin = 0.06 * (high - low) or 0.1 * high
        return np.linspace(max(low - margin, low / 2), high + margin, 300)


def funnel_of(found: Selection, region_type: str, period: int, *, overdispersed: bool = False) -> Funnel:
    """Sizes, limits and verdicts of one indicator's regions; refused where chance has no known distribution."""
    about = found.used_indicators.iloc[0]
    where = f"{about['indicator_id']}, {region_type}, {period}"
    method = about["methods"]
    if method not in FAMILIES:
        raise _refusal(f"a funnel needs counts, and its method is {method}", where)
    rows = found.rows[found.rows["period"] == period]
    ours, whole = (rows[rows["region_type"] == kind] for kind in (region_type, "nl"))
    if not is_shown(whole).any():
        raise NothingToPublish("there is no national value to set regions against", where, "try another year")
    country = whole.iloc[0]
    if method == "indirectly_standardised_ratio" and not _counts(whole):
        raise _refusal("a funnel needs counts, and this ratio is not one of counts", where)
    ours = ours.assign(exposure=_exposure(ours, country, method))
    known = is_shown(ours) & (ours["exposure"] > 0) & ours["numerator"].notna()
    regions = ours[known]
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
            plain = proportion_funnel if family == "binomial" else poisson_funnel
            inner, outer = (plain(exposure, target, per=per, level=level) for level in LEVELS)
        return inner, outer

    value = regions["value"].to_numpy()
    inner, outer = limits(regions["exposure"].to_numpy())
    reach = np.where(value > outer.value, outer.upper - outer.value, outer.value - outer.lower)
    regions = regions.assign(
        significance=outside_limits(value, inner, outer), remoteness=np.abs(value - outer.value) / reach
    )
    return Funnel(regions, ours[~known], country, family, float(spread.phi), limits)


def _refusal(what: str, where: str) -> ProjectError:
    return ProjectError(what, where, f"draw a caterpillar; a funnel is for {', '.join(FAMILIES)} of counts")


def _exposure(rows: pd.DataFrame, country: pd.Series, method: str) -> pd.Series:
    """Persons or years at risk; for a ratio the number expected, which no mart has but follows from the ratio."""
    if method != "indirectly_standardised_ratio":
        return rows["denominator"]
    return (rows["numerator"] / rows["value"].where(rows["value"] > 0)) * country["value"]


def _counts(country: pd.DataFrame) -> bool:
    """Whether a ratio is one of counts, which no mart says, but the 95 % interval published beside it shows."""
    lower, upper = (limit / country["numerator"] for limit in intervals.poisson(country["numerator"]))
    given = country[["lower", "upper"]].div(country["value"], axis=0)
    return bool(np.allclose(given, np.column_stack([lower, upper]), rtol=1e-6))
