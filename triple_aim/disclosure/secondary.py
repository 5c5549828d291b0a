"""Which further cells must be withheld so that no withheld one can be worked out. Pure numbers; no I/O.

Here: which withheld cells follow from sums that are known to hold, and what to withhold to stop that. Not here: which
sums hold (``additions``), which cells are small (``primary``), what a withheld row loses (``protect``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from triple_aim.disclosure.primary import too_small
from triple_aim.disclosure.unknowns import Additions, Floats, Mask, binding, opening, told

#: The power of a cost that a linear programme weighs: of costs from one to a billion a solver loses the small ones.
STEEPNESS = 0.25


@dataclass(frozen=True)
class Counts:
    """What cells rest on, and the least that may be known of cells together."""

    persons: Floats
    cases: Floats
    others: Floats
    least_persons: float
    least_cases: float


def further(additions: Additions, unseen: Mask, guarded: Mask, cost: Floats, counts: Counts) -> Mask:
    """Choose the cells to withhold beside those that are small themselves.

    Cells are withheld, the cheapest first and one that mends several relations before one that mends one, until

    * no relation has one unseen cell, and it a guarded one: it would be the total minus the others;
    * no relation shows its total and hides parts that are too small together: they would all be bounded by that;
    * no guarded cell follows from any combination of relations (differences of regions that overlap, for instance).

    What is chosen is guarded from then on.

    Parameters
    ----------
    additions : Additions
        The sums a reader knows to hold, over ``n`` cells.
    unseen : ndarray of bool, (n,)
        Cells whose number is not shown, for whatever reason.
    guarded : ndarray of bool, (n,)
        Those of them that nobody may work out. The others are unknown until they follow from what is shown.
    cost : ndarray of float, (n,)
        What withholding a cell loses; only the order matters.
    counts : Counts
        Persons, cases and persons who are no case of each cell (nan where it has no meaning), and the thresholds.

    Returns
    -------
    ndarray of bool, (n,)
        The cells to withhold further.

    Notes
    -----
    The first two are mended greedily and the third one cell after another, so a solution is found, not the cheapest.
    That a cell does not follow from sums does not mean that it cannot be bounded closely: no intervals are computed.

    References
    ----------
    Hundepool, A. et al. (2012). Statistical disclosure control, Wiley, chapter 4 (secondary cell suppression).

    Examples
    --------
    A total of 100 and its parts of 5, 25 and 70, of which the first is small; the second is the cheaper to withhold.

    >>> parts = Additions(np.zeros(4, int), np.arange(4), np.array([1.0, -1, -1, -1]))
    >>> size, small = np.array([100.0, 5, 25, 70]), np.array([False, True, False, False])
    >>> further(parts, small, small, size, Counts(size, size, size * np.nan, 10, 10))
    array([False, False,  True, False])
    """
    unseen, guarded = unseen.copy(), guarded.copy()
    chosen = np.zeros_like(unseen)
    while True:
        more = _by_relation(additions, unseen, guarded, cost, counts)
        if not more.any():
            more = _by_combination(additions, unseen, guarded, cost)
        if not more.any():
            return chosen
        chosen |= more
        unseen |= more
        guarded |= more


def _by_relation(additions: Additions, unseen: Mask, guarded: Mask, cost: Floats, counts: Counts) -> Mask:
    """The next cells to withhold for what single relations tell; none once they tell nothing."""
    relation, cell, part = additions.relation, additions.cell, additions.sign < 0
    size = int(relation.max()) + 1 if relation.size else 0
    unknown = unseen.copy()
    while True:  # a cell that need not be guarded and follows from its relation is known
        single = np.bincount(relation, weights=unknown[cell], minlength=size) == 1
        follows = cell[single[relation] & unknown[cell] & ~guarded[cell]]
        if not follows.size:
            break
        unknown[follows] = False
    hidden, watched = unknown[cell], (unknown & guarded)[cell]
    known_total = np.bincount(relation, weights=hidden & ~part, minlength=size) == 0
    sums = (
        np.bincount(relation, weights=np.where(hidden & part, count[cell], 0.0), minlength=size)
        for count in (counts.persons, counts.cases, counts.others)
    )
    small = too_small(*sums, least_persons=counts.least_persons, least_cases=counts.least_cases)
    tells = (single | (known_total & small)) & (np.bincount(relation, weights=watched, minlength=size) > 0)
    open_to = tells[relation] & ~unseen[cell]
    mends = np.bincount(cell[open_to], minlength=len(unseen))
    return _cheapest(additions.of(open_to), cost / np.maximum(mends, 1) ** 2)


def _by_combination(additions: Additions, unseen: Mask, guarded: Mask, cost: Floats) -> Mask:
    """The cells to withhold for what relations tell together; none once they tell nothing."""
    chosen, opened = np.zeros_like(unseen), np.zeros_like(unseen)
    price = 1 + cost**STEEPNESS
    for cells, bound in binding(additions, unseen, told(additions, unseen) & guarded):
        for cell in cells:
            # Nothing is found where a cell follows whatever is withheld; what others leave no room for is no secret.
            found = None if opened[cell] else opening(bound, unseen | chosen, cell, price)
            if found is not None:
                opened |= found
                chosen |= found & ~unseen
    return chosen


def _cheapest(candidates: Additions, cost: Floats) -> Mask:
    """Cells that are the cheapest in every relation that they would mend; the others wait for what these mend."""
    chosen = np.zeros(len(cost), dtype=bool)
    if not candidates.cell.size:
        return chosen
    rank = np.empty(len(cost), dtype=np.intp)
    rank[np.argsort(cost, kind="stable")] = np.arange(len(cost))  # no two alike
    best = np.full(candidates.relation.max() + 1, len(cost))
    np.minimum.at(best, candidates.relation, rank[candidates.cell])
    beaten = candidates.cell[rank[candidates.cell] > best[candidates.relation]]
    chosen[candidates.cell] = True
    chosen[beaten] = False
    return chosen
