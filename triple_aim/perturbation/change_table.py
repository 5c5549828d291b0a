"""The table of changes of counts: how probable each change of a small or large count is.

Not here: which random number a cell has (``cell_keys``), and the file of the table
(``reference/perturbation/counts.csv``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from triple_aim.errors import ContentError

Floats = NDArray[np.float64]
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class ChangeTable:
    """The probability of every change, per count.

    Attributes
    ----------
    probabilities : array, shape (rows, 2 * max_change + 1)
        Row ``n`` is for a count of ``n``; the last row is for every larger count too. Column ``j`` is the change
        ``j - max_change``. A count of 0 does not change.

    Raises
    ------
    ContentError
        When a row does not sum to 1, has a mean other than 0, or leads to a negative count.
    """

    probabilities: Floats

    def __post_init__(self) -> None:
        table = self.probabilities
        changes = self.changes
        counts = np.arange(len(table))[:, np.newaxis]
        faults = {
            "has a negative probability": (table < 0).any(axis=1),
            "does not sum to 1": np.abs(table.sum(axis=1) - 1) > _TOLERANCE,
            "has a mean other than 0": np.abs(table @ changes) > _TOLERANCE,
            "leads to a negative count": ((table > 0) & (changes < -counts)).any(axis=1),
        }
        for fault, rows in faults.items():
            if rows.any():
                raise _wrong(f"the row of the count {int(np.flatnonzero(rows)[0])} {fault}")

    @classmethod
    def from_columns(cls, count: ArrayLike, change: ArrayLike, probability: ArrayLike) -> ChangeTable:
        """Return the table of three columns of equal length, as in ``reference/perturbation/counts.csv``.

        Parameters
        ----------
        count, change : array_like of whole numbers, or of their texts
            The count and its change. Counts are 1, 2, … without a gap; the largest stands for all larger ones.
        probability : array_like of numbers, or of their texts

        Raises
        ------
        ContentError
            For a text that is not a number, a gap, a pair given twice, or a table that the class refuses.

        Examples
        --------
        >>> table = ChangeTable.from_columns([1, 1, 1], [-1, 0, 1], [0.25, 0.5, 0.25])
        >>> table.max_change, table.variance
        (1, 0.5)
        """
        try:
            counts, changes = np.asarray(count).astype(np.int64), np.asarray(change).astype(np.int64)
            shares = np.asarray(probability).astype(np.float64)
        except ValueError as error:
            raise _wrong("a field is not a number") from error
        if counts.size == 0 or set(counts.tolist()) != set(range(1, int(counts.max()) + 1)):
            raise _wrong("the counts are not 1, 2, 3, … without a gap")
        if len(set(zip(counts.tolist(), changes.tolist(), strict=True))) < counts.size:
            raise _wrong("a change of a count is given twice")
        largest = int(np.abs(changes).max())
        table = np.zeros((int(counts.max()) + 1, 2 * largest + 1))
        table[0, largest] = 1.0
        table[counts, changes + largest] = shares
        return cls(table)

    def as_csv(self) -> str:
        """Return the text of ``reference/perturbation/counts.csv``: every possible change, to 12 decimals."""
        lines = [
            f"{count},{change:.0f},{probability:.12f}"
            for count, row in enumerate(self.probabilities)
            for change, probability in zip(self.changes, row, strict=True)
            if count and probability
        ]
        return "\n".join(["count,change,probability", *lines, ""])

    @property
    def max_change(self) -> int:
        """The largest change of a count."""
        return int(self.probabilities.shape[1]) // 2

    @property
    def changes(self) -> Floats:
        """The changes in the order of the columns, shape (2 * max_change + 1,)."""
        return np.arange(-self.max_change, self.max_change + 1, dtype=np.float64)

    @property
    def variance(self) -> float:
        """The variance of the change of a large count, in persons squared."""
        return float(self.variances[-1])

    @cached_property
    def variances(self) -> Floats:
        """The variance of the change per row, in persons squared; the mean is 0."""
        return np.asarray(self.probabilities @ self.changes**2)

    @cached_property
    def bounds(self) -> Floats:
        """The row number plus the cumulative probability, one row after another, shape (rows * columns,)."""
        cumulative = np.cumsum(self.probabilities, axis=1)
        # From the last possible change on the sum is exactly 1, whatever the rounding of the table.
        last = self.probabilities.shape[1] - 1 - np.argmax(self.probabilities[:, ::-1] > 0, axis=1)
        cumulative[np.arange(cumulative.shape[1]) >= last[:, np.newaxis]] = 1.0
        return np.asarray((cumulative + np.arange(len(cumulative))[:, np.newaxis]).ravel())


def maximum_entropy_table(max_change: int, variance: float, *, forbidden: int = 0) -> ChangeTable:
    """Return the changes of counts of greatest entropy, without bias and with a given variance.

    Formula: for a count ``n`` the change ``d`` is a whole number from ``max(-n, -max_change)`` to ``max_change``. Of
    all probabilities with sum 1, mean 0 and variance ``V`` those of greatest entropy are
    ``p(d) = exp(a d + b d^2) / Z``. The convex function ``log Z - b V`` is smallest at these ``a`` and ``b``.

    Parameters
    ----------
    max_change : int
        The largest change, at least 1.
    variance : float
        In persons squared, above 0. Where a small count allows no change of this variance, its row has the nearest
        variance that is possible: for a count of 1 at most ``max_change``.
    forbidden : int
        No count changes into 1, …, ``forbidden``; 0 allows every target (``js`` in the R package ptable).

    Returns
    -------
    ChangeTable
        Rows for the counts 0 to ``max_change + forbidden``; the last row is symmetric and is for larger counts too.

    Raises
    ------
    ValueError
        For an argument out of range, or when a row has no solution.

    References
    ----------
    Giessing S (2016). Computational issues in the design of transition probabilities and disclosure risk estimation
    for additive noise. PSD 2016, LNCS 9867: 237-251. doi:10.1007/978-3-319-45381-1_18.
    Fraser B, Wooton J (2005). A proposed method for confidentialising tabular output to protect against differencing.
    UNECE/Eurostat work session on statistical data confidentiality, Geneva.

    Examples
    --------
    >>> maximum_entropy_table(2, 1.0).probabilities[-1].round(4).tolist()
    [0.0638, 0.2447, 0.383, 0.2447, 0.0638]
    """
    if max_change < 1 or forbidden < 0 or not 0 < variance < max_change**2:
        raise ValueError(f"no table: changes up to {max_change}, variance {variance}, forbidden {forbidden}")
    table = np.zeros((max_change + forbidden + 1, 2 * max_change + 1))
    table[0, max_change] = 1.0
    for count in range(1, len(table)):
        changes = np.arange(max(-count, -max_change), max_change + 1)
        allowed = changes[(count + changes == 0) | (count + changes > forbidden)]
        table[count, allowed + max_change] = _row(allowed.astype(np.float64), variance)
    return ChangeTable(table)


def _row(changes: Floats, variance: float) -> Floats:
    """The probabilities of greatest entropy on some changes with mean 0 and the nearest possible variance."""
    below, above = changes[changes <= 0], changes[changes >= 0]
    if not below.size or not above.size:
        raise ValueError("every allowed change has the same sign, so none is without bias")
    for low, high, reached in (
        (below[-1], above[0], variance <= -below[-1] * above[0] + _TOLERANCE),  # the smallest possible variance
        (below[0], above[-1], variance >= -below[0] * above[-1] - _TOLERANCE),  # the largest possible variance
    ):
        if reached:
            ends = np.zeros(changes.size)
            ends[changes == low] += 1.0 if low == high else high / (high - low)
            ends[changes == high] += 0.0 if low == high else -low / (high - low)
            return ends
    statistics = np.stack([changes, changes**2])
    wanted = np.array([0.0, variance])

    def probabilities(weights: Floats) -> Floats:
        return np.asarray(special.softmax(weights @ statistics))

    def dual(weights: Floats) -> float:
        return float(special.logsumexp(weights @ statistics) - weights @ wanted)

    def excess(weights: Floats) -> Floats:
        return np.asarray(statistics @ probabilities(weights) - wanted)

    def curvature(weights: Floats) -> Floats:
        shares = probabilities(weights)
        return np.asarray((statistics * shares) @ statistics.T - np.outer(statistics @ shares, statistics @ shares))

    near = optimize.minimize(dual, np.zeros(2), jac=excess, hess=curvature, method="trust-exact").x
    solution = optimize.root(excess, near, jac=curvature, tol=1e-14).x
    if np.abs(excess(solution)).max() > _TOLERANCE:
        raise ValueError(f"the changes {changes.tolist()} have no solution with variance {variance}")
    return probabilities(solution)


def _wrong(what: str) -> ContentError:
    return ContentError(what, "reference/perturbation/counts.csv", "write the table again with maximum_entropy_table")
