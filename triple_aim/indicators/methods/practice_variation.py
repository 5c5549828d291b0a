"""Variation between the municipalities of a region, beyond what chance and their ages explain.

Not here: the components themselves (``stats.variation``), one municipality against the rest (``rows``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.estimators import Sums, estimate
from triple_aim.indicators.inputs import supply
from triple_aim.indicators.numerators import cases
from triple_aim.indicators.rollup import breakdown, by_category
from triple_aim.indicators.rows import Block, tidy
from triple_aim.stats.arguments import quotient
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL

LEAST_AREAS = 5  # fewer say nothing of variation, and a reader could solve for one of them


def variation_frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """One number a region: observed and expected of its municipalities of today, at national rates by age and sex."""
    given = supply(spec, route, cubes, cube, regions)
    place, cells = given.place, given.cells
    split = breakdown(cells, "none")
    counted = cases(route, cells, ALL)
    numerator, denominator = given.rolled(given.numerator[ALL]), given.rolled(given.known)
    rate = quotient(numerator[:, [place.country]], denominator[:, [place.country]])
    observed, exposure = given.by_municipality(given.numerator[ALL]), given.by_municipality(given.known)
    expected = np.where(exposure == 0, 0.0, exposure * rate).sum(axis=(2, 3))
    behind = observed if counted is None else given.by_municipality(counted)
    apart = {
        "observed": observed.sum(axis=(2, 3)),
        "expected": expected,
        "cases": behind.sum(axis=(2, 3)),
        "persons": exposure.sum(axis=(2, 3)),
    }
    # (period, region, category, municipality); a municipality outside the region is nan.
    inside = {name: np.where(place.within > 0, array[:, None], np.nan)[:, :, None, :] for name, array in apart.items()}
    enough = (~np.isnan(inside["observed"])).sum(axis=-1) >= LEAST_AREAS
    made = estimate(route, Sums(inside)).where(enough)
    nothing = np.full_like(made.value, np.nan)
    yield tidy(
        spec,
        cells.periods(),
        place,
        split,
        made,
        Estimate(nothing, nothing, nothing),
        {
            "numerator": by_category(numerator, split.masks),
            "denominator": by_category(denominator, split.masks),
            "persons": _least(inside["persons"]),
            "cases": _least(inside["cases"]),
            "rest_persons": nothing,
            "rest_cases": nothing,
            **given.delivery(split),
        },
        ("none", ALL),
    )


def _least(array: Floats) -> Floats:
    """The smallest of the municipalities that delivered."""
    least: Floats = np.fmin.reduce(array, axis=-1)
    return least
