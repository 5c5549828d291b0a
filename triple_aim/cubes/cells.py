"""The cells of one cube as dense arrays, and how they are read from the warehouse.

Not here: making a cube (``build``), or sums of regions (``triple_aim.indicators``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.cubes.columns import measures_of
from triple_aim.cubes.merge import COUNTED, merged_periods
from triple_aim.vocabulary import ALL, part
from triple_aim.warehouse import Query, Warehouse, qualified, quoted

Floats = NDArray[np.float64]
AXES = ("period", "municipality_code", "sex", "age_band")
AGE = AXES.index("age_band")


@dataclass(frozen=True)
class Cells:
    """The counted cells of one cube as dense arrays, one axis a dimension.

    ``labels`` holds the axes in order: period, municipality_code, sex, age_band, then the cube's own. A dimension the
    cube lacks has the one label ``all``. A sum is nan where its municipality delivered nothing of it in that period,
    and 0 where it delivered and nobody was counted: missing is never zero.
    """

    labels: dict[str, list[str]]
    sums: dict[str, Floats]
    apart: Mapping[str, Collection[int]] = field(default_factory=dict)  # sums nobody can make of these periods

    def axis(self, name: str) -> int:
        return list(self.labels).index(name)

    def keep(self, name: str, wanted: NDArray[np.bool_]) -> Cells:
        """The cells whose label on one axis is wanted."""
        labels = {**self.labels, name: [label for label, kept in zip(self.labels[name], wanted, strict=True) if kept]}
        sums = {key: np.compress(wanted, array, axis=self.axis(name)) for key, array in self.sums.items()}
        return replace(self, labels=labels, sums=sums)

    def only(self, names: Sequence[str]) -> Cells:
        """These sums and no others."""
        return replace(self, sums={name: self.sums[name] for name in names})

    def periods(self) -> list[int]:
        return [int(label) for label in self.labels["period"]]

    def pooled(self, count: int) -> Cells:
        """Each period with the ``count - 1`` before it added, where all of them are there."""
        if count == 1:
            return self
        at = {period: i for i, period in enumerate(self.periods())}
        rows = [[at.get(period - back, -1) for back in range(count)] for period in at]
        whole = np.array([row for row in rows if min(row) >= 0], dtype=int).reshape(-1, count)
        labels = {**self.labels, "period": [self.labels["period"][end] for end in whole[:, 0]]}
        added = {name: sum(array[whole[:, back]] for back in range(count)) for name, array in self.sums.items()}
        return Cells(labels, added)

    def fold(self, axes: Sequence[str]) -> Cells:
        """Further axes as finer age bands: each band's label repeated, the folded labels running fastest."""
        if not axes:
            return self
        order = list(self.labels)
        places = [order.index(name) for name in axes]
        others = [i for i in range(len(order)) if i not in places and i != AGE]
        size = int(np.prod([len(self.labels[name]) for name in axes]))
        sums = {}
        for name, array in self.sums.items():
            turned = array.transpose(*others[:AGE], AGE, *places, *others[AGE:])
            sums[name] = turned.reshape(
                *turned.shape[:AGE], turned.shape[AGE] * size, *turned.shape[AGE + 1 + len(axes) :]
            )
        labels = {name: labels for name, labels in self.labels.items() if name not in axes}
        return Cells({**labels, "age_band": [band for band in labels["age_band"] for _ in range(size)]}, sums)


def load_cells(warehouse: Warehouse, query: Query, parts: Iterable[Query] = ()) -> Cells:
    """Read a cube whole, with the parts that other cubes hold of its sums; it is small by design."""
    frame = _counted(warehouse, query)
    dimensions = [name for name in query.grain if name not in (*AXES, "exclusion")]
    labels: dict[str, list[str]] = {}
    codes = []
    for name in (*AXES, *dimensions):
        values = frame[name].astype(str) if name in frame else pd.Series([ALL] * len(frame), dtype=str)
        code, found = pd.factorize(values, sort=True)
        labels[name] = [str(label) for label in found]
        codes.append(code)
    shape = tuple(len(found) for found in labels.values())
    place = np.ravel_multi_index(codes, shape) if len(frame) else np.array([], dtype=int)
    rest = tuple(range(2, len(shape)))
    sums = {}
    for name in measures_of(query.columns):
        values = frame[name].to_numpy(dtype=float, na_value=np.nan)
        dense = np.full(int(np.prod(shape)), np.nan)
        dense[place] = values
        dense = dense.reshape(shape)
        delivered = ~np.isnan(dense).all(axis=rest, keepdims=True)
        sums[name] = np.where(delivered & np.isnan(dense), 0.0, dense)
    sums |= {name: sums[column] for name, column in query.parts}
    for others in parts:
        sums |= _parts_of(warehouse, others, labels, sums[others.total])
    merged = merged_periods(warehouse, query.table)
    return Cells(labels, sums, {name: merged for name in query.non_additive if merged})


def _parts_of(warehouse: Warehouse, query: Query, labels: Mapping[str, list[str]], whole: Floats) -> dict[str, Floats]:
    """The parts of the sums of another cube, on its axes: 0 without a cell, and missing where the whole is."""
    frame = _counted(warehouse, query)
    axes = {query.axis: list(query.members), **{name: labels[name] for name in AXES}}
    codes = [pd.Index(found).get_indexer(pd.Index(frame[name].astype(str))) for name, found in axes.items()]
    shape = tuple(len(found) for found in axes.values())
    place = np.ravel_multi_index(codes, shape)  # an error where a label is of no cell of the whole
    parts: dict[str, Floats] = {}
    for name in measures_of(query.columns):
        dense = np.zeros(shape)
        np.put(dense, place, frame[name].to_numpy(dtype=float))
        dense[:, np.isnan(whole)] = np.nan
        parts |= {part(name, query.axis, member): array for member, array in zip(query.members, dense, strict=True)}
    return parts


def _counted(warehouse: Warehouse, query: Query) -> pd.DataFrame:
    """The counted cells of a cube, with its sums as doubles."""
    labels = ", ".join(map(quoted, query.grain))
    # The engine turns an exact sum into the nearest double; what makes a frame of it would be off in the last digit.
    doubles = ", ".join(f"cast({quoted(name)} as double) as {quoted(name)}" for name in measures_of(query.columns))
    return warehouse.frame(f"select {labels}, {doubles} from {qualified(query.table)} where exclusion = ?", [COUNTED])


def municipality_codes(warehouse: Warehouse, query: Query) -> list[str]:
    """The municipality codes of the counted cells of a cube; none for a cube of published percentages."""
    if "municipality_code" not in query.columns:
        return []
    table = qualified(f"cube.{query.name}")
    found = warehouse.rows(f"select distinct municipality_code from {table} where exclusion = ? order by 1", [COUNTED])
    return [code for (code,) in found]
