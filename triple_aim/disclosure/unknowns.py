"""Linear algebra on sum constraints: which hidden cells they determine, and which cells undo that. No I/O.

Not here: which sums hold (``sum_constraints``), or the choice of the cells to suppress (``secondary``).
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

#: Below this an entry of a random null vector counts as zero (entries are of the order of 1), and how closely the
#: vector must meet the constraints for that.
ZERO = 1e-6
RESIDUAL = 1e-12
#: Above this an entry of a solution of a linear programme counts as non-zero; most entries are exactly zero.
NON_ZERO = 1e-9
#: Added to the diagonal so that redundant constraints can be factored; iterative refinement removes its effect.
RIDGE = 1e-10
MAX_REFINEMENTS = 30
#: Status of scipy's linprog for a programme without a feasible solution.
INFEASIBLE = 2


@dataclass(frozen=True)
class SumConstraints:
    """Sums that hold: in each constraint, the cells with sign +1 add up to the same as those with sign -1.

    Entry ``i`` puts cell ``cell[i]`` into constraint ``constraint[i]`` with ``sign[i]``: +1 for the total, -1 for its
    parts.
    """

    constraint: Ints
    cell: Ints
    sign: Floats

    def select(self, entries: Mask) -> SumConstraints:
        """Keep some of the entries."""
        return SumConstraints(self.constraint[entries], self.cell[entries], self.sign[entries])


def determined_cells(constraints: SumConstraints, hidden: Mask) -> Mask:
    """Return which hidden cells follow from the shown ones, by any combination of constraints.

    All numbers that the hidden cells can have differ from the true ones by a null vector of the constraints. A cell is
    determined exactly when every null vector is zero there; a random null vector shows that with probability 1.

    >>> total_and_parts = SumConstraints(np.zeros(3, int), np.arange(3), np.array([1.0, -1, -1]))
    >>> determined_cells(total_and_parts, np.array([False, True, False]))
    array([False,  True, False])
    """
    # The seed is fixed: the same deliveries give the same release.
    vector = np.where(hidden, np.random.default_rng(20).standard_normal(len(hidden)), 0.0)
    core, rounds = _eliminate_slack(constraints.select(hidden[constraints.cell]), hidden)
    _project_onto_null_space(_matrix(core, len(hidden)), vector)
    for removed, slack in reversed(rounds):
        vector[slack.cell] = 0.0
        sums = np.bincount(removed.constraint, weights=removed.sign * vector[removed.cell])
        vector[slack.cell] = -sums[slack.constraint] / slack.sign
    return hidden & (np.abs(vector) < ZERO)


def determined_components(
    constraints: SumConstraints, hidden: Mask, determined: Mask
) -> Iterator[tuple[Ints, SumConstraints]]:
    """Yield each connected component of the determined cells, and the constraints that connect it.

    Constraints with a slack cell are left out: a hidden, undetermined cell of no other constraint, which can absorb any
    change of the other cells. Determined cells without other constraints are left out too.
    """
    core, _ = _eliminate_slack(constraints, hidden & ~determined)
    matrix = _matrix(core, len(hidden))
    graph = block_array([[None, matrix], [matrix.T, None]])
    component = connected_components(graph, directed=False)[1][matrix.shape[0] :]
    constrained = determined & (np.bincount(core.cell, minlength=len(hidden)) > 0)
    for number in np.unique(component[constrained]):
        cells = np.flatnonzero(constrained & (component == number))
        yield cells, core.select(component[core.cell] == number)


def complementary_cells(constraints: SumConstraints, hidden: Mask, cell: np.intp, cost: Floats) -> Mask | None:
    """Find the cells that are undetermined together with this one if the shown cells among them are suppressed too.

    The cells are the support of the null vector that is 1 at the cell and whose shown entries cost least. This is a
    linear programme; a choice cell by cell would be an integer programme.

    Parameters
    ----------
    constraints : SumConstraints
        The sums a reader knows to hold, over ``n`` cells.
    hidden : ndarray of bool, (n,)
        Cells whose number is not shown, this one included.
    cell : integer
        A determined cell.
    cost : ndarray of float, (n,)
        Cost of one unit of a shown cell.

    Returns
    -------
    ndarray of bool, (n,) or None
        None where the cell is determined whatever is suppressed.

    Raises
    ------
    ArithmeticError
        If the solver finds no solution and does not prove that there is none.

    References
    ----------
    Kelly, J. P., Golden, B. L. and Assad, A. A. (1992). Cell suppression: disclosure protection for sensitive tabular
    data. Networks 22(4), 397-417 (the relaxation; there for tables of two dimensions).

    Examples
    --------
    Women, men and both sexes, of two places and their total. One number is determined; suppressing a rectangle of cheap
    cells makes it undetermined.

    >>> one, other, both = np.array([0, 1, 2]), np.array([3, 4, 5]), np.array([6, 7, 8])
    >>> cells = np.concatenate([one, other, both, *np.stack([one, other, both]).T])
    >>> table = SumConstraints(np.repeat(np.arange(6), 3), cells, np.tile([-1.0, -1, 1], 6))
    >>> cost = np.where(np.isin(np.arange(9), [2, 5, 6, 7, 8]), 9.0, 1.0)
    >>> np.flatnonzero(complementary_cells(table, np.arange(9) == 0, np.intp(0), cost))
    array([0, 1, 3, 4])
    """
    cells, column = np.unique(constraints.cell, return_inverse=True)
    matrix = _matrix(SumConstraints(constraints.constraint, column, constraints.sign), len(cells)).tocsc()
    matrix = matrix[np.unique(constraints.constraint)]
    free, shown = np.flatnonzero(hidden[cells]), np.flatnonzero(~hidden[cells])
    # The entry of a shown cell is a rise minus a fall, one of which is zero.
    columns = hstack([matrix[:, free], matrix[:, shown], -matrix[:, shown]])
    objective = np.concatenate([np.zeros(len(free)), cost[cells[shown]], cost[cells[shown]]])
    low = np.where(np.arange(len(objective)) < len(free), -np.inf, 0.0)
    high = np.full(len(objective), np.inf)
    position = cells[free].searchsorted(cell)
    low[position] = high[position] = 1.0
    zeros, bounds = np.zeros(matrix.shape[0]), np.column_stack([low, high])
    # Without presolve the simplex needs few steps and is faster; presolve decides the programmes it leaves open.
    for presolve in (False, True):
        options = {"presolve": presolve}
        result = linprog(objective, A_eq=columns, b_eq=zeros, bounds=bounds, method="highs-ds", options=options)
        if result.success or result.status == INFEASIBLE:
            break
    if result.status == INFEASIBLE:
        return None
    if not result.success:
        raise ArithmeticError("the solver found no complementary cells for a withheld cell; nothing can be published")
    vector = np.zeros(len(hidden))
    vector[cells[free]] = result.x[: len(free)]
    vector[cells[shown]] = np.subtract(*np.split(result.x[len(free) :], 2))
    return np.abs(vector) > NON_ZERO


def _eliminate_slack(
    constraints: SumConstraints, free: Mask
) -> tuple[SumConstraints, list[tuple[SumConstraints, SumConstraints]]]:
    """Remove, round after round, the constraints with a slack cell: a free cell of no other remaining constraint.

    Return the remaining constraints, and per round the removed constraints and the slack cell of each.
    """
    remaining, rounds = constraints, []
    while remaining.cell.size:
        is_slack = free[remaining.cell] & (np.bincount(remaining.cell, minlength=len(free))[remaining.cell] == 1)
        if not is_slack.any():
            break
        has_slack = np.zeros(remaining.constraint.max() + 1, dtype=bool)
        has_slack[remaining.constraint[is_slack]] = True
        is_removed = has_slack[remaining.constraint]
        chosen = np.zeros_like(is_removed)
        chosen[np.flatnonzero(is_slack)[np.unique(remaining.constraint[is_slack], return_index=True)[1]]] = True
        rounds.append((remaining.select(is_removed), remaining.select(chosen)))
        remaining = remaining.select(~is_removed)
    return remaining, rounds


def _project_onto_null_space(matrix: csr_array, vector: Floats) -> None:
    """Project the vector onto the null space of the matrix, in place.

    Raises
    ------
    ArithmeticError
        If iterative refinement does not converge.
    """
    square = matrix @ matrix.T + RIDGE * eye_array(matrix.shape[0])
    factors = splu(square.tocsc(), "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    for _ in range(MAX_REFINEMENTS):
        residual = matrix @ vector
        # The entry of a determined cell is as close to zero as the constraints are to being met.
        if np.abs(residual).max(initial=0.0) < RESIDUAL:
            return
        vector -= matrix.T @ factors.solve(residual)
    raise ArithmeticError("the sums of withheld cells do not converge; which cells they determine is unknown")


def _matrix(constraints: SumConstraints, cells: int) -> csr_array:
    """Return the constraints as rows, the cells as columns."""
    shape = (int(constraints.constraint.max(initial=-1)) + 1, cells)
    return csr_array((constraints.sign, (constraints.constraint, constraints.cell)), shape=shape)
