"""Which rows of an indicator add up to another row, as a reader knows: sexes, ages, segments and regions.

Not here: which cells these sums determine (``unknowns``), or which cells to suppress (``secondary``). Each sum is
checked against the numbers, so rows that do not add up (the smallest group of an index) are in no constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.definitions import Regions
from triple_aim.disclosure.unknowns import Ints, Mask, SumConstraints
from triple_aim.vocabulary import ALL

Columns = Mapping[str, NDArray[Any]]
#: Relative difference that is rounding: the numbers of a release are sums of floats.
TOLERANCE = 1e-6
MUNICIPALITY, COUNTRY = "municipality", "nl"


def sum_constraints(rows: Columns, with_rest: Mask, regions: Regions | None) -> tuple[SumConstraints, int]:
    """Return the sum constraints on the rows of one source, and the number of cells they refer to.

    ``rows`` holds the columns that identify a row, and numerator, denominator, persons and rest_persons.
    The cells are, in this order: the rows; for each row the rest of the country, in a constraint only where
    ``with_rest`` is true; for an indicator without municipalities, the atoms of the country, which are never shown.
    """
    size = len(with_rest)
    numbers = np.column_stack([rows[name] for name in ("numerator", "denominator", "persons")]).astype(float)
    delivered = np.isfinite(numbers[:, :2]).all(axis=1)  # rows without numbers add nothing
    labels = [_codes(rows, *names) for names in (("period",), ("sex",), ("age_group",), ("segment_type", "segment"))]
    region, places = _codes(rows, "region_type", "region_code")
    parts = list(_breakdown_sums(region, labels, delivered))
    grid = np.empty((0, 0), dtype=np.intp)
    if regions is not None:
        category = np.unique(np.stack([code for code, _ in labels]), axis=1, return_inverse=True)[1].reshape(-1)
        grid = np.full((int(category.max()) + 1, len(places)), -1)
        grid[category[delivered], region[delivered]] = np.flatnonzero(delivered)
        inside, column = _atoms(tuple(places), regions)
        if column is None:
            atom_cells = 2 * size + np.arange(len(grid) * inside.shape[1]).reshape(len(grid), -1)
            grid, column = np.column_stack([grid, atom_cells]), len(places) + np.arange(inside.shape[1])
        parts += _region_sums(grid, places, inside, column)
        parts += _rest_sums(grid, places, with_rest)
    cells = max(2 * size, int(grid.max(initial=-1)) + 1)
    other_numbers = np.full((cells - size, 3), np.nan)
    other_numbers[:size, 2] = rows["rest_persons"]
    other_numbers[size:] = 0.0
    return _consistent(parts, np.concatenate([np.nan_to_num(numbers), other_numbers]), 2 * size), cells


def _codes(rows: Columns, *names: str) -> tuple[Ints, list[tuple[str, ...]]]:
    """Return a code for each row, numbered in order of appearance, and the labels of each code."""
    codes, uniques = zip(*(pd.factorize(rows[name]) for name in names), strict=True)
    shape = [len(labels) for labels in uniques]
    combined: Ints = np.asarray(np.ravel_multi_index(codes, shape))
    code, first = pd.factorize(combined)
    indices = np.unravel_index(first, shape)
    columns = (labels[index].tolist() for labels, index in zip(uniques, indices, strict=True))
    return code, list(zip(*columns, strict=True))


def _breakdown_sums(
    region: Ints, labels: list[tuple[Ints, list[tuple[str, ...]]]], delivered: Mask
) -> Iterator[SumConstraints]:
    """Yield the sums over one breakdown: both sexes, all ages, the members of each family of segments."""
    codes = [region, *(code for code, _ in labels)]
    shape = [int(code.max()) + 1 for code in codes]
    key = np.ravel_multi_index(codes, shape)
    order = np.argsort(key)
    for axis in range(2, len(codes)):
        values = labels[axis - 1][1]
        total_code = [number for number, label in enumerate(values) if label[-1] == ALL]
        if not total_code or len(values) == 1:
            continue
        children = np.flatnonzero(delivered & (codes[axis] != total_code[0]))
        totals = np.ravel_multi_index(
            [
                np.full(len(children), total_code[0]) if number == axis else code[children]
                for number, code in enumerate(codes)
            ],
            shape,
        )
        parent = order[np.minimum(np.searchsorted(key, totals, sorter=order), len(order) - 1)]
        has_total = (key[parent] == totals) & delivered[parent]
        children, parent = children[has_total], parent[has_total]
        family = np.unique([label[0] for label in values], return_inverse=True)[1] if len(values[0]) > 1 else None
        constraint = parent if family is None else parent * len(values) + family[codes[axis][children]]
        first = np.unique(constraint, return_index=True)[1]
        yield SumConstraints(
            np.concatenate([constraint, constraint[first]]),
            np.concatenate([children, parent[first]]),
            np.repeat([-1.0, 1.0], [len(children), len(first)]),
        )


@lru_cache(maxsize=64)  # most indicators have the same places
def _atoms(places: tuple[tuple[str, ...], ...], regions: Regions) -> tuple[Mask, Ints | None]:
    """Return which atoms each place contains, as (place, atom), and the column of each atom among the places.

    The atoms are the municipalities with rows. For an indicator without municipalities they are the smallest parts
    into which the regions divide the country, without a column; a municipality in a region without rows delivered
    nothing and is in no atom.
    """
    municipalities = sorted(set(regions.tables[MUNICIPALITY]["municipality_code"]))
    number = {code: index for index, code in enumerate(municipalities)}
    inside = np.zeros((len(places), len(municipalities)), dtype=bool)
    nonreporting = np.zeros(len(municipalities), dtype=bool)
    row = {place: index for index, place in enumerate(places)}
    for kind in sorted({kind for kind, _ in places} & set(regions.tables)):
        table = regions.tables[kind]
        for code, members in table.groupby("region_code")["municipality_code"]:
            columns = [number[member] for member in members if member in number]
            if (kind, str(code)) in row:
                inside[row[kind, str(code)], columns] = True
            else:
                nonreporting[columns] = True
    if any(kind == MUNICIPALITY for kind, _ in places):
        reported = [code for code in municipalities if (MUNICIPALITY, code) in row]
        column = np.array([row[MUNICIPALITY, code] for code in reported], dtype=int)
        return inside[:, [number[code] for code in reported]], column
    return np.unique(inside[:, ~nonreporting & inside.any(axis=0)], axis=1), None


def _region_sums(grid: Ints, places: list[tuple[str, ...]], inside: Mask, column: Ints) -> Iterator[SumConstraints]:
    """Yield the sums over regions.

    A region is the sum of its atoms, and the sum of a smaller region and its other atoms; the country is the sum of
    the regions of each kind.
    """
    kinds = np.array([kind for kind, _ in places])
    width, sums = grid.shape[1], []
    larger = np.flatnonzero(kinds != MUNICIPALITY)
    sums += [(total, column[inside[total]]) for total in larger]
    for total in larger[kinds[larger] != COUNTRY]:
        within = larger[(kinds[larger] != kinds[total]) & ~(inside[larger] & ~inside[total]).any(axis=1)]
        within = within[inside[within].any(axis=1)]
        sums += [(total, np.append(column[inside[total] & ~inside[part]], part)) for part in within]
    for total in larger[kinds[larger] == COUNTRY]:
        for kind in sorted(set(kinds[larger]) - {COUNTRY}):
            same_kind = np.flatnonzero(kinds == kind)
            if (inside[same_kind].sum(axis=0) == inside[total]).all():
                sums.append((total, same_kind))
    if not sums:
        return
    sizes = [len(parts) + 1 for _, parts in sums]
    total_column = np.repeat([total for total, _ in sums], sizes)
    entry_column = np.concatenate([np.append(parts, total) for total, parts in sums])
    number = np.repeat(np.arange(len(sums)), sizes)
    cell = grid[:, entry_column]
    constraint = np.arange(len(grid))[:, None] * len(sums) + number
    sign = np.broadcast_to(np.where(entry_column == total_column, 1.0, -1.0), cell.shape)
    has_cell = (cell >= 0) & (entry_column < width)
    yield SumConstraints(constraint[has_cell], cell[has_cell], sign[has_cell])


def _rest_sums(grid: Ints, places: list[tuple[str, ...]], with_rest: Mask) -> Iterator[SumConstraints]:
    """Yield the sums of a region and the rest of the country."""
    country = [index for index, (kind, _) in enumerate(places) if kind == COUNTRY]
    if not country:
        return
    total = np.broadcast_to(grid[:, country[:1]], grid.shape)
    padded = np.append(with_rest, False)
    size = len(with_rest)
    has_rest = (total >= 0) & (grid >= 0) & (grid < size) & (grid != total) & padded[np.minimum(grid, size)]
    region, nation = grid[has_rest], total[has_rest]
    constraint = np.tile(np.arange(len(region)), 3)
    cell = np.concatenate([nation, region, region + size])
    yield SumConstraints(constraint, cell, np.repeat([1.0, -1.0, -1.0], len(region)))


def _consistent(parts: list[SumConstraints], numbers: NDArray[np.float64], known: int) -> SumConstraints:
    """Join the constraints, without those that the numbers contradict and those on a single cell.

    Cells from ``known`` on have no numbers, so a constraint on one of them is kept.
    """
    kept, offset = [], 0
    for part in parts:
        if not part.cell.size:
            continue
        constraint = np.unique(part.constraint, return_inverse=True)[1].reshape(-1)
        count = int(constraint.max()) + 1
        holds = np.zeros(count, dtype=bool)
        for column in numbers.T:
            difference = np.bincount(constraint, weights=part.sign * column[part.cell], minlength=count)
            scale = np.bincount(constraint, weights=np.abs(column[part.cell]), minlength=count)
            holds |= np.abs(difference) <= TOLERANCE * scale
        holds |= np.bincount(constraint, weights=part.cell >= known, minlength=count) > 0
        has_total = np.bincount(constraint, weights=part.sign > 0, minlength=count) > 0
        has_parts = np.bincount(constraint, minlength=count) > 1
        keep = (holds & has_total & has_parts)[constraint]
        kept.append(SumConstraints(constraint[keep] + offset, part.cell[keep], part.sign[keep]))
        offset += count
    empty = np.empty(0, dtype=np.intp)
    fields = ("constraint", "cell", "sign")
    joined = [np.concatenate([getattr(part, name) for part in kept] or [empty]) for name in fields]
    return SumConstraints(*joined)
