"""The cells of one cube as dense arrays, read from the warehouse.

Not here: building a cube (``build``), sums of regions (``triple_aim.indicators``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.cubes.columns import measures_of
from triple_aim.cubes.merge import COUNTED, merged_periods
from triple_aim.cubes.noise import CubeNoise, Keys
from triple_aim.vocabulary import ALL, part
from triple_aim.warehouse import Query, Warehouse, qualified, quoted

Floats = NDArray[np.float64]
AXES = ("period", "municipality_code", "sex", "age_band")
AGE = AXES.index("age_band")


@dataclass(frozen=True)
class Cells:
    """The counted cells of one cube as dense arrays, one axis per dimension.

    ``labels`` has the axes in order: period, municipality_code, sex, age_band, then those of the cube only. A standard
    axis that the cube does not have gets the single label ``all``. A sum is nan where the municipality delivered
    nothing of it in that period, and 0 where it delivered but nobody was counted: missing is never zero.
    """

    labels: dict[str, list[str]]
    sums: dict[str, Floats]
    non_additive: Mapping[str, Collection[int]] = field(default_factory=dict)  # per sum, the periods without a value
    noise: CubeNoise | None = None  # None: the sums stay exact
    #: Per sum, as (period, municipality_code, sex, age_band): the key of a cell, and the change of a magnitude.
    keys: Mapping[str, Keys] = field(default_factory=dict)
    changes: Mapping[str, Floats] = field(default_factory=dict)

    def axis(self, name: str) -> int:
        return list(self.labels).index(name)

    def keep(self, name: str, wanted: NDArray[np.bool_]) -> Cells:
        """The cells whose label on one axis is wanted; ``wanted`` has one element per label."""
        labels = {**self.labels, name: [label for label, kept in zip(self.labels[name], wanted, strict=True) if kept]}
        axis = self.axis(name)
        sums = {key: np.compress(wanted, array, axis=axis) for key, array in self.sums.items()}
        # Without some labels of a further axis the sums are others, so the keys are too.
        if axis > AGE:
            return replace(self, labels=labels, sums=sums, keys={}, changes={})
        return replace(self, labels=labels, sums=sums)._with_noise(lambda array: np.compress(wanted, array, axis=axis))

    def _with_noise(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Cells:
        """The cells with a function of their keys and changes, which follow the sums through every step."""
        keys, changes = ({name: function(a) for name, a in side.items()} for side in (self.keys, self.changes))
        return replace(self, keys=keys, changes=changes)

    def only(self, names: Sequence[str]) -> Cells:
        """The cells with only these sums, and the sums that their noise needs."""
        wanted = [*names, *(self.noise.companions(names) if self.noise else [])]
        keys = {name: self.keys[name] for name in wanted if name in self.keys}
        changes = {name: self.changes[name] for name in wanted if name in self.changes}
        return replace(self, sums={name: self.sums[name] for name in wanted}, keys=keys, changes=changes)

    def flat(self, name: str) -> Floats:
        """One sum as (period, municipality_code, sex, age_band), added over all other axes."""
        array = self.sums[name]
        return array.sum(axis=tuple(range(AGE + 1, array.ndim))) if array.ndim > AGE + 1 else array

    def keyed(self, names: Iterable[str]) -> Cells:
        """The cells with the keys of these sums, added over all further axes first, so that every cube agrees."""
        if self.noise is None:
            return self
        labels = list(self.labels.values())[: AGE + 1]
        wanted = {self.noise.changes_with.get(name, name) for name in names} - self.noise.public
        missing = sorted(wanted - self.keys.keys())
        keys = {name: self.noise.keys(name, labels, self.flat(self.noise.anchor(name))) for name in missing}
        squares = [(name, column) for name in missing if (column := self.noise.squares(name))]
        changes = {name: self.noise.magnitude_changes(keys[name], self.flat(column)) for name, column in squares}
        return replace(self, keys={**self.keys, **keys}, changes={**self.changes, **changes})

    def periods(self) -> list[int]:
        return [int(label) for label in self.labels["period"]]

    def keyed_by(self, name: str, axis: str) -> Cells:
        """The cells with a key and a change of one sum for each label of one further axis, which is then the fifth."""
        if self.noise is None:
            return self
        labels = [*list(self.labels.values())[: AGE + 1], self.labels[axis]]
        keys = self.noise.keys(name, labels, self._by(self.noise.anchor(name), axis))
        squares = self.noise.squares(name)
        changes = {name: self.noise.magnitude_changes(keys, self._by(squares, axis))} if squares else {}
        return replace(self, keys={name: keys}, changes=changes)

    def _by(self, name: str, axis: str) -> Floats:
        """One sum as (period, municipality_code, sex, age_band, label of one further axis)."""
        others = tuple(i for i in range(AGE + 1, len(self.labels)) if i != self.axis(axis))
        return self.sums[name].sum(axis=others) if others else self.sums[name]

    def pooled(self, count: int) -> Cells:
        """Each period plus the ``count - 1`` periods before it; periods without all of these are left out."""
        if count == 1:
            return self
        position = {period: i for i, period in enumerate(self.periods())}
        windows = [[position.get(period - back, -1) for back in range(count)] for period in position]
        complete = np.array([window for window in windows if min(window) >= 0], dtype=int).reshape(-1, count)
        labels = {**self.labels, "period": [self.labels["period"][end] for end in complete[:, 0]]}

        def added(array: NDArray[Any]) -> NDArray[Any]:
            total: NDArray[Any] = sum(array[complete[:, back]] for back in range(count))
            return total

        sums = {name: added(array) for name, array in self.sums.items()}
        return replace(self, labels=labels, sums=sums, non_additive={})._with_noise(added)

    def fold(self, axes: Sequence[str]) -> Cells:
        """Fold other axes into the age bands: the label of each band repeats, the folded labels run fastest."""
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
        labels["age_band"] = [band for band in labels["age_band"] for _ in range(size)]

        def at_first(of_bands: NDArray[Any]) -> NDArray[Any]:
            # The first stratum of a band carries the key and the change of the band, so that those of any bands add up.
            wide = np.zeros((*of_bands.shape[:AGE], of_bands.shape[AGE] * size), of_bands.dtype)
            wide[..., ::size] = of_bands
            return wide

        return replace(self, labels=labels, sums=sums, non_additive={})._with_noise(at_first)


def load_cells(warehouse: Warehouse, query: Query, parts: Iterable[Query] = ()) -> Cells:
    """Read all cells of a cube, with the parts of its sums that other cubes have."""
    frame = _counted(warehouse, query)
    dimensions = [name for name in query.grain if name not in (*AXES, "exclusion")]
    labels: dict[str, list[str]] = {}
    codes = []
    for name in (*AXES, *dimensions):
        column = frame[name].astype(str) if name in frame else pd.Series([ALL] * len(frame), dtype=str)
        code, names = pd.factorize(column, sort=True)
        labels[name] = [str(label) for label in names]
        codes.append(code)
    shape = tuple(map(len, labels.values()))
    place = np.ravel_multi_index(codes, shape) if len(frame) else np.array([], dtype=int)
    rest = tuple(range(2, len(shape)))
    sums = {}
    for name in measures_of(query.columns):
        dense = np.full(int(np.prod(shape)), np.nan)
        dense[place] = frame[name].to_numpy(dtype=float, na_value=np.nan)
        dense = dense.reshape(shape)
        delivered = ~np.isnan(dense).all(axis=rest, keepdims=True)
        sums[name] = np.where(delivered & np.isnan(dense), 0.0, dense)
    sums |= {name: sums[column] for name, column in query.parts}
    for others in parts:
        sums |= _parts_of(warehouse, others, labels, sums[others.total])
    merged = merged_periods(warehouse, query.table)
    return Cells(labels, sums, {name: merged for name in query.non_additive if merged})


def _parts_of(warehouse: Warehouse, query: Query, labels: Mapping[str, list[str]], whole: Floats) -> dict[str, Floats]:
    """The parts of a sum of another cube, on the axes of that cube: 0 without a cell, nan where ``whole`` is nan."""
    frame = _counted(warehouse, query)
    axes = {query.axis: list(query.members), **{name: labels[name] for name in AXES}}
    codes = [pd.Index(names).get_indexer(pd.Index(frame[name].astype(str))) for name, names in axes.items()]
    shape = tuple(map(len, axes.values()))
    place = np.ravel_multi_index(codes, shape)  # ValueError for a label that the other cube does not have
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
    # The engine converts an exact sum to the nearest double; the conversion to a frame would change the last digit.
    doubles = ", ".join(f"cast({quoted(name)} as double) as {quoted(name)}" for name in measures_of(query.columns))
    return warehouse.frame(f"select {labels}, {doubles} from {qualified(query.table)} where exclusion = ?", [COUNTED])


def municipality_codes(warehouse: Warehouse, query: Query) -> list[str]:
    """The municipality codes of the counted cells of a cube; none for a cube of published percentages."""
    if "municipality_code" not in query.columns:
        return []
    table = qualified(f"cube.{query.name}")
    rows = warehouse.rows(f"select distinct municipality_code from {table} where exclusion = ? order by 1", [COUNTED])
    return [code for (code,) in rows]
