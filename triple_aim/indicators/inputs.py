"""What one route takes from one cube: sums of the municipalities that delivered both sides, by region.

Not here: what is made of them (``compute`` and the modules beside it).
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
class Supply:
    """Arrays are (period, municipality, sex, band); a band may be folded into finer strata."""

    route: Compute
    cells: Cells
    place: Geography
    members: list[str]  # of the numerator's family
    numerator: dict[str, Floats]  # the total under ``all``, and each member
    known: Floats  # the denominator of everyone
    lacking: Mask  # a municipality that lacks either side counts in neither, nor in any part of it

    @property
    def heard(self) -> Floats:
        """The denominator of those who delivered."""
        return np.where(self.lacking, np.nan, self.known)

    @property
    def silent(self) -> Mask:
        """The (period, municipality) that did not deliver."""
        silent: Mask = np.any(self.lacking, axis=(2, 3))
        return silent

    def rolled(self, array: Floats) -> Floats:
        """(period, municipality, …) → (period, region, …), of those who delivered."""
        beyond = array.ndim - self.lacking.ndim
        return self.place.roll_up(np.where(self.lacking.reshape(*self.lacking.shape, *[1] * beyond), np.nan, array))

    def by_municipality(self, array: Floats) -> Floats:
        """(period, municipality, …) → (period, municipality of today, …), of those who delivered."""
        return self.place.of_today(np.where(self.lacking, np.nan, array))

    def column(self, name: str | None) -> Floats | None:
        """One column by region; None where the cube does not have it."""
        return self.rolled(flat(self.cells, name)) if name and name in self.cells.sums else None

    def delivery(self, split: Breakdown) -> dict[str, Floats]:
        """How much of each region was delivered, for the rows: coverage, municipalities heard and listed."""
        spoke, listed = self.place.deliverers(self.heard)
        sides = (by_category(array, split.masks) for array in (self.heard, self.known))
        return {"coverage_share": self.place.coverage(*sides), "heard": spoke[..., None], "listed": listed[:, None]}


def supply(spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions) -> Supply:
    """Filter, pool and fold the cells of a route, and pick its two sides."""
    whole = cubes[cube]
    axes = [*route.strata, *([route.groups] if route.groups else [])]
    cells = where(whole.only(route.columns(whole.sums)), route).pooled(route.pool).fold(axes)
    members, numerator = numerators(route, cells, cubes)
    if route.completion:
        share = completed_shares(cubes[route.completion], cells.periods()).reshape(-1, 1, 1, 1)
        numerator = {member: array / share for member, array in numerator.items()}
    known = flat(cells, route.denominator or "")
    return Supply(
        route=route,
        cells=cells,
        place=geography(regions, spec.levels, cells.labels["municipality_code"]),
        members=members,
        numerator=numerator,
        known=known,
        lacking=np.isnan(numerator[ALL]) | np.isnan(known),
    )
