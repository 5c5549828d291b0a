"""Feasible intervals: what a system of sums and bounds says about each of its unknowns.

Not here: where the sums and bounds come from (``sums``, ``companions``).

Each unknown x has bounds, and each relation is ``low <= sum of coefficient times x <= high``. The interval of an
unknown is the smallest and the largest value that it has in any solution; its ends are linear programs, which HiGHS
solves (``scipy.optimize.milp``, without whole numbers). Most unknowns need no program of their own: every solution of
any program is a witness, and two witnesses that are far enough from each other prove that an interval is wide. Whole
numbers are treated as real ones, which never makes an interval narrower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]

#: Relative width below which an unknown is a known number.
FIXED = 1e-8
#: Numerical tolerance of the ends of an interval.
ALMOST = 1e-3
#: Passes of bound propagation; each costs one pass over the relations.
PASSES = 12
#: The targets of a part are moved together until that leaves more than this share of them, or few; then one by one.
PROGRESS = 0.9
FEW = 2
#: Status of a program without a solution, and factors by which noise of unknown size is made larger.
INFEASIBLE = 2
WIDENINGS = (1.5, 2.0, 3.0, 5.0, 10.0, 100.0)


@dataclass
class System:
    """Unknowns with bounds, and relations between them.

    ``widens`` marks a bound that follows from the smallest noise of events: where the relations contradict it, the
    reader concludes that the noise was larger, and the bound is widened.
    """

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    widens: list[bool] = field(default_factory=list)
    _columns: list[Sequence[int]] = field(default_factory=list)
    _values: list[Sequence[float]] = field(default_factory=list)
    _low: list[float] = field(default_factory=list)
    _high: list[float] = field(default_factory=list)
    _known: set[tuple[object, ...]] = field(default_factory=set)

    def unknown(self, lower: float = 0.0, upper: float = np.inf, widens: bool = False) -> int:
        """Add an unknown; its number."""
        self.lower.append(lower)
        self.upper.append(upper)
        self.widens.append(widens)
        return len(self.lower) - 1

    def narrow(self, unknown: int, lower: float, upper: float) -> None:
        """Add a bound to an unknown."""
        self.lower[unknown] = max(self.lower[unknown], lower)
        self.upper[unknown] = min(self.upper[unknown], upper)

    def relation(self, columns: Sequence[int], values: Sequence[float], low: float = 0.0, high: float = 0.0) -> None:
        """Add ``low <= sum of values times unknowns <= high``, unless it is there already."""
        key = (*columns, *values, low, high)
        if key not in self._known:
            self._known.add(key)
            self._columns.append(columns)
            self._values.append(values)
            self._low.append(low)
            self._high.append(high)

    def total(self, total: int, parts: Sequence[int]) -> None:
        """Add ``total = sum of parts``."""
        self.relation([total, *parts], [1.0, *[-1.0] * len(parts)])

    def matrix(self) -> tuple[csr_array, Floats, Floats]:
        """The coefficients (relations, unknowns) and the bounds of the relations."""
        sizes = [len(columns) for columns in self._columns]
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        flat = np.fromiter((c for columns in self._columns for c in columns), np.intp, int(indptr[-1]))
        data = np.fromiter((v for values in self._values for v in values), np.float64, int(indptr[-1]))
        shape = (len(sizes), len(self.lower))
        return csr_array((data, flat, indptr), shape=shape), np.array(self._low), np.array(self._high)


@dataclass(frozen=True)
class Intervals:
    """The ends of the interval of each target, and how the system behaved."""

    lower: Floats
    upper: Floats
    programs: int
    contradictions: int  # components whose bounds contradict their relations, even with larger noise


@dataclass(frozen=True)
class Least:
    """The least width of the interval of each target: a number, and a share of its upper end."""

    width: Floats
    share: Floats

    def is_met(self, low: Floats, high: Floats) -> Mask:
        """Which intervals are wide enough; the ends are exact up to the tolerance of the solver."""
        top = np.where(np.isfinite(high), np.maximum(high, 0.0), 0.0)
        met: Mask = high - low >= self.width + self.share * top - ALMOST
        return met

    def upwards(self, low: Floats) -> Floats:
        """The upper ends from which on the intervals are wide enough."""
        ends: Floats = (np.where(np.isfinite(low), low, 0.0) + self.width) / (1 - self.share) + ALMOST
        return ends

    def downwards(self, high: Floats) -> Floats:
        """The lower ends from which on, downwards, the intervals are wide enough."""
        top = np.where(np.isfinite(high), high, 0.0)
        ends: Floats = top - self.width - self.share * np.maximum(top, 0.0) - ALMOST
        return ends

    def of(self, targets: Ints) -> Least:
        """Those of some of the targets."""
        return Least(self.width[targets], self.share[targets])


def intervals(system: System, targets: Sequence[int] | Ints, least: Least) -> Intervals:
    """Return the feasible intervals of the targets.

    The search for the ends of an interval stops as soon as it is wide enough, so the interval of a wide target is an
    inner one.
    """
    matrix, low, high = system.matrix()
    lower, upper = np.array(system.lower, float), np.array(system.upper, float)
    widens = np.array(system.widens, bool)
    wanted = np.asarray(targets, dtype=np.intp)
    found_low, found_high = np.full(len(wanted), np.inf), np.full(len(wanted), -np.inf)
    outer_low, outer_high = propagate(matrix, low, high, lower, upper)
    crossed = outer_low > outer_high + FIXED * np.maximum(1.0, np.abs(outer_high))
    # A known number keeps the value that relations outside its part give it.
    fixed = _is_fixed(outer_low, outer_high) & ~crossed
    lower, upper = np.where(fixed, outer_low, lower), np.where(fixed, outer_high, upper)
    programs = contradictions = 0
    everywhere = np.arange(len(wanted))
    is_known = ~least.is_met(outer_low[wanted], outer_high[wanted]) & ~crossed.any()
    found_low[is_known], found_high[is_known] = outer_low[wanted[is_known]], outer_high[wanted[is_known]]
    open_targets = everywhere[~is_known]
    for rows, columns in _components(matrix, fixed, wanted[open_targets]):
        position = np.full(matrix.shape[1], -1)
        position[columns] = np.arange(len(columns))
        mine = open_targets[position[wanted[open_targets]] >= 0]
        part = _Program(
            matrix[rows][:, columns], low[rows], high[rows], lower[columns], upper[columns], widens[columns]
        )
        narrow_low, narrow_high, is_feasible = part.explore(position[wanted[mine]], least.of(mine))
        programs += part.programs
        contradictions += not is_feasible
        found_low[mine], found_high[mine] = narrow_low, narrow_high
    return Intervals(found_low, found_high, programs, contradictions)


def propagate(matrix: csr_array, low: Floats, high: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Tighten the bounds of the unknowns with the relations, one relation at a time, until little changes."""
    lower, upper = lower.copy(), upper.copy()
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    column, value = matrix.indices, matrix.data
    for _ in range(PASSES):
        smallest = np.where(value > 0, value * lower[column], value * upper[column])
        largest = np.where(value > 0, value * upper[column], value * lower[column])
        rest_low, rest_high = _without_self(smallest, row, len(low)), _without_self(largest, row, len(low))
        with np.errstate(invalid="ignore"):
            first, second = (low[row] - rest_high) / value, (high[row] - rest_low) / value
        new_low, new_high = np.where(value > 0, first, second), np.where(value > 0, second, first)
        before = lower.copy(), upper.copy()
        np.maximum.at(lower, column, np.nan_to_num(new_low, nan=-np.inf, posinf=np.inf, neginf=-np.inf))
        np.minimum.at(upper, column, np.nan_to_num(new_high, nan=np.inf, posinf=np.inf, neginf=-np.inf))
        if np.array_equal(before[0], lower) and np.array_equal(before[1], upper):
            break
    return lower, upper


def _without_self(terms: Floats, row: Ints, rows: int) -> Floats:
    """The sum of the other terms of the relation of each term; infinite terms are counted, not subtracted."""
    infinite = np.isinf(terms)
    finite = np.where(infinite, 0.0, terms)
    total = np.bincount(row, finite, rows)[row] - finite
    others = np.bincount(row, infinite, rows)[row] - infinite
    sign = np.bincount(row, np.where(infinite, np.sign(terms), 0.0), rows)[row] - np.where(infinite, np.sign(terms), 0)
    return np.where(others > 0, np.where(sign < 0, -np.inf, np.inf), total)


def _is_fixed(lower: Floats, upper: Floats) -> Mask:
    fixed: Mask = upper - lower <= FIXED * np.maximum(1.0, np.abs(upper))
    return fixed


def _components(matrix: csr_array, fixed: Mask, wanted: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield the relations and unknowns of each connected part that has a target.

    An unknown that is a known number connects nothing, so that an exact release falls into small parts.
    """
    rows, columns = matrix.shape
    row = np.repeat(np.arange(rows), np.diff(matrix.indptr))
    links = ~fixed[matrix.indices]
    graph = csr_array(
        (np.ones(int(links.sum())), (row[links], rows + matrix.indices[links])), shape=(rows + columns,) * 2
    )
    label = connected_components(graph, directed=False)[1]
    is_wanted = np.isin(label, np.unique(label[rows + wanted]))
    order = np.argsort(label[rows:], kind="stable")
    order = order[is_wanted[rows:][order]]
    row_order = np.argsort(label[:rows], kind="stable")
    row_order = row_order[is_wanted[:rows][row_order]]
    row_labels = label[row_order]
    for members in np.split(order, np.flatnonzero(np.diff(label[rows + order])) + 1):
        if members.size:
            name = label[rows + members[0]]
            start, stop = np.searchsorted(row_labels, [name, name + 1])
            inside = row_order[start:stop]
            known = np.unique(matrix[inside].indices) if inside.size else members
            yield inside, np.union1d(members, known).astype(np.intp)


class _Program:
    """One connected part of the system, scaled so that its largest bound is moderate."""

    def __init__(
        self, matrix: csr_array, low: Floats, high: Floats, lower: Floats, upper: Floats, widens: Mask
    ) -> None:
        finite = np.concatenate([np.abs(lower[np.isfinite(lower)]), np.abs(upper[np.isfinite(upper)]), [1.0]])
        self.scale = max(1.0, float(finite.max()) / 1e5)
        ceiling = 4 * float(finite.max()) + 1000  # of an unknown that no total bounds
        self.matrix = matrix
        self.lower, self.upper = np.maximum(lower, -ceiling) / self.scale, np.minimum(upper, ceiling) / self.scale
        slack = 1e-7 + 1e-12 * np.bincount(
            np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)),
            np.nan_to_num(np.abs(matrix.data) * np.abs(self.upper[matrix.indices]), posinf=0.0),
            matrix.shape[0],
        )
        self.low, self.high = low / self.scale - slack, high / self.scale + slack
        self.widens, self.programs = widens, 0

    def explore(self, targets: Ints, least: Least) -> tuple[Floats, Floats, bool]:
        """The intervals of the targets, and whether the relations have a solution."""
        is_feasible = self._make_feasible()
        low, high = np.full(len(targets), np.inf), np.full(len(targets), -np.inf)
        nothing = np.zeros(len(self.lower))

        def witness(point: Floats | None) -> None:
            if point is not None:
                values = point[targets] * self.scale
                np.minimum(low, values, out=low)
                np.maximum(high, values, out=high)

        witness(self._solve(nothing))
        left = np.flatnonzero(~least.is_met(low, high))
        while left.size > FEW:
            # All at once: as far up, then as far down, as makes each wide enough.
            witness(self._solve_towards(targets[left], least.upwards(low)[left] / self.scale, 1.0))
            witness(self._solve_towards(targets[left], least.downwards(high)[left] / self.scale, -1.0))
            before, left = left.size, np.flatnonzero(~least.is_met(low, high))
            if left.size > PROGRESS * before:
                break
        for number in left:
            for sign in (1.0, -1.0):
                if not least.is_met(low, high)[number]:
                    objective = nothing.copy()
                    objective[targets[number]] = sign
                    witness(self._solve(objective))
        return low, high, is_feasible

    def _solve_towards(self, targets: Ints, goals: Floats, sign: float) -> Floats | None:
        """The point in which the targets are as near to their goals as possible; beyond a goal is as good."""
        count, columns = len(targets), len(self.lower)
        pick = csr_array((np.full(count, sign), (np.arange(count), targets)), shape=(count, columns))
        reached = csr_array((np.full(count, -1.0), (np.arange(count), np.arange(count))), shape=(count, count))
        none = csr_array((self.matrix.shape[0], count))
        self.programs += 1
        result = milp(
            np.concatenate([np.zeros(columns), np.full(count, -1.0)]),
            bounds=Bounds(
                np.concatenate([self.lower, np.full(count, -np.inf)]),
                np.concatenate([np.maximum(self.lower, self.upper), sign * goals]),
            ),
            constraints=LinearConstraint(
                csr_array(vstack([hstack([self.matrix, none]), hstack([pick, reached])])),
                np.concatenate([self.low, np.zeros(count)]),
                np.concatenate([self.high, np.full(count, np.inf)]),
            ),
        )
        return None if result.x is None else np.asarray(result.x[:columns], dtype=float)

    def _make_feasible(self) -> bool:
        """Widen the bounds of unknown noise until the relations have a solution, then give up single relations."""
        if self._solve(np.zeros(len(self.lower))) is not None:
            return True
        centre, half = (self.lower + self.upper) / 2, (self.upper - self.lower) / 2
        if self.widens.any():
            for factor in WIDENINGS:
                self.lower = np.where(self.widens, np.maximum(centre - factor * half, 0.0), self.lower)
                self.upper = np.where(self.widens, centre + factor * half, self.upper)
                if self._solve(np.zeros(len(self.lower))) is not None:
                    return True
        self._give_up_contradicted()
        return False

    def _give_up_contradicted(self) -> None:
        """Widen the relations that the numbers contradict, as little as possible in all."""
        rows, columns = self.matrix.shape
        self.lower, self.upper = np.minimum(self.lower, self.upper), np.maximum(self.lower, self.upper)
        slacks = eye_array(rows, format="csr")
        objective = np.concatenate([np.zeros(columns), np.ones(2 * rows)])
        self.programs += 1
        result = milp(
            objective,
            bounds=Bounds(
                np.concatenate([self.lower, np.zeros(2 * rows)]),
                np.concatenate([self.upper, np.full(2 * rows, np.inf)]),
            ),
            constraints=LinearConstraint(hstack([self.matrix, slacks, -slacks], format="csr"), self.low, self.high),
        )
        if result.x is None:
            raise ArithmeticError(f"the linear program of the audit failed: {result.message}")
        off = result.x[columns : columns + rows] - result.x[columns + rows :]
        self.low, self.high = self.low - np.maximum(off, 0.0) - 1e-6, self.high - np.minimum(off, 0.0) + 1e-6

    def _solve(self, objective: Floats) -> Floats | None:
        """The point that minimises an objective, or None where there is no solution."""
        if (self.lower > self.upper + 1e-9 * np.maximum(1.0, np.abs(self.upper))).any():
            return None
        self.programs += 1
        result = milp(
            objective,
            bounds=Bounds(self.lower, np.maximum(self.lower, self.upper)),
            constraints=LinearConstraint(self.matrix, self.low, self.high) if self.matrix.shape[0] else (),
        )
        if result.status == INFEASIBLE:
            return None
        if result.x is None:
            raise ArithmeticError(f"the linear program of the audit failed: {result.message}")
        return np.asarray(result.x, dtype=float)
