"""The numerator of a route: one sum, a sum by segment, or either with sums of another cube added.

Not here: regions (``rollup``), estimates (``estimators``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute
from triple_aim.indicators.rollup import flat, where
from triple_aim.vocabulary import ALL, part


def numerators(route: Compute, cells: Cells, cubes: Mapping[str, Cells]) -> tuple[list[str], dict[str, Floats]]:
    """The numerator as (period, municipality, sex, band): the total under ``all``, and each segment."""
    parts = {ALL: route.numerator} if route.segments is None else part_columns(route.numerator, route.segments, cells)
    arrays = {member: flat(cells, column) for member, column in parts.items()}
    for addend in route.add:
        other = where(cubes[addend.cube], route)
        base = aligned(other, addend.denominator, cells).sum(axis=(2, 3), keepdims=True)
        target = flat(cells, route.denominator or "").sum(axis=(2, 3), keepdims=True)
        gross_up = target / np.where(base > 0, base, np.nan)
        arrays[addend.segment] = aligned(other, addend.numerator, cells) * gross_up
    if route.segments is None:
        return [], arrays
    stack = np.stack(list(arrays.values()))
    # A segment that does not exist in a year adds zero; a total without any segment stays missing.
    total = np.where(np.isnan(stack).all(axis=0), np.nan, np.nansum(stack, axis=0))
    if route.add:  # without an act that a municipality did not deliver the total would be too low, so it is missing
        total = stack.sum(axis=0)
    return list(arrays), {**arrays, ALL: total}


def cases(route: Compute, cells: Cells, member: str) -> Floats | None:
    """The number of persons or events in a numerator, for disclosure control; None if the cube has no such column."""
    column = part(route.cases_from or (route.numerator if route.cases else ""), route.segments, member)
    return flat(cells, column) if column in cells.sums else None


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


def aligned(other: Cells, column: str, like: Cells) -> Floats:
    """A sum of another cube on the axes of this one; nan where the other has no such period or municipality.

    A sex or an age band that the other cube does not have is 0.
    """
    result = flat(other, column)
    for axis, name in enumerate(("period", "municipality_code", "sex", "age_band")):
        position = {label: i for i, label in enumerate(other.labels[name])}
        index = np.array([position.get(label, -1) for label in like.labels[name]], dtype=int)
        fill = np.nan if axis < 2 else 0.0
        taken = np.take(result, np.maximum(index, 0), axis=axis) if position else np.full_like(result, fill)
        missing = (index < 0).reshape([-1 if i == axis else 1 for i in range(4)])
        result = np.where(missing & ~np.isnan(taken) if axis >= 2 else missing, fill, taken)
    return result
