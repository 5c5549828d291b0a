"""Comparison of a region with a reference, from intervals or control limits alone.

Belongs here: verdicts. Not here: which direction is better (the indicator's ``polarity``), or colours.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triple_aim.stats.arguments import broadcast
from triple_aim.stats.estimate import Estimate


class Difference(IntEnum):
    """Verdict of a comparison. ``NOT_COMPARED`` is far from the others so that no sum or mean hides it."""

    NOT_COMPARED = -9
    LOWER = -1
    NO_DEMONSTRABLE_DIFFERENCE = 0
    HIGHER = 1


class Significance(IntEnum):
    """Position of a value relative to two pairs of control limits, e.g. of 95 % and 99.8 %."""

    NOT_COMPARED = -9
    FAR_BELOW = -2
    BELOW = -1
    WITHIN = 0
    ABOVE = 1
    FAR_ABOVE = 2


def interval_overlap(estimate: Estimate, reference: Estimate | ArrayLike) -> NDArray[np.int8]:
    """Return whether the interval of an estimate is entirely below or above that of the reference.

    Formula: lower if ``upper < reference lower``, higher if ``lower > reference upper``; touching intervals do not
    differ. Two 95 % intervals that just separate differ with p of about 0.006, so the rule is cautious: no demonstrable
    difference does not prove equality.

    Parameters
    ----------
    estimate : Estimate
        Values to compare.
    reference : Estimate or array_like, broadcastable
        Another estimate, or fixed numbers (a norm, or a complete count passed as its ``.value``).

    Returns
    -------
    ndarray of int8
        Broadcast shape, values of :class:`Difference`; ``NOT_COMPARED`` where any limit is missing.

    Raises
    ------
    ValueError
        For shapes that do not fit.

    References
    ----------
    Schenker N, Gentleman JF (2001). On judging the significance of differences by examining the overlap
    between confidence intervals. American Statistician 55: 182-186.

    Examples
    --------
    >>> region = Estimate(np.array([4.0, 9.0]), np.array([3.0, 8.0]), np.array([5.0, np.nan]))
    >>> interval_overlap(region, 6.0)
    array([-1, -9], dtype=int8)
    """
    floor, ceiling = (reference.lower, reference.upper) if isinstance(reference, Estimate) else (reference, reference)
    lower, upper, floor, ceiling = broadcast(
        lower=estimate.lower, upper=estimate.upper, reference_lower=floor, reference_upper=ceiling
    )
    verdict = np.zeros(lower.shape, dtype=np.int8)
    # Comparisons with nan are false, so NOT_COMPARED is set last and explicitly.
    verdict[upper < floor] = Difference.LOWER
    verdict[lower > ceiling] = Difference.HIGHER
    verdict[np.isnan(lower + upper + floor + ceiling)] = Difference.NOT_COMPARED
    return verdict


def outside_limits(value: ArrayLike, inner: Estimate, outer: Estimate) -> NDArray[np.int8]:
    """Return the position of a value relative to the control limits of a funnel.

    Formula: far above if ``value > outer upper``, above if ``value > inner upper``, and likewise below; a value on a
    limit is within it.

    Parameters
    ----------
    value : array_like
        Values to compare, in the unit of the limits.
    inner, outer : Estimate, broadcastable
        Control limits of the lower and of the higher level, e.g. 0.95 and 0.998, around one target.

    Returns
    -------
    ndarray of int8
        Broadcast shape, values of :class:`Significance`; ``NOT_COMPARED`` where the value or a limit is missing.

    Raises
    ------
    ValueError
        If the inner limits lie outside the outer ones, or the shapes do not fit.

    References
    ----------
    Spiegelhalter DJ (2005). Funnel plots for comparing institutional performance. Stat Med 24: 1185-1202.

    Examples
    --------
    >>> inner, outer = (Estimate(*np.array([10.0, 10 - w, 10 + w])) for w in (2, 3))
    >>> outside_limits([6.5, 7.5, 12.0, np.nan], inner, outer)
    array([-2, -1,  0, -9], dtype=int8)
    """
    value, low, high, far_low, far_high = broadcast(
        value=value, lower=inner.lower, upper=inner.upper, outer_lower=outer.lower, outer_upper=outer.upper
    )
    if (far_low > low).any() or (far_high < high).any():
        raise ValueError("inner limits must be within the outer ones: pass the lower level first")
    verdict = np.zeros(value.shape, dtype=np.int8)
    # The order matters: FAR_ABOVE overwrites ABOVE, and NOT_COMPARED overwrites both.
    verdict[value < low] = Significance.BELOW
    verdict[value > high] = Significance.ABOVE
    verdict[value < far_low] = Significance.FAR_BELOW
    verdict[value > far_high] = Significance.FAR_ABOVE
    verdict[np.isnan(value + low + high + far_low + far_high)] = Significance.NOT_COMPARED
    return verdict
