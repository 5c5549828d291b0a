"""The change of each sum of a cube before publication: which sums change, how, and the keys of their cells.

Not here: the keys and tables themselves (``triple_aim.perturbation``), the changed sums of a region
(``triple_aim.indicators``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triple_aim.perturbation import Perturbation
from triple_aim.vocabulary import contributors_of, squares_of
from triple_aim.warehouse import Query

#: Binary digits of a sum that enter its key.
DIGITS = 40
Keys: TypeAlias = NDArray[np.uint64]
Kind: TypeAlias = Literal["persons", "events", "magnitude", "follows", "public"]


@dataclass(frozen=True)
class ColumnRoles:
    """How each sum of one cube changes before publication."""

    columns: frozenset[str]  # the sums of the cube and their parts
    public: frozenset[str] = frozenset()  # published elsewhere, so not changed
    keyed_as: Mapping[str, str] = field(default_factory=dict)  # columns that count the same persons share a key
    parts: Mapping[str, str] = field(default_factory=dict)  # the column of a part of a sum
    changes_with: Mapping[str, str] = field(default_factory=dict)  # the column whose factor a column takes

    def kind(self, column: str) -> Kind:
        """How a sum changes."""
        if column in self.public:
            return "public"
        if column in self.changes_with:
            return "follows"
        if self.squares(column) is None:
            return "persons"
        return "events" if self.contributors(column) else "magnitude"

    def squares(self, column: str) -> str | None:
        """The column with the squares of a sum, one square per person."""
        return squares_of(column, self.columns)

    def contributors(self, column: str) -> str | None:
        """The column with the number of persons who contribute to a sum."""
        return contributors_of(column, self.columns)

    def anchor(self, column: str) -> str:
        """The column whose sum enters the key of a magnitude: that of all euros for each part of them.

        All euros of a cell then err in the same direction, and a kind of care of one person gives no second estimate.
        """
        total = self.parts.get(column, column).partition("[")[0]
        name = self.keyed_as.get(total, total)
        return name if self.kind(column) == "magnitude" and name in self.columns else column

    def companions(self, columns: Sequence[str]) -> list[str]:
        """The columns that the noise of some columns needs as well."""
        wanted: list[str] = []
        for column in (*columns, *(self.changes_with[name] for name in columns if name in self.changes_with)):
            others = (self.anchor(column), self.squares(column), self.contributors(column))
            wanted += [column, *(name for name in others if name)]
        return sorted(set(wanted) & self.columns)


@dataclass(frozen=True)
class CubeNoise(ColumnRoles):
    """The noise of one cube."""

    perturbation: Perturbation = field(kw_only=True)

    def keys(self, column: str, labels: Sequence[Sequence[str]], values: NDArray[np.float64]) -> Keys:
        """The keys of the cells of one column."""
        name = self.anchor(column)
        name = self.parts.get(name, name)
        return self.perturbation.keys(self.keyed_as.get(name, name), labels, _without_last_digits(values))

    def magnitude_changes(self, keys: Keys, squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """The change of a magnitude in each cell: ``share · √Σx²`` times noise with variance 1.

        Changes add up as the sums do. Every table that contains a person then has the same error for that person, so
        many tables together show no more than one.
        """
        spread = self.perturbation.share * np.sqrt(squares)
        changes: NDArray[np.float64] = self.perturbation.unit_noise(keys) * spread
        return changes


def _without_last_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums to twelve digits: the last digits of a sum over further axes depend on the order of adding."""
    mantissa, exponent = np.frexp(values)
    shortened: NDArray[np.float64] = np.ldexp(np.round(np.ldexp(mantissa, DIGITS)), exponent - DIGITS)
    return shortened


def column_roles(query: Query, columns: Sequence[str]) -> ColumnRoles:
    """The roles of the columns of a cube from the header of its SQL file; ``columns`` are its sums and their parts."""
    return ColumnRoles(
        columns=frozenset(columns),
        public=frozenset(query.public),
        keyed_as=dict(query.keyed_as),
        parts=dict(query.parts),
        changes_with=dict(query.changes_with),
    )


def cube_noise(perturbation: Perturbation, query: Query, columns: Sequence[str]) -> CubeNoise:
    """The noise of a cube; ``columns`` are its sums and their parts."""
    return CubeNoise(**vars(column_roles(query, columns)), perturbation=perturbation)
