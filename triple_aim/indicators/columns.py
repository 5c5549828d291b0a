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
    changes: Floats | None = None  # of a magnitude, which add up as its values do
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
            changes=None if self.noise.changes is None else on_sums(self.noise.changes),
            contributors=None if self.noise.contributors is None else on_sums(self.noise.contributors),
        )
        follows = self.follows and self.follows.map(on_sums, on_keys)
        return replace(self, values=on_sums(self.values), noise=noise, follows=follows)

    def scaled(self, scale: OnSums) -> Column:
        """The column after a multiplication per cell; its change is multiplied too, and its squares twice."""
        noise = self.noise
        if noise and noise.squares is not None and noise.changes is not None:
            noise = replace(noise, squares=scale(scale(noise.squares)), changes=scale(noise.changes))
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
        changed = np.nan_to_num(quotient(np.round(total * base.factor), total), nan=1.0)
        return changed, np.nan_to_num(quotient(base.variance * total**2, followed**2)), nothing
    if noise is None:
        return np.ones_like(total), nothing, nothing
    keys = keys_by_category(noise.keys, masks)
    squares, changes, contributors = (
        None if array is None else by_category(array, masks)
        for array in (noise.squares, noise.changes, noise.contributors)
    )
    delta, variance = _change(noise.perturbation, keys, total, squares, changes, contributors)
    # Rounded before any statistic: a rate of a changed sum with a fraction would give the exact sum away.
    changed = np.round(total + delta)
    changed = np.where(total >= 0, np.maximum(changed, 0.0), changed)
    factor = np.where(np.nan_to_num(total) != 0, np.nan_to_num(quotient(changed, total), nan=1.0), 1.0)
    return factor, variance, nothing if squares is None else np.nan_to_num(quotient(squares, total**2))


def _change(
    perturbation: Perturbation,
    keys: Keys,
    total: Floats,
    squares: Floats | None,
    changes: Floats | None,
    contributors: Floats | None,
) -> tuple[Floats, Floats]:
    """The change of each total and its variance.

    Persons change by a whole number from the table, with variance ``V``. Magnitudes change by the sum of the changes of
    their cells, with variance ``p² Σx²``: at least the share ``p`` of the largest amount. Events change by the whole
    number for their persons times the root mean square of the events of a person. Where the noise of a magnitude is
    more than that, from ``V / p²`` persons on, they change by it: it also hides one person with very many events.
    """
    if squares is None or changes is None:
        return perturbation.count_change(keys, total), np.full_like(total, perturbation.table.variance)
    variance = perturbation.share**2 * squares
    if contributors is None:
        return changes, variance
    # A client counts where the last provision ended, so a cell can have ends without a client.
    contributors = np.fmax(contributors, 1.0)
    of_one = np.nan_to_num(quotient(squares, contributors))
    by_persons = perturbation.table.variance * of_one
    counted = perturbation.count_change(keys, contributors) * np.sqrt(of_one)
    return np.where(by_persons >= variance, counted, changes), np.maximum(by_persons, variance)


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
            cells.changes.get(name),
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
            squares, changes = zip(
                *(_as_magnitude(side, each) for side, each in ((first, one), (other, two))), strict=True
            )
            roots = np.sqrt(squares[0]) + np.sqrt(squares[1])
            noise = Noise(one.perturbation, "magnitude", one.keys + two.keys, roots**2, changes[0] + changes[1])
        first = Column(first.values + other.values, noise)
    return first


def _as_magnitude(column: Column, noise: Noise) -> tuple[Floats, Floats]:
    """Squares and changes of a column; a count of persons has a square of one for each."""
    if noise.squares is not None and noise.changes is not None:
        return noise.squares, noise.changes
    spread = noise.perturbation.share * np.sqrt(column.values)
    return column.values, noise.perturbation.unit_noise(noise.keys) * spread
