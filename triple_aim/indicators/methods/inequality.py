"""Inequality between ordered groups of one cube's axis, and the concentration of a sum over classes.

Not here: the indices themselves (``stats.inequality``), gaps between groups of a sample (``survey``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.estimators import Sums, estimate
from triple_aim.indicators.inputs import supply
from triple_aim.indicators.numerators import cases
from triple_aim.indicators.rollup import Mask, breakdown, by_category, stratum_weights
from triple_aim.indicators.rows import Block, tidy
from triple_aim.vocabulary import ALL

UNKNOWN = "unknown"  # a person whose group is not known belongs to none


def equity_frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """One index a region, over the groups in the order of their labels: the worst off first."""
    axis = str(route.groups)
    named = cubes[cube].labels[axis]
    grouped = cubes[cube].keep(axis, np.array([label != UNKNOWN for label in named], dtype=bool))
    count = len(grouped.labels[axis])
    given = supply(spec, route, {**cubes, cube: grouped}, cube, regions)
    place = given.place
    columns = {"numerator": given.rolled(given.numerator[ALL]), "denominator": given.rolled(given.known)}
    for name, column in (("sumsq", route.sumsq), ("persons", route.persons)):
        if (array := given.column(column)) is not None:
            columns[name] = array
    counted = cases(route, given.cells, ALL)
    columns["cases"] = np.full_like(columns["numerator"], np.nan) if counted is None else given.rolled(counted)
    for dimension in ("none", *(name for name in spec.breakdowns if name == "sex")):
        split = breakdown(given.cells, dimension)
        sums = Sums({name: by_group(array, split.masks, count) for name, array in columns.items()})
        rest = sums.of(place.country).minus(sums)
        weight = None
        if route.standard:
            flat_weights = stratum_weights(tables.standards[route.standard], route.standard, given.cells)
            weight = by_group(flat_weights[None, None], split.masks, count)[0, 0][:, :1]
        yield tidy(
            spec,
            given.cells.periods(),
            place,
            split,
            estimate(route, sums, *([] if weight is None else [weight])),
            estimate(route, rest, *([] if weight is None else [weight])),
            {
                "numerator": by_category(columns["numerator"], split.masks),
                "denominator": by_category(columns["denominator"], split.masks),
                **_smallest(sums, route, ""),
                **_smallest(rest, route, "rest_"),
                **given.delivery(split),
            },
            ("none", ALL),
        )


def by_group(sums: Floats, masks: Mask, count: int) -> Floats:
    """(period, region, sex, band with groups folded in) → (period, region, category, group, stratum)."""
    periods, places, sexes, bands = sums.shape
    apart = sums.reshape(periods, places, sexes, bands // count, count)
    strata = np.moveaxis(apart, -1, 2).reshape(periods, places, 1, count, -1)
    return np.where(masks[:, None, :, ::count].reshape(len(masks), 1, -1), strata, 0.0)


def _smallest(sums: Sums, route: Compute, prefix: str) -> dict[str, Floats]:
    """An index tells of each group, so it rests on the smallest; a Gini tells of all its classes at once."""
    by_groups = {name: array.sum(axis=-1) for name, array in sums.parts.items()}
    persons = by_groups.get("persons", by_groups["denominator"])
    if route.method == "gini":
        return {f"{prefix}persons": persons.sum(axis=-1), f"{prefix}cases": np.full(persons.shape[:-1], np.nan)}
    return {f"{prefix}persons": persons.min(axis=-1), f"{prefix}cases": by_groups["cases"].min(axis=-1)}
