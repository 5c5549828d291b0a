"""The digits of published numbers.

Not here: which numbers are published (``protect``). A changed count is whole, but a rate of it, or events times a
factor, would have digits from which the exact count follows.
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


def significant(values: Floats, digits: int, *, least: float = 0.0) -> Floats:
    """Return numbers rounded to a number of significant digits, and never finer than to ``least``.

    Parameters
    ----------
    values : ndarray of float
        In any unit; nan stays nan.
    digits : int
        Significant digits, 1 or more.
    least : float
        The smallest step between two results, in the unit of the values.

    Returns
    -------
    ndarray of float
        Same shape.

    Raises
    ------
    ValueError
        If ``digits`` is less than 1.

    Examples
    --------
    >>> significant(np.array([43217.0, 128.0, 0.0]), 2, least=10)
    array([43000.,   130.,     0.])
    """
    if digits < 1:
        raise ValueError("a number has at least one significant digit")
    size = np.where(np.nan_to_num(values) == 0, 1.0, np.abs(values))
    step = np.maximum(10.0 ** (np.floor(np.log10(size)) - digits + 1), least)
    result: Floats = np.round(values / step) * step + 0.0
    return result
