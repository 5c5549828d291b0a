"""Inequality between ordered groups on an axis of a cube, and the concentration of a sum over classes.

Not here: the indices (``stats.inequality``), gaps between groups of a sample (``survey``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.estimators import Sums, estimate
from triple_aim.indicators.inputs import route_inputs
from triple_aim.indicators.numerators import cases
from triple_aim.indicators.rollup import Mask, breakdown, by_category, stratum_weights
from triple_aim.indicators.rows import Block, make_block
from triple_aim.vocabulary import ALL

UNKNOWN = "unknown"  # the label of persons whose group is not known; they count in no group


def inequality_blocks(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """One index per region, over the groups in the order of their labels: the worst off first."""
    axis = str(route.groups)
    labels = cubes[cube].labels[axis]
    grouped = cubes[cube].keep(axis, np.array([label != UNKNOWN for label in labels], dtype=bool))
    count = len(grouped.labels[axis])
    inputs = route_inputs(spec, route, {**cubes, cube: grouped}, cube, regions)
    place = inputs.place
    columns = {
        "numerator": inputs.by_region(inputs.numerator[ALL]),
        "denominator": inputs.by_region(inputs.denominator),
    }
    for name, column in (("sumsq", route.sumsq), ("persons", route.persons)):
        if (array := inputs.column(column)) is not None:
            columns[name] = array
    counted = cases(route, inputs.cells, ALL)
    columns["cases"] = np.full_like(columns["numerator"], np.nan) if counted is None else inputs.by_region(counted)
    for dimension in ("none", *(name for name in spec.breakdowns if name == "sex")):
        split = breakdown(inputs.cells, dimension)
        sums = Sums({name: by_group(array, split.masks, count) for name, array in columns.items()})
        rest = sums.of(place.country).minus(sums)
        weight = None
        if route.standard:
            flat_weights = stratum_weights(tables.standards[route.standard], route.standard, inputs.cells)
            weight = by_group(flat_weights[None, None], split.masks, count)[0, 0][:, :1]
        yield make_block(
            spec,
            inputs.cells.periods(),
            place,
            split,
            estimate(route, sums, *([] if weight is None else [weight])),
            estimate(route, rest, *([] if weight is None else [weight])),
            {
                "numerator": by_category(columns["numerator"], split.masks),
                "denominator": by_category(columns["denominator"], split.masks),
                **_smallest(sums, route, ""),
                **_smallest(rest, route, "rest_"),
                **inputs.reporting_columns(split),
            },
            ("none", ALL),
        )


def by_group(sums: Floats, masks: Mask, count: int) -> Floats:
    """(period, region, sex, band and group) → (period, region, category, group, stratum)."""
    periods, places, sexes, bands = sums.shape
    unfolded = sums.reshape(periods, places, sexes, bands // count, count)
    strata = np.moveaxis(unfolded, -1, 2).reshape(periods, places, 1, count, -1)
    return np.where(masks[:, None, :, ::count].reshape(len(masks), 1, -1), strata, 0.0)


def _smallest(sums: Sums, route: Compute, prefix: str) -> dict[str, Floats]:
    """Persons and cases of the smallest group, which an index may reveal; a Gini index covers all classes at once."""
    by_groups = {name: array.sum(axis=-1) for name, array in sums.parts.items()}
    persons = by_groups.get("persons", by_groups["denominator"])
    if route.method == "gini":
        return {f"{prefix}persons": persons.sum(axis=-1), f"{prefix}cases": np.full(persons.shape[:-1], np.nan)}
    return {f"{prefix}persons": persons.min(axis=-1), f"{prefix}cases": by_groups["cases"].min(axis=-1)}
