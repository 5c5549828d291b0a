"""Secondary suppression: which further cells to suppress so that no protected cell is determined. No I/O.

Not here: which sums hold (``sum_constraints``), which cells they determine (``unknowns``), the threshold rule
(``primary``), or what a suppressed row loses (``protect``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from triple_aim.disclosure.primary import below_threshold
from triple_aim.disclosure.unknowns import (
    Floats,
    Mask,
    SumConstraints,
    complementary_cells,
    determined_cells,
    determined_components,
)

#: The linear programme weighs costs by this power: a solver loses the small ones among costs from 1 to a billion.
COST_EXPONENT = 0.25


@dataclass(frozen=True)
class Counts:
    """Persons, cases and persons who are not a case, per cell, and the thresholds for cells and their sums."""

    persons: Floats
    cases: Floats
    complement: Floats
    min_persons: float
    min_cases: float


def secondary_suppression(
    constraints: SumConstraints, hidden: Mask, protected: Mask, cost: Floats, counts: Counts
) -> Mask:
    """Choose the cells to suppress in addition to those that fail the threshold rule.

    Cells are suppressed until

    * no constraint has a protected cell as its only hidden cell: it would be the total minus the other parts;
    * no constraint shows its total and hides parts that together fail the threshold rule: the total bounds them all;
    * no protected cell is determined by any combination of constraints (differences of overlapping regions, say).

    The cheapest cell comes first, and a cell that protects in several constraints before a cell that protects in one.
    A chosen cell is protected from then on.

    Parameters
    ----------
    constraints : SumConstraints
        The sums a reader knows to hold, over ``n`` cells.
    hidden : ndarray of bool, (n,)
        Cells whose number is not shown, for whatever reason.
    protected : ndarray of bool, (n,)
        The hidden cells that must stay undetermined. The other hidden cells may become known.
    cost : ndarray of float, (n,)
        What the suppression of a cell loses; only the order matters.
    counts : Counts
        Persons, cases and persons who are not a case of each cell (nan where it does not apply), and the thresholds.

    Returns
    -------
    ndarray of bool, (n,)
        The cells to suppress in addition.

    Raises
    ------
    ArithmeticError
        If the linear algebra or the linear programme does not converge.

    Notes
    -----
    The first two are solved greedily and the third cell by cell, so the solution protects but need not be the cheapest.
    An undetermined cell may still have a narrow feasibility interval: intervals are not computed.

    References
    ----------
    Hundepool, A. et al. (2012). Statistical disclosure control, Wiley, chapter 4 (secondary cell suppression).

    Examples
    --------
    A total of 100 and its parts of 5, 25 and 70. The first part fails the threshold rule; the second is the cheaper of
    the other two.

    >>> parts = SumConstraints(np.zeros(4, int), np.arange(4), np.array([1.0, -1, -1, -1]))
    >>> size, small = np.array([100.0, 5, 25, 70]), np.array([False, True, False, False])
    >>> secondary_suppression(parts, small, small, size, Counts(size, size, size * np.nan, 10, 10))
    array([False, False,  True, False])
    """
    hidden, protected = hidden.copy(), protected.copy()
    chosen = np.zeros_like(hidden)
    while True:
        step = _protect_single(constraints, hidden, protected, cost, counts)
        if not step.any():
            step = _protect_combined(constraints, hidden, protected, cost)
        if not step.any():
            return chosen
        chosen |= step
        hidden |= step
        protected |= step


def _protect_single(constraints: SumConstraints, hidden: Mask, protected: Mask, cost: Floats, counts: Counts) -> Mask:
    """Return the next cells to suppress because of single constraints; none once no constraint discloses."""
    constraint, cell, is_part = constraints.constraint, constraints.cell, constraints.sign < 0
    size = int(constraint.max()) + 1 if constraint.size else 0
    unknown = hidden.copy()
    while True:  # an unprotected cell that is the only unknown of a constraint becomes known
        has_one_unknown = np.bincount(constraint, weights=unknown[cell], minlength=size) == 1
        becomes_known = cell[has_one_unknown[constraint] & unknown[cell] & ~protected[cell]]
        if not becomes_known.size:
            break
        unknown[becomes_known] = False
    is_unknown, is_protected = unknown[cell], (unknown & protected)[cell]
    total_is_known = np.bincount(constraint, weights=is_unknown & ~is_part, minlength=size) == 0
    sums = (
        np.bincount(constraint, weights=np.where(is_unknown & is_part, count[cell], 0.0), minlength=size)
        for count in (counts.persons, counts.cases, counts.complement)
    )
    is_small = below_threshold(*sums, min_persons=counts.min_persons, min_cases=counts.min_cases)
    has_protected = np.bincount(constraint, weights=is_protected, minlength=size) > 0
    discloses = (has_one_unknown | (total_is_known & is_small)) & has_protected
    is_candidate = discloses[constraint] & ~hidden[cell]
    uses = np.bincount(cell[is_candidate], minlength=len(hidden))
    return _cheapest(constraints.select(is_candidate), cost / np.maximum(uses, 1) ** 2)


def _protect_combined(constraints: SumConstraints, hidden: Mask, protected: Mask, cost: Floats) -> Mask:
    """Return the cells to suppress because of constraints combined; none once no protected cell is determined."""
    chosen, undetermined = np.zeros_like(hidden), np.zeros_like(hidden)
    weight = 1 + cost**COST_EXPONENT
    determined = determined_cells(constraints, hidden) & protected
    for cells, component in determined_components(constraints, hidden, determined):
        for cell in cells:
            if undetermined[cell]:
                continue
            complementary = complementary_cells(component, hidden | chosen, cell, weight)
            # Without complementary cells the other cells leave no alternative: the number is not a secret.
            if complementary is not None:
                undetermined |= complementary
                chosen |= complementary & ~hidden
    return chosen


def _cheapest(candidates: SumConstraints, cost: Floats) -> Mask:
    """Return the cells that are the cheapest of every constraint they are a candidate in.

    The other constraints wait: a cell that is chosen now may protect them too.
    """
    chosen = np.zeros(len(cost), dtype=bool)
    if not candidates.cell.size:
        return chosen
    rank = np.empty(len(cost), dtype=np.intp)
    rank[np.argsort(cost, kind="stable")] = np.arange(len(cost))  # all ranks differ
    best = np.full(candidates.constraint.max() + 1, len(cost))
    np.minimum.at(best, candidates.constraint, rank[candidates.cell])
    beaten = candidates.cell[rank[candidates.cell] > best[candidates.constraint]]
    chosen[candidates.cell] = True
    chosen[beaten] = False
    return chosen
