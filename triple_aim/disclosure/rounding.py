"""The digits of published numbers.

Not here: which numbers are published (``protect``). A changed count is whole, but a rate of it, or events times a factor,
would have digits from which the exact count follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def rounded(values: Floats, decimals: int) -> Floats:
    """Return numbers rounded to a number of decimals, without negative zero.

    Parameters
    ----------
    values : ndarray of float
        In any unit; nan stays nan.
    decimals : int
        Digits after the point, 0 or more.

    Returns
    -------
    ndarray of float
        Same shape; a half is rounded to the even neighbour.

    Raises
    ------
    ValueError
        If ``decimals`` is negative.

    Examples
    --------
    >>> rounded(np.array([12.345, -0.0004]), 2)
    array([12.34,  0.  ])
    """
    if decimals < 0:
        raise ValueError("decimals cannot be negative")
    result: Floats = np.round(values, decimals) + 0.0
    return result
