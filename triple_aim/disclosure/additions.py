"""Which rows of an indicator are sums of other rows, as a reader knows: sexes, ages, parts of a family, municipalities.

Not here: what follows from them (``secondary``). Whether a sum holds is looked up in the numbers, so that rows of which
nothing adds up (the smallest group of an index) take no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.definitions import Regions
from triple_aim.disclosure.unknowns import Additions, Ints, Mask
from triple_aim.vocabulary import ALL

Columns = Mapping[str, NDArray[Any]]
#: Numbers of a release are sums of floats.
CLOSE = 1e-6
MUNICIPALITY, COUNTRY = "municipality", "nl"


def additions(rows: Columns, rest: Mask, regions: Regions | None) -> tuple[Additions, int]:
    """The sums among the rows of one source, and of how many cells they speak.

    ``rows`` holds the columns that say what a row is, and numerator, denominator, persons and rest_persons.
    Cells are the rows; then the rest of the country beside each row, which takes part where ``rest`` says so; then, of
    an indicator without municipalities, the parts of the country that its regions tell apart, never shown.
    """
    size = len(rest)
    numbers = np.column_stack([rows[name] for name in ("numerator", "denominator", "persons")]).astype(float)
    there = np.isfinite(numbers[:, :2]).all(axis=1)  # what was not delivered adds nothing
    labels = [_codes(rows, *names) for names in (("period",), ("sex",), ("age_group",), ("segment_type", "segment"))]
    place, places = _codes(rows, "region_type", "region_code")
    parts = list(_of_labels(place, labels, there))
    grid = np.empty((0, 0), dtype=np.intp)
    if regions is not None:
        category = np.unique(np.stack([code for code, _ in labels]), axis=1, return_inverse=True)[1].reshape(-1)
        grid = np.full((int(category.max()) + 1, len(places)), -1)
        grid[category[there], place[there]] = np.flatnonzero(there)
        inside, column = _atoms(tuple(places), regions)
        if column is None:
            beyond = 2 * size + np.arange(len(grid) * inside.shape[1]).reshape(len(grid), -1)
            grid, column = np.column_stack([grid, beyond]), len(places) + np.arange(inside.shape[1])
        parts += _of_places(grid, places, inside, column)
        parts += _of_rests(grid, places, rest)
    cells = max(2 * size, int(grid.max(initial=-1)) + 1)
    beside = np.full((cells - size, 3), np.nan)
    beside[:size, 2] = rows["rest_persons"]
    beside[size:] = 0.0
    return _that_hold(parts, np.concatenate([np.nan_to_num(numbers), beside]), 2 * size), cells


def _codes(rows: Columns, *names: str) -> tuple[Ints, list[tuple[str, ...]]]:
    """A number for each row, in the order in which they come, and what it stands for."""
    codes, found = zip(*(pd.factorize(rows[name]) for name in names), strict=True)
    shape = [len(labels) for labels in found]
    code, first = pd.factorize(np.ravel_multi_index(codes, shape))
    at = np.unravel_index(first, shape)
    return code, list(zip(*(labels[index].tolist() for labels, index in zip(found, at, strict=True)), strict=True))


def _of_labels(place: Ints, labels: list[tuple[Ints, list[tuple[str, ...]]]], there: Mask) -> Iterator[Additions]:
    """A row without a label is the sum of those with one: both sexes, all ages, the parts of each family."""
    codes = [place, *(code for code, _ in labels)]
    shape = [int(code.max()) + 1 for code in codes]
    key = np.ravel_multi_index(codes, shape)
    order = np.argsort(key)
    for axis in range(2, len(codes)):
        found = labels[axis - 1][1]
        whole = [number for number, label in enumerate(found) if label[-1] == ALL]
        if not whole or len(found) == 1:
            continue
        children = np.flatnonzero(there & (codes[axis] != whole[0]))
        totals = np.ravel_multi_index(
            [np.full(len(children), whole[0]) if at == axis else code[children] for at, code in enumerate(codes)], shape
        )
        parent = order[np.minimum(np.searchsorted(key, totals, sorter=order), len(order) - 1)]
        known = (key[parent] == totals) & there[parent]
        children, parent = children[known], parent[known]
        family = np.unique([label[0] for label in found], return_inverse=True)[1] if len(found[0]) > 1 else None
        relation = parent if family is None else parent * len(found) + family[codes[axis][children]]
        once = np.unique(relation, return_index=True)[1]
        yield Additions(
            np.concatenate([relation, relation[once]]),
            np.concatenate([children, parent[once]]),
            np.repeat([-1.0, 1.0], [len(children), len(once)]),
        )


@lru_cache(maxsize=64)  # indicators speak of the same few
def _atoms(places: tuple[tuple[str, ...], ...], regions: Regions) -> tuple[Mask, Ints | None]:
    """Of what the regions are made, as (place, atom), and the column of each atom among the places.

    Atoms are the municipalities with rows. Without those they are the smallest parts that the regions tell apart, with
    no column; a municipality in a region without rows delivered nothing and is in none.
    """
    today = sorted(set(regions.tables[MUNICIPALITY]["municipality_code"]))
    at = {code: index for index, code in enumerate(today)}
    inside, silent = np.zeros((len(places), len(today)), dtype=bool), np.zeros(len(today), dtype=bool)
    row = {place: index for index, place in enumerate(places)}
    for kind in sorted({kind for kind, _ in places} & set(regions.tables)):
        table = regions.tables[kind]
        for code, members in table.groupby("region_code")["municipality_code"]:
            columns = [at[member] for member in members if member in at]
            if (kind, str(code)) in row:
                inside[row[kind, str(code)], columns] = True
            else:
                silent[columns] = True
    if any(kind == MUNICIPALITY for kind, _ in places):
        heard = [code for code in today if (MUNICIPALITY, code) in row]
        return inside[:, [at[code] for code in heard]], np.array([row[MUNICIPALITY, code] for code in heard], dtype=int)
    return np.unique(inside[:, ~silent & inside.any(axis=0)], axis=1), None


def _of_places(grid: Ints, places: list[tuple[str, ...]], inside: Mask, column: Ints) -> Iterator[Additions]:
    """A region is the sum of its atoms; of regions that lie in it and its other atoms; the country of each kind."""
    kinds = np.array([kind for kind, _ in places])
    width, sums = grid.shape[1], []
    larger = np.flatnonzero(kinds != MUNICIPALITY)
    sums += [(whole, column[inside[whole]]) for whole in larger]
    for whole in larger[kinds[larger] != COUNTRY]:
        within = larger[(kinds[larger] != kinds[whole]) & ~(inside[larger] & ~inside[whole]).any(axis=1)]
        within = within[inside[within].any(axis=1)]
        sums += [(whole, np.append(column[inside[whole] & ~inside[part]], part)) for part in within]
    for whole in larger[kinds[larger] == COUNTRY]:
        for kind in sorted(set(kinds[larger]) - {COUNTRY}):
            same = np.flatnonzero(kinds == kind)
            if (inside[same].sum(axis=0) == inside[whole]).all():
                sums.append((whole, same))
    if not sums:
        return
    total = np.repeat([whole for whole, _ in sums], [len(parts) + 1 for _, parts in sums])
    one = np.concatenate([np.append(parts, whole) for whole, parts in sums])
    number = np.repeat(np.arange(len(sums)), [len(parts) + 1 for _, parts in sums])
    cell = grid[:, one]
    relation = np.arange(len(grid))[:, None] * len(sums) + number
    sign = np.broadcast_to(np.where(one == total, 1.0, -1.0), cell.shape)
    has = (cell >= 0) & (one < width)
    yield Additions(relation[has], cell[has], sign[has])


def _of_rests(grid: Ints, places: list[tuple[str, ...]], rest: Mask) -> Iterator[Additions]:
    """The country is a region and its rest."""
    country = [index for index, (kind, _) in enumerate(places) if kind == COUNTRY]
    if not country:
        return
    whole = np.broadcast_to(grid[:, country[:1]], grid.shape)
    beside = np.append(rest, False)
    size = len(rest)
    has = (whole >= 0) & (grid >= 0) & (grid < size) & (grid != whole) & beside[np.minimum(grid, size)]
    one, nation = grid[has], whole[has]
    relation = np.tile(np.arange(len(one)), 3)
    cell = np.concatenate([nation, one, one + size])
    yield Additions(relation, cell, np.repeat([1.0, -1.0, -1.0], len(one)))


def _that_hold(parts: list[Additions], numbers: NDArray[np.float64], known: int) -> Additions:
    """All of them as one, without those that the numbers contradict and those of a single cell.

    Of cells from ``known`` on there are no numbers to look at.
    """
    kept, after = [], 0
    for part in parts:
        if not part.cell.size:
            continue
        relation = np.unique(part.relation, return_inverse=True)[1].reshape(-1)
        count = int(relation.max()) + 1
        holds = np.zeros(count, dtype=bool)
        for column in numbers.T:
            off = np.bincount(relation, weights=part.sign * column[part.cell], minlength=count)
            scale = np.bincount(relation, weights=np.abs(column[part.cell]), minlength=count)
            holds |= np.abs(off) <= CLOSE * scale
        holds |= np.bincount(relation, weights=part.cell >= known, minlength=count) > 0
        totals = np.bincount(relation, weights=part.sign > 0, minlength=count) > 0
        several = np.bincount(relation, minlength=count) > 1
        keep = (holds & totals & several)[relation]
        kept.append(Additions(relation[keep] + after, part.cell[keep], part.sign[keep]))
        after += count
    empty = np.empty(0, dtype=np.intp)
    whole = [np.concatenate([getattr(k, name) for k in kept] or [empty]) for name in ("relation", "cell", "sign")]
    return Additions(*whole)
