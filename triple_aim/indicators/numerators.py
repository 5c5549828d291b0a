"""What an indicator counts: one column, a family of columns, or sums of another cube added to them.

Not here: regions (``rollup``) or anything divided (``estimators``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import FAMILY, Compute, of_member
from triple_aim.indicators.rollup import flat, where
from triple_aim.vocabulary import ALL


def numerators(route: Compute, cells: Cells, cubes: Mapping[str, Cells]) -> tuple[list[str], dict[str, Floats]]:
    """The numerator as (period, municipality, sex, band): the total under ``all`` and each member of a family."""
    parts = {ALL: route.numerator} if route.family is None else family(route.numerator, cells)
    arrays = {member: flat(cells, column) for member, column in parts.items()}
    for addend in route.add:
        other = where(cubes[addend.cube], route)
        theirs, ours = aligned(other, addend.denominator, cells), flat(cells, route.denominator or "")
        base = theirs.sum(axis=(2, 3), keepdims=True)
        gross_up = ours.sum(axis=(2, 3), keepdims=True) / np.where(base > 0, base, np.nan)
        arrays[addend.segment] = aligned(other, addend.numerator, cells) * gross_up
    if route.family is None:
        return [], arrays
    stack = np.stack(list(arrays.values()))
    # A member that does not exist in a year counts for nothing; a total of nothing at all stays missing.
    total = np.where(np.isnan(stack).all(axis=0), np.nan, np.nansum(stack, axis=0))
    if route.add:  # acts that a municipality did not deliver are another matter: without one, the total is too low
        total = stack.sum(axis=0)
    return list(arrays), {**arrays, ALL: total}


def cases(route: Compute, cells: Cells, member: str) -> Floats | None:
    """How many persons or events stand behind a numerator, where that is known: for the disclosure gate."""
    column = of_member(route.cases_from or (route.numerator if route.cases else ""), route.family, member)
    return flat(cells, column) if column in cells.sums else None


def family(columns: str, cells: Cells) -> dict[str, str]:
    """Members of a family of columns: ``cost_{care_kind}_eur`` → {hospital: cost_hospital_eur, …}."""
    prefix, _, suffix = FAMILY.split(columns)
    return {
        name[len(prefix) : -len(suffix)]: name
        for name in sorted(cells.sums)
        if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix)
    }


def aligned(other: Cells, column: str, like: Cells) -> Floats:
    """A sum of another cube on the axes of this one; nan where the other has no such period or municipality."""
    result = flat(other, column)
    for axis, name in enumerate(("period", "municipality_code", "sex", "age_band")):
        there = {label: i for i, label in enumerate(other.labels[name])}
        found = np.array([there.get(label, -1) for label in like.labels[name]], dtype=int)
        fill = np.nan if axis < 2 else 0.0
        taken = np.take(result, np.maximum(found, 0), axis=axis) if there else np.full_like(result, fill)
        missing = (found < 0).reshape([-1 if i == axis else 1 for i in range(4)])
        result = np.where(missing & ~np.isnan(taken) if axis >= 2 else missing, fill, taken)
    return result
