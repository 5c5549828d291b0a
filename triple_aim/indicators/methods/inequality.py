"""Inequality between ordered groups on an axis of a cube, and the concentration of a sum over classes.

Not here: the indices (``stats.inequality``), gaps between groups of a sample (``survey``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.columns import Column, change, changed_sums, column_of, column_of_squares
from triple_aim.indicators.estimators import Sums, estimate
from triple_aim.indicators.inputs import RouteInputs, route_inputs
from triple_aim.indicators.numerators import cases
from triple_aim.indicators.rollup import Mask, breakdown, by_category, stratum_weights, where
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
        "numerator": inputs.by_region(grouped_column(inputs, inputs.numerator[ALL], route.numerator, grouped, axis)),
        "denominator": inputs.by_region(
            grouped_column(inputs, inputs.denominator, str(route.denominator), grouped, axis)
        ),
    }
    totals = {"numerator": inputs.by_region(inputs.numerator[ALL]), "denominator": inputs.by_region(inputs.denominator)}
    if route.persons and route.persons in inputs.cells.sums:
        persons = column_of(inputs.cells, route.persons)
        columns["persons"] = inputs.by_region(grouped_column(inputs, persons, route.persons, grouped, axis))
    if route.sumsq and route.sumsq in inputs.cells.sums:
        squares = column_of_squares(inputs.cells, route.sumsq, inputs.numerator[ALL])
        columns["sumsq"] = inputs.by_region(grouped_column(inputs, squares, route.sumsq, grouped, axis))
    if (counted := cases(route, inputs.cells, ALL)) is not None:
        name = route.cases_from or route.numerator
        columns["cases"] = inputs.by_region(grouped_column(inputs, counted, name, grouped, axis))
    for dimension in ("none", *(name for name in spec.breakdowns if name == "sex")):
        split = breakdown(inputs.cells, dimension)
        # Every group of a category has a factor of its own: an index does not change by one factor for all groups.
        masks = group_masks(split.masks, count)
        changed = changed_sums(columns, masks)
        values = {"cases": np.full_like(changed.values["numerator"], np.nan), **changed.values}
        sums = Sums.changed(
            {name: by_group(array, split.masks, count) for name, array in values.items()},
            {name: array.reshape(*array.shape[:2], -1, count) for name, array in changed.variances.items()},
        )
        printed = {name: change(column, split.masks).values for name, column in totals.items()}
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
                **{name: by_category(array, split.masks) for name, array in printed.items()},
                **_smallest(sums, route, ""),
                **_smallest(rest, route, "rest_"),
                **inputs.reporting_columns(split),
            },
            ("none", ALL),
        )


def grouped_column(inputs: RouteInputs, column: Column, name: str, grouped: Cells, axis: str) -> Column:
    """The column with a key per group, so that each group has noise of its own."""
    if column.noise is None:
        if column.follows is None or grouped.noise is None:
            return column
        base = grouped.noise.changes_with[name]
        return replace(column, follows=grouped_column(inputs, column.follows, base, grouped, axis))
    cells = where(grouped, inputs.route).keyed_by(name, axis).only([name]).pooled(inputs.route.pool)
    keys, changes = cells.keys[name], cells.changes.get(name)
    noise = replace(
        column.noise,
        keys=keys.reshape(*keys.shape[:3], -1),
        changes=None if changes is None else changes.reshape(*changes.shape[:3], -1),
    )
    follows = column.follows
    if column.is_squares and follows is not None:
        follows = grouped_column(inputs, follows, inputs.route.numerator, grouped, axis)
    return replace(column, noise=noise, follows=follows)


def group_masks(masks: Mask, count: int) -> Mask:
    """(category, sex, band and group) → (category and group, sex, band and group); the groups run fastest."""
    group = np.arange(masks.shape[-1]) % count
    split: Mask = masks[:, None] & (group == np.arange(count)[:, None])[None, :, None, :]
    return split.reshape(-1, *masks.shape[1:])


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
