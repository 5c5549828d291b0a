"""One sum of a cube with what its noise needs, and the changed sums of regions and categories.

Not here: the keys and the tables of changes (``triple_aim.perturbation``), which sums change (``triple_aim.cubes``).
Without noise every function returns the exact sums, so one code computes private and published values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from triple_aim.cubes import Cells, Floats, Keys, Kind
from triple_aim.indicators.rollup import Geography, Mask, by_category, keys_by_category
from triple_aim.perturbation import Perturbation
from triple_aim.stats.arguments import quotient

OnSums: TypeAlias = Callable[[Floats], Floats]
OnKeys: TypeAlias = Callable[[Keys], Keys]


@dataclass(frozen=True)
class Noise:
    """What the change of a column depends on; the arrays have the shape of its values."""

    perturbation: Perturbation
    kind: Kind
    keys: Keys
    squares: Floats | None = None  # Σx² over persons
    contributors: Floats | None = None  # persons with x > 0


@dataclass(frozen=True)
class Column:
    """One sum as (period, place, sex, band); a place is a municipality or a region."""

    values: Floats
    noise: Noise | None = None
    follows: Column | None = None  # the column whose factor this one takes
    is_squares: bool = False  # of ``follows``: its factor twice, and a change of its own

    @property
    def is_exact(self) -> bool:
        """Whether the column does not change."""
        return self.noise is None and self.follows is None

    def map(self, on_sums: OnSums, on_keys: OnKeys) -> Column:
        """The same linear function of the values, of the keys and of all that the noise depends on."""
        noise = self.noise and replace(
            self.noise,
            keys=on_keys(self.noise.keys),
            squares=None if self.noise.squares is None else on_sums(self.noise.squares),
            contributors=None if self.noise.contributors is None else on_sums(self.noise.contributors),
        )
        follows = self.follows and self.follows.map(on_sums, on_keys)
        return replace(self, values=on_sums(self.values), noise=noise, follows=follows)

    def scaled(self, scale: OnSums) -> Column:
        """The column after a multiplication per cell; its change is multiplied too, and its squares twice."""
        noise = self.noise
        if noise and noise.squares is not None:
            noise = replace(noise, squares=scale(scale(noise.squares)))
        return replace(self, values=scale(self.values), noise=noise)

    def in_regions(self, place: Geography) -> Column:
        """The sums of the regions."""
        return self.map(place.roll_up, place.roll_up_keys)

    def in_municipalities(self, place: Geography) -> Column:
        """The sums of the current municipalities."""
        return self.map(place.by_current_municipality, place.keys_by_current_municipality)

    def kept(self, kept: Mask, rows: Mask | slice = slice(None)) -> Column:
        """Some periods, and in each the kept municipalities; ``kept`` is (chosen period, municipality)."""

        def on_sums(array: Floats) -> Floats:
            return np.where(_wide(kept, array), array[rows], np.nan)

        def on_keys(keys: Keys) -> Keys:
            return np.where(_wide(kept, keys), keys[rows], np.uint64(0))

        return self.map(on_sums, on_keys)


def _wide(kept: Mask, array: Floats | Keys) -> Mask:
    return kept.reshape(*kept.shape, *[1] * (array.ndim - 2))


@dataclass(frozen=True)
class Changed:
    """A column after its change: values of the same shape; the rest is (period, place, category)."""

    values: Floats
    factor: Floats  # changed total / exact total
    variance: Floats  # of the noise of the total
    concentration: Floats  # Σx² / (Σx)²: one over the effective number of contributors; 0 for persons


def change(column: Column, masks: Mask) -> Changed:
    """Change a column so that the total of each category has its noise; the cells of a category share one factor.

    ``masks`` is (category, sex, band); no two categories may share a cell.
    """
    total = by_category(column.values, masks)
    if column.is_exact:
        return Changed(column.values, np.ones_like(total), np.zeros_like(total), np.zeros_like(total))
    factor, variance, concentration = _factor(column, total, masks)
    by_cell = np.tensordot(np.nan_to_num(factor, nan=1.0), masks.astype(float), axes=1)
    by_cell = np.where(masks.any(axis=0), by_cell, 1.0)
    return Changed(column.values * by_cell, factor, variance, concentration)


@dataclass(frozen=True)
class ChangedSums:
    """The changed sums of one breakdown; empty dictionaries of noise where all sums are exact."""

    values: dict[str, Floats]  # (period, region, sex, band)
    variances: dict[str, Floats]  # of numerator and denominator, as (period, region, category)
    concentrations: dict[str, Floats]

    def columns(self, totals: Mapping[str, Floats]) -> dict[str, Floats]:
        """The columns of the rows from which the gate withholds; ``totals`` are changed sums by category."""
        if not self.variances:
            return {}
        relative = sum(np.nan_to_num(quotient(array, totals[name] ** 2)) for name, array in self.variances.items())
        return {
            "relative_noise": np.sqrt(relative),
            "concentration": np.fmax.reduce([np.nan_to_num(array) for array in self.concentrations.values()]),
        }


def changed_sums(columns: Mapping[str, Column], masks: Mask) -> ChangedSums:
    """Change each column by ``change``; the noise is that of the sums that make a value."""
    changed = {name: change(column, masks) for name, column in columns.items()}
    noisy = [] if all(column.is_exact for column in columns.values()) else ["numerator", "denominator"]
    return ChangedSums(
        {name: each.values for name, each in changed.items()},
        {name: changed[name].variance for name in noisy},
        {name: changed[name].concentration for name in noisy},
    )


def _factor(column: Column, total: Floats, masks: Mask) -> tuple[Floats, Floats, Floats]:
    """The changed total of each category over its exact total, the variance of the change and the concentration."""
    noise, nothing = column.noise, np.zeros_like(total)
    if column.follows is not None:
        base = change(column.follows, masks)
        if column.is_squares and noise is not None:
            own = noise.perturbation.unit_noise(keys_by_category(noise.keys, masks))
            return base.factor**2 * (1 + 2 * noise.perturbation.share * own), nothing, nothing
        followed = by_category(column.follows.values, masks)
        return base.factor, np.nan_to_num(quotient(base.variance * total**2, followed**2)), nothing
    if noise is None:
        return np.ones_like(total), nothing, nothing
    keys = keys_by_category(noise.keys, masks)
    squares, contributors = (
        None if array is None else by_category(array, masks) for array in (noise.squares, noise.contributors)
    )
    delta, variance = _change(noise, keys, total, squares, contributors)
    factor = np.where(np.nan_to_num(total) != 0, np.maximum(1 + np.nan_to_num(quotient(delta, total)), 0.0), 1.0)
    return factor, variance, nothing if squares is None else np.nan_to_num(quotient(squares, total**2))


def _change(
    noise: Noise, keys: Keys, total: Floats, squares: Floats | None, contributors: Floats | None
) -> tuple[Floats, Floats]:
    """The change of each total and its variance.

    Persons change by a whole number from the table. Events change by that number times the root mean square of the
    events of a person, or by the noise of a magnitude if that is more: one person with very many events is then hidden
    as well. Magnitudes change by the share ``p`` of ``√Σx²``, which is at least ``p`` times the largest amount.
    """
    perturbation = noise.perturbation
    if squares is None:
        return perturbation.count_change(keys, total), np.full_like(total, perturbation.table.variance)
    if contributors is None:
        spread = perturbation.share * np.sqrt(squares)
        return perturbation.unit_noise(keys) * spread, spread**2
    of_one = np.maximum(
        np.nan_to_num(quotient(squares, contributors)), perturbation.share**2 / perturbation.table.variance * squares
    )
    changed = perturbation.count_change(keys, contributors) * np.sqrt(of_one)
    return changed, perturbation.table.variance * of_one


def column_of(cells: Cells, name: str) -> Column:
    """One sum of a cube, with its noise if the cells have any."""
    values = cells.flat(name)
    if cells.noise is None or (kind := cells.noise.kind(name)) == "public":
        return Column(values)
    if kind == "follows":
        return Column(values, follows=column_of(cells, cells.noise.changes_with[name]))
    squares, contributors = cells.noise.squares(name), cells.noise.contributors(name)
    return Column(
        values,
        Noise(
            cells.noise.perturbation,
            kind,
            cells.keys[name],
            cells.flat(squares) if squares else None,
            cells.flat(contributors) if contributors else None,
        ),
    )


def column_of_squares(cells: Cells, name: str, of: Column) -> Column:
    """The squares of a sum. They carry a change of their own, so that limits do not give away the largest person."""
    values = cells.flat(name)
    if cells.noise is None or of.is_exact:
        return Column(values)
    return Column(values, Noise(cells.noise.perturbation, "magnitude", cells.keys[name]), of, is_squares=True)


def added(columns: Iterable[Column]) -> Column:
    """The sum of columns over the same persons; its squares are the largest that they can be."""
    first, *others = columns
    for other in others:
        one, two = first.noise, other.noise
        noise = one or two
        if one and two:
            roots = [
                np.sqrt(side.values if each.squares is None else each.squares)
                for side, each in ((first, one), (other, two))
            ]
            noise = Noise(one.perturbation, "magnitude", one.keys + two.keys, (roots[0] + roots[1]) ** 2)
        first = Column(first.values + other.values, noise)
    return first
