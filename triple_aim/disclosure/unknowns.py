"""What follows from sums that are known to hold, and what would keep it open: linear algebra. Pure numbers; no I/O.

Not here: which sums hold (``additions``), what is withheld so that nothing follows (``secondary``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import block_array, csr_array, eye_array, hstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: What counts as nought among random numbers of the order of one, and how closely relations must be met for that.
NOUGHT = 1e-6
MET = 1e-12
#: What counts as more than nought in the solution of a linear programme, where most entries are nought to the bit.
MOVED = 1e-9
#: What is added to the diagonal so that relations that repeat each other can be factored; refinement takes it out.
RIDGE = 1e-10
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
    # A seed: the same release from the same deliveries.
    free = np.where(unseen, np.random.default_rng(20).standard_normal(len(unseen)), 0.0)
    core, rounds = _peel(additions.of(unseen[additions.cell]), unseen)
    _project(_matrix(core, len(unseen)), free)
    for relations, pivots in reversed(rounds):
        free[pivots.cell] = 0.0
        sums = np.bincount(relations.relation, weights=relations.sign * free[relations.cell])
        free[pivots.cell] = -sums[pivots.relation] / pivots.sign
    return unseen & (np.abs(free) < NOUGHT)


def binding(additions: Additions, unseen: Mask, solved: Mask) -> Iterator[tuple[Ints, Additions]]:
    """The solved cells that hang together, and the relations by which they do; those that nothing binds are left out.

    Relations are left out in which an unseen cell of no other relation makes up for whatever their others are.
    """
    core, _ = _peel(additions, unseen & ~solved)
    links = _matrix(core, len(unseen))
    part = connected_components(block_array([[None, links], [links.T, None]]), directed=False)[1][links.shape[0] :]
    bound = solved & (np.bincount(core.cell, minlength=len(unseen)) > 0)
    for one in np.unique(part[bound]):
        yield np.flatnonzero(bound & (part == one)), core.of(part[core.cell] == one)


def opening(additions: Additions, unseen: Mask, cell: np.intp, cost: Floats) -> Mask | None:
    """Find the cells that would be open together with this one if the seen ones among them were withheld as well.

    Of all vectors that every relation maps to nought and that are 1 at the cell, the one of which the seen entries cost
    least: a linear programme, where to choose cells one by one is none.

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
    Women, men and both, of two places and together; one number follows, and a rectangle of cheap ones opens it.

    >>> one, other, both = np.array([0, 1, 2]), np.array([3, 4, 5]), np.array([6, 7, 8])
    >>> cells = np.concatenate([one, other, both, *np.stack([one, other, both]).T])
    >>> table = Additions(np.repeat(np.arange(6), 3), cells, np.tile([-1.0, -1, 1], 6))
    >>> dear = np.isin(np.arange(9), [2, 5, 6, 7, 8])
    >>> np.flatnonzero(opening(table, np.arange(9) == 0, np.intp(0), np.where(dear, 9.0, 1.0)))
    array([0, 1, 3, 4])
    """
    cells, column = np.unique(additions.cell, return_inverse=True)
    matrix = _matrix(Additions(additions.relation, column, additions.sign), len(cells)).tocsc()
    matrix = matrix[np.unique(additions.relation)]
    free, seen = np.flatnonzero(unseen[cells]), np.flatnonzero(~unseen[cells])
    # A seen entry is a rise less a fall, of which one is nought.
    columns = hstack([matrix[:, free], matrix[:, seen], -matrix[:, seen]])
    price = np.concatenate([np.zeros(len(free)), cost[cells[seen]], cost[cells[seen]]])
    low = np.where(np.arange(len(price)) < len(free), -np.inf, 0.0)
    high = np.full(len(price), np.inf)
    at = cells[free].searchsorted(cell)
    low[at] = high[at] = 1.0
    nought, bounds = np.zeros(matrix.shape[0]), np.column_stack([low, high])
    # A few steps from a basis of what is free. To simplify first takes longer, but settles what is left in doubt.
    for is_simplified in (False, True):
        options = {"presolve": is_simplified}
        found = linprog(price, A_eq=columns, b_eq=nought, bounds=bounds, method="highs-ds", options=options)
        if found.success or found.status == INFEASIBLE:
            break
    if found.status == INFEASIBLE:
        return None
    if not found.success:
        raise ArithmeticError("no cells were found that keep a withheld one open; nothing can be published")
    vector = np.zeros(len(unseen))
    vector[cells[free]] = found.x[: len(free)]
    vector[cells[seen]] = np.subtract(*np.split(found.x[len(free) :], 2))
    return np.abs(vector) > MOVED


def _peel(additions: Additions, loose: Mask) -> tuple[Additions, list[tuple[Additions, Additions]]]:
    """Set aside, round after round, the relations with a loose cell that is in no other of those that are left.

    Such a cell makes up for whatever the others of its relation are. Returned is what is left, and of each round the
    relations, and of each relation the cell that makes up for the others.
    """
    left, rounds = additions, []
    while left.cell.size:
        alone = loose[left.cell] & (np.bincount(left.cell, minlength=len(loose))[left.cell] == 1)
        if not alone.any():
            break
        is_open = np.zeros(left.relation.max() + 1, dtype=bool)
        is_open[left.relation[alone]] = True
        gone = is_open[left.relation]
        pivot = np.zeros_like(gone)
        pivot[np.flatnonzero(alone)[np.unique(left.relation[alone], return_index=True)[1]]] = True
        rounds.append((left.of(gone), left.of(pivot)))
        left = left.of(~gone)
    return left, rounds


def _project(matrix: csr_array, free: Floats) -> None:
    """Bring random numbers onto the vectors that all relations map to nought, in place."""
    square = matrix @ matrix.T + RIDGE * eye_array(matrix.shape[0])
    factors = splu(square.tocsc(), "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    for _ in range(REFINEMENTS):
        left = matrix @ free
        # What follows from the relations is as near to nought as they are.
        if np.abs(left).max(initial=0.0) < MET:
            return
        free -= matrix.T @ factors.solve(left)
    raise ArithmeticError("the sums of withheld cells do not settle; nothing can be said of what they tell")


def _matrix(additions: Additions, cells: int) -> csr_array:
    """Relations as rows, cells as columns."""
    shape = (int(additions.relation.max(initial=-1)) + 1, cells)
    return csr_array((additions.sign, (additions.relation, additions.cell)), shape=shape)
