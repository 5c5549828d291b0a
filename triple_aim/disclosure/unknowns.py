"""What follows from sums that are known to hold, and what would keep it open: linear algebra. Pure numbers; no I/O.

Not here: which sums hold (``additions``), what is withheld so that nothing follows (``secondary``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack
from scipy.sparse.linalg import splu

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: What counts as nought among random numbers of the order of one, and how closely relations must be met for that.
NOUGHT = 1e-6
MET = 1e-10
#: What is added to the diagonal so that relations that repeat each other can be factored; refinement takes it out.
RIDGE = 1e-7
REFINEMENTS = 30
#: What scipy's linprog says of a programme that nothing satisfies.
INFEASIBLE = 2


@dataclass(frozen=True)
class Additions:
    """Sums that hold: for each ``relation``, the cells with sign +1 equal those with sign -1.

    Entry ``i`` says that cell ``cell[i]`` stands in relation ``relation[i]`` with ``sign[i]``: +1 for the total, -1
    for its parts.
    """

    relation: Ints
    cell: Ints
    sign: Floats

    def of(self, kept: Mask) -> Additions:
        """Some of the entries."""
        return Additions(self.relation[kept], self.cell[kept], self.sign[kept])


def told(additions: Additions, unseen: Mask) -> Mask:
    """Tell which unseen cells follow from the others, by any combination of relations.

    Whatever else the unseen numbers might be differs from the true ones by a vector that every relation maps to nought.
    A cell follows exactly when all those vectors are nought there, which a random one tells with probability 1.

    >>> told(Additions(np.zeros(3, int), np.arange(3), np.array([1.0, -1, -1])), np.array([False, True, False]))
    array([False,  True, False])
    """
    hidden = _matrix(additions.of(unseen[additions.cell]), len(unseen))
    square = hidden @ hidden.T + RIDGE * eye_array(hidden.shape[0])
    factors = splu(square.tocsc(), "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    # A seed: the same release from the same deliveries.
    free = np.where(unseen, np.random.default_rng(20).standard_normal(len(unseen)), 0.0)
    for _ in range(REFINEMENTS):
        left = hidden @ free
        if np.abs(left).max(initial=0.0) < MET:
            return unseen & (np.abs(free) < NOUGHT)
        free -= hidden.T @ factors.solve(left)
    raise ArithmeticError("the sums of withheld cells do not settle; nothing can be said of what they tell")


def opening(additions: Additions, unseen: Mask, cell: np.intp, cost: Floats) -> Mask | None:
    """Find the cells that would be open together with this one if the seen ones among them were withheld as well.

    Of all vectors that every relation maps to nought and that are 1 at the cell, the one of which the seen entries cost
    least: a linear programme in place of the choice of cells, which is none.

    Parameters
    ----------
    additions : Additions
        The sums a reader knows to hold, over ``n`` cells.
    unseen : ndarray of bool, (n,)
        Cells whose number is not shown, this one among them.
    cell : integer
        A cell that follows.
    cost : ndarray of float, (n,)
        What a unit of a seen cell costs.

    Returns
    -------
    ndarray of bool, (n,) or None
        None where the cell follows whatever is withheld.

    References
    ----------
    Kelly, J. P., Golden, B. L. and Assad, A. A. (1992). Cell suppression: disclosure protection for sensitive tabular
    data. Networks 22(4), 397-417 (the relaxation; there for tables of two dimensions).

    Examples
    --------
    Two women's numbers and two men's, by place; the women of the first follow, and a rectangle opens them.

    >>> one, other, both = np.array([0, 1, 2]), np.array([3, 4, 5]), np.array([6, 7, 8])
    >>> cells = np.concatenate([one, other, both, *np.stack([one, other, both]).T])
    >>> table = Additions(np.repeat(np.arange(6), 3), cells, np.tile([-1.0, -1, 1], 6))
    >>> np.flatnonzero(opening(table, np.arange(9) == 0, np.intp(0), np.ones(9)))
    array([0, 1, 3, 4])
    """
    matrix = _matrix(additions, len(unseen)).tocsc()
    free, seen = np.flatnonzero(unseen), np.flatnonzero(~unseen)
    # A seen entry is a rise less a fall, of which one is nought.
    columns = hstack([matrix[:, free], matrix[:, seen], -matrix[:, seen]])
    price = np.concatenate([np.zeros(len(free)), cost[seen], cost[seen]])
    low = np.where(np.arange(len(price)) < len(free), -np.inf, 0.0)
    high = np.full(len(price), np.inf)
    low[free.searchsorted(cell)] = high[free.searchsorted(cell)] = 1.0
    found = linprog(price, A_eq=columns, b_eq=np.zeros(matrix.shape[0]), bounds=np.column_stack([low, high]))
    if found.status == INFEASIBLE:
        return None
    if not found.success:
        raise ArithmeticError("no cells were found that keep a withheld one open; nothing can be published")
    vector = np.zeros(len(unseen))
    vector[free] = found.x[: len(free)]
    vector[seen] = np.subtract(*np.split(found.x[len(free) :], 2))
    return np.abs(vector) > NOUGHT


def _matrix(additions: Additions, cells: int) -> csr_array:
    """Relations as rows, cells as columns."""
    shape = (int(additions.relation.max(initial=-1)) + 1, cells)
    return csr_array((additions.sign, (additions.relation, additions.cell)), shape=shape)
