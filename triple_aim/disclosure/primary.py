"""Which cells rest on too few persons or cases to be shown. Pure numpy; no I/O.

Not here: cells that could be solved for from their neighbours; that is ``secondary``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def too_small(
    persons: ArrayLike,
    cases: ArrayLike,
    complement: ArrayLike,
    *,
    least_persons: float,
    least_cases: float,
) -> NDArray[np.bool_]:
    """Tell which cells must be withheld.

    A cell is withheld when it rests on fewer than ``least_persons`` persons, counts fewer than ``least_cases`` cases
    (none at all included: that nobody has a trait can be told of everybody), or leaves fewer than ``least_cases``
    persons without the trait.

    Parameters
    ----------
    persons, cases, complement : array_like, broadcastable
        Persons a cell rests on, cases it counts, persons who are no case. nan where the number has no meaning for
        the cell (euros have no cases); it then withholds nothing. Apportioned counts may be fractions.
    least_persons, least_cases : float
        The thresholds of the source.

    Returns
    -------
    ndarray of bool
        Broadcast shape; true where the cell must be withheld.

    Raises
    ------
    ValueError
        For a threshold below 0.

    References
    ----------
    ESSNet SDC (2010). Handbook on statistical disclosure control, section 4.2 (threshold rule).

    Examples
    --------
    >>> too_small([9, 10, 500, 500], [9, 10, 3, 498], [0, 90, 497, 2], least_persons=10, least_cases=5)
    array([ True, False,  True,  True])
    """
    if least_persons < 0 or least_cases < 0:
        raise ValueError("a threshold cannot be negative")
    people, counted, others = np.broadcast_arrays(
        np.asarray(persons, float), np.asarray(cases, float), np.asarray(complement, float)
    )
    # Comparisons with nan are false: a number that does not exist withholds nothing.
    return (people < least_persons) | (counted < least_cases) | (others < least_cases)
