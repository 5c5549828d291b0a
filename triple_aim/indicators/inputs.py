"""The sums that one route reads from one cube, over the municipalities that delivered numerator and denominator.

Not here: the estimates (``compute`` and ``methods``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec
from triple_aim.indicators.columns import Column, column_of, column_of_squares
from triple_aim.indicators.completeness import completed_shares
from triple_aim.indicators.numerators import numerators
from triple_aim.indicators.rollup import Breakdown, Geography, Mask, by_category, geography, where
from triple_aim.vocabulary import ALL


@dataclass(frozen=True)
class RouteInputs:
    """The two sides of a route as (period, municipality, sex, band); a band may be split into finer strata."""

    route: Compute
    cells: Cells
    place: Geography
    members: list[str]  # the segments of the numerator
    numerator: dict[str, Column]  # the total under ``all``, and each segment
    denominator: Column  # of all municipalities, also of those without a numerator
    missing: Mask  # where numerator or denominator is missing; such a municipality counts in neither

    @property
    def reported_denominator(self) -> Floats:
        """The denominator of the municipalities that delivered both sides; nan elsewhere."""
        return np.where(self.missing, np.nan, self.denominator.values)

    @property
    def nonreporting(self) -> Mask:
        """The (period, municipality) without a complete delivery."""
        nonreporting: Mask = np.any(self.missing, axis=(2, 3))
        return nonreporting

    def by_region(self, column: Column) -> Column:
        """(period, municipality, …) → (period, region, …), over the municipalities that delivered."""
        return self._delivered(column).in_regions(self.place)

    def by_municipality(self, column: Column) -> Column:
        """(period, municipality, …) → (period, current municipality, …), over the municipalities that delivered."""
        return self._delivered(column).in_municipalities(self.place)

    def _delivered(self, column: Column) -> Column:
        return column.map(
            lambda array: np.where(self.missing, np.nan, array), lambda keys: np.where(self.missing, np.uint64(0), keys)
        )

    def column(self, name: str | None) -> Column | None:
        """One column by region; None if the cube does not have it."""
        return self.by_region(column_of(self.cells, name)) if name and name in self.cells.sums else None

    def squares(self, name: str | None, of: Column) -> Column | None:
        """The squares of a sum by region; None if the cube does not have them."""
        return self.by_region(column_of_squares(self.cells, name, of)) if name and name in self.cells.sums else None

    def reporting_columns(self, split: Breakdown) -> dict[str, Floats]:
        """Per row, the covered share of the denominator and the number of municipalities that reported, and of all."""
        reporting, municipalities = self.place.reporting_counts(self.reported_denominator)
        sides = (by_category(array, split.masks) for array in (self.reported_denominator, self.denominator.values))
        return {
            "coverage_share": self.place.coverage(*sides),
            "reporting_count": reporting[..., None],
            "municipality_count": municipalities[:, None],
        }


def route_inputs(spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions) -> RouteInputs:
    """Filter and pool the cells of a route, turn its extra axes into strata and select both sides."""
    source = cubes[cube]
    axes = [*route.strata, *([route.groups] if route.groups else [])]
    columns = route.columns(source.sums)
    cells = where(source.only(columns), route).keyed(columns).pooled(route.pool).fold(axes)
    members, numerator = numerators(route, cells, cubes)
    if route.completion:
        share = completed_shares(cubes[route.completion], cells.periods()).reshape(-1, 1, 1, 1)
        numerator = {member: column.scaled(lambda array: array / share) for member, column in numerator.items()}
    denominator = column_of(cells, route.denominator or "")
    return RouteInputs(
        route=route,
        cells=cells,
        place=geography(regions, spec.levels, cells.labels["municipality_code"]),
        members=members,
        numerator=numerator,
        denominator=denominator,
        missing=np.isnan(numerator[ALL].values) | np.isnan(denominator.values),
    )
