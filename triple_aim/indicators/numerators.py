"""The numerator of a route: one sum, a sum by segment, or either with sums of another cube added.

Not here: regions (``rollup``), estimates (``estimators``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from triple_aim.cubes import Cells, Floats, Keys
from triple_aim.definitions import Compute
from triple_aim.indicators.columns import Column, added, column_of
from triple_aim.indicators.rollup import where
from triple_aim.vocabulary import ALL, part

Array = TypeVar("Array", Floats, Keys)


def numerators(route: Compute, cells: Cells, cubes: Mapping[str, Cells]) -> tuple[list[str], dict[str, Column]]:
    """The numerator as (period, municipality, sex, band): the total under ``all``, and each segment."""
    parts = {ALL: route.numerator} if route.segments is None else part_columns(route.numerator, route.segments, cells)
    columns = {member: column_of(cells, column) for member, column in parts.items()}
    addends = {}
    for addend in route.add:
        other = where(cubes[addend.cube], route).keyed([addend.numerator])
        base = aligned(other, other.flat(addend.denominator), cells).sum(axis=(2, 3), keepdims=True)
        target = cells.flat(route.denominator or "").sum(axis=(2, 3), keepdims=True)
        gross_up = target / np.where(base > 0, base, np.nan)
        column = column_of(other, addend.numerator).map(
            lambda array, cube=other: aligned(cube, array, cells),  # type: ignore[misc]
            lambda keys, cube=other: aligned(cube, keys, cells),  # type: ignore[misc]
        )
        addends[addend.segment] = column.scaled(lambda array, factor=gross_up: array * factor)  # type: ignore[misc]
    columns |= addends
    if route.segments is None:
        return [], columns
    stack = np.stack([column.values for column in columns.values()])
    # A segment that does not exist in a year adds zero; a total without any segment stays missing.
    total = np.where(np.isnan(stack).all(axis=0), np.nan, np.nansum(stack, axis=0))
    if route.add:  # without an act that a municipality did not deliver the total would be too low, so it is missing
        total = stack.sum(axis=0)
    # The total has the noise of the column that the segments split, so it changes as under every other indicator.
    whole = [column_of(cells, route.numerator)] if route.numerator in cells.sums else list(columns.values())
    noise = added([*whole, *addends.values()]).noise if cells.noise else None
    return list(columns), {**columns, ALL: Column(total, noise)}


def cases(route: Compute, cells: Cells, member: str) -> Column | None:
    """The number of persons or events in a numerator, for disclosure control; None if the cube has no such column."""
    column = part(route.cases_from or (route.numerator if route.cases else ""), route.segments, member)
    return column_of(cells, column) if column in cells.sums else None


def squares_column(route: Compute, member: str) -> str | None:
    """The column with the squares of a numerator for its interval; a mean has an interval in total only."""
    if route.interval_method == "delta" and route.segments and member != ALL:
        return None
    return part(route.sumsq or "", route.segments, member)


def part_columns(total: str, axis: str, cells: Cells) -> dict[str, str]:
    """The columns of the parts of a sum, in the order of adding: {dental: ``amount_eur[care_kind=dental]``, …}."""
    before, after = part(total, axis, "|").split("|")
    parts = [name for name in cells.sums if name.startswith(before) and name.endswith(after)]
    return dict(sorted((name.removeprefix(before).removesuffix(after), name) for name in parts))


def aligned(other: Cells, array: Array, like: Cells) -> Array:
    """A sum or the keys of another cube on the axes of this one; missing where it has no such period or municipality.

    A sex or an age band that the other cube does not have is 0. A missing sum is nan, a missing key 0.
    """
    result = array
    absent = array.dtype.type(np.nan if array.dtype.kind == "f" else 0)
    for axis, name in enumerate(("period", "municipality_code", "sex", "age_band")):
        position = {label: i for i, label in enumerate(other.labels[name])}
        index = np.array([position.get(label, -1) for label in like.labels[name]], dtype=int)
        fill = absent if axis < 2 else array.dtype.type(0)
        taken = np.take(result, np.maximum(index, 0), axis=axis) if position else np.full_like(result, fill)
        missing = (index < 0).reshape([-1 if i == axis else 1 for i in range(4)])
        result = np.where(missing & (taken == taken) if axis >= 2 else missing, fill, taken)
    return result
