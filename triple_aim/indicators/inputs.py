"""The sums that one route reads from one cube, over the municipalities that delivered numerator and denominator.

Not here: the estimates (``compute`` and ``methods``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec
from triple_aim.indicators.completeness import completed_shares
from triple_aim.indicators.numerators import numerators
from triple_aim.indicators.rollup import Breakdown, Geography, Mask, by_category, flat, geography, where
from triple_aim.vocabulary import ALL


@dataclass(frozen=True)
class RouteInputs:
    """The two sides of a route as (period, municipality, sex, band); a band may be split into finer strata."""

    route: Compute
    cells: Cells
    place: Geography
    members: list[str]  # the segments of the numerator
    numerator: dict[str, Floats]  # the total under ``all``, and each segment
    denominator: Floats  # of all municipalities, also of those without a numerator
    missing: Mask  # where numerator or denominator is missing; such a municipality counts in neither

    @property
    def reported_denominator(self) -> Floats:
        """The denominator of the municipalities that delivered both sides; nan elsewhere."""
        return np.where(self.missing, np.nan, self.denominator)

    @property
    def nonreporting(self) -> Mask:
        """The (period, municipality) without a complete delivery."""
        nonreporting: Mask = np.any(self.missing, axis=(2, 3))
        return nonreporting

    def by_region(self, array: Floats) -> Floats:
        """(period, municipality, …) → (period, region, …), over the municipalities that delivered."""
        extra_axes = array.ndim - self.missing.ndim
        missing = self.missing.reshape(*self.missing.shape, *[1] * extra_axes)
        return self.place.roll_up(np.where(missing, np.nan, array))

    def by_municipality(self, array: Floats) -> Floats:
        """(period, municipality, …) → (period, current municipality, …), over the municipalities that delivered."""
        return self.place.by_current_municipality(np.where(self.missing, np.nan, array))

    def column(self, name: str | None) -> Floats | None:
        """One column by region; None if the cube does not have it."""
        return self.by_region(flat(self.cells, name)) if name and name in self.cells.sums else None

    def reporting_columns(self, split: Breakdown) -> dict[str, Floats]:
        """Per row, the covered share of the denominator and the number of municipalities that reported, and of all."""
        reporting, municipalities = self.place.reporting_counts(self.reported_denominator)
        sides = (by_category(array, split.masks) for array in (self.reported_denominator, self.denominator))
        return {
            "coverage_share": self.place.coverage(*sides),
            "reporting_count": reporting[..., None],
            "municipality_count": municipalities[:, None],
        }


def route_inputs(spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions) -> RouteInputs:
    """Filter and pool the cells of a route, turn its extra axes into strata and select both sides."""
    source = cubes[cube]
    axes = [*route.strata, *([route.groups] if route.groups else [])]
    cells = where(source.only(route.columns(source.sums)), route).pooled(route.pool).fold(axes)
    members, numerator = numerators(route, cells, cubes)
    if route.completion:
        share = completed_shares(cubes[route.completion], cells.periods()).reshape(-1, 1, 1, 1)
        numerator = {member: array / share for member, array in numerator.items()}
    denominator = flat(cells, route.denominator or "")
    return RouteInputs(
        route=route,
        cells=cells,
        place=geography(regions, spec.levels, cells.labels["municipality_code"]),
        members=members,
        numerator=numerator,
        denominator=denominator,
        missing=np.isnan(numerator[ALL]) | np.isnan(denominator),
    )
