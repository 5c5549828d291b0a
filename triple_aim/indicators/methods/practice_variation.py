"""Variation between the municipalities of a region that chance and age do not explain.

Not here: the components (``stats.variation``), the comparison of one municipality with the rest (``rows``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.columns import change
from triple_aim.indicators.estimators import Sums, estimate
from triple_aim.indicators.inputs import route_inputs
from triple_aim.indicators.numerators import cases
from triple_aim.indicators.rollup import breakdown, by_category
from triple_aim.indicators.rows import Block, make_block
from triple_aim.stats.arguments import quotient
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL

LEAST_AREAS = 5  # fewer say little about variation, and a reader could compute the value of one of them


def variation_blocks(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """One number per region, from observed and expected cases of its current municipalities.

    Expected cases use national rates by age and sex.
    """
    inputs = route_inputs(spec, route, cubes, cube, regions)
    place, cells = inputs.place, inputs.cells
    split = breakdown(cells, "none")
    counted = cases(route, cells, ALL)
    numerator, denominator = (
        change(inputs.by_region(column), split.masks).values for column in (inputs.numerator[ALL], inputs.denominator)
    )
    rate = quotient(numerator[:, [place.country]], denominator[:, [place.country]])
    events, exposure = (
        change(inputs.by_municipality(column), split.masks) for column in (inputs.numerator[ALL], inputs.denominator)
    )
    observed = events.values
    expected = np.where(exposure.values == 0, 0.0, exposure.values * rate).sum(axis=(2, 3))
    persons_with_case = observed if counted is None else change(inputs.by_municipality(counted), split.masks).values
    by_municipality = {
        "observed": observed.sum(axis=(2, 3)),
        "expected": expected,
        "noise": events.variance[..., 0],
        "cases": persons_with_case.sum(axis=(2, 3)),
        "persons": exposure.values.sum(axis=(2, 3)),
    }
    # (period, region, category, municipality); a municipality outside the region is nan.
    inside = {
        name: np.where(place.within > 0, array[:, None], np.nan)[:, :, None, :]
        for name, array in by_municipality.items()
    }
    enough = (~np.isnan(inside["observed"])).sum(axis=-1) >= LEAST_AREAS
    component = estimate(route, Sums(inside)).where(enough)
    nothing = np.full_like(component.value, np.nan)
    yield make_block(
        spec,
        cells.periods(),
        place,
        split,
        component,
        Estimate(nothing, nothing, nothing),
        {
            "numerator": by_category(numerator, split.masks),
            "denominator": by_category(denominator, split.masks),
            "persons": _smallest(inside["persons"]),
            "cases": _smallest(inside["cases"]),
            "rest_persons": nothing,
            "rest_cases": nothing,
            **inputs.reporting_columns(split),
        },
        ("none", ALL),
    )


def _smallest(array: Floats) -> Floats:
    """The smallest of the municipalities that delivered."""
    smallest: Floats = np.fmin.reduce(array, axis=-1)
    return smallest
