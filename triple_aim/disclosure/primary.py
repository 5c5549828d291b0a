"""Primary suppression: the threshold rule on persons and cases. Pure numpy; no I/O.

Not here: cells that a reader can compute from other cells (``secondary``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def below_threshold(
    persons: ArrayLike,
    cases: ArrayLike,
    complement: ArrayLike,
    *,
    min_persons: float,
    min_cases: float,
) -> NDArray[np.bool_]:
    """Return which cells the threshold rule suppresses.

    The rule suppresses a cell with fewer than ``min_persons`` persons, with fewer than ``min_cases`` cases (zero
    cases included: they show that nobody in the cell has the trait), or with fewer than ``min_cases`` persons without
    the trait.

    Parameters
    ----------
    persons, cases, complement : array_like, broadcastable
        Persons, cases, and persons who are not a case, per cell. nan where a count does not apply (euros have no
        cases); nan never suppresses. Apportioned counts may be fractions.
    min_persons, min_cases : float
        The thresholds of the source.

    Returns
    -------
    ndarray of bool
        Broadcast shape; true where the cell must be suppressed.

    Raises
    ------
    ValueError
        For a threshold below 0.

    References
    ----------
    ESSNet SDC (2010). Handbook on statistical disclosure control, section 4.2 (threshold rule).

    Examples
    --------
    >>> below_threshold([9, 10, 500, 500], [9, 10, 3, 498], [0, 90, 497, 2], min_persons=10, min_cases=5)
    array([ True, False,  True,  True])
    """
    if min_persons < 0 or min_cases < 0:
        raise ValueError("a threshold cannot be negative")
    people, counted, others = np.broadcast_arrays(
        np.asarray(persons, float), np.asarray(cases, float), np.asarray(complement, float)
    )
    # Comparisons with nan are false: a count that does not apply suppresses nothing.
    return (people < min_persons) | (counted < min_cases) | (others < min_cases)
