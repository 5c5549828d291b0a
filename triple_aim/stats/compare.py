"""Saying whether a region differs from a reference, from intervals alone.

Belongs here: verdicts. Does not belong here: good or bad (the indicator's ``polarity``) and colours.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triple_aim.stats.arguments import together
from triple_aim.stats.estimate import Estimate


class Difference(IntEnum):
    """Verdict of a comparison. ``NOT_COMPARED`` lies far from the others so that no sum or mean hides it."""

    NOT_COMPARED = -9
    LOWER = -1
    NO_DEMONSTRABLE_DIFFERENCE = 0
    HIGHER = 1


def interval_overlap(estimate: Estimate, reference: Estimate | ArrayLike) -> NDArray[np.int8]:
    """Tell whether the interval of an estimate lies wholly below or above the reference's.

    Formula: lower if ``upper < reference lower``, higher if ``lower > reference upper``; touching is no
    difference. Two 95 % intervals that just part differ with p of about 0.006, so this is a cautious rule:
    silence is not proof of equality.

    Parameters
    ----------
    estimate : Estimate
        Values to be judged.
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
    lower, upper, floor, ceiling = together(
        lower=estimate.lower, upper=estimate.upper, reference_lower=floor, reference_upper=ceiling
    )
    verdict = np.zeros(lower.shape, dtype=np.int8)
    # nan compares false everywhere, so "not compared" has to be said last and explicitly.
    verdict[upper < floor] = Difference.LOWER
    verdict[lower > ceiling] = Difference.HIGHER
    verdict[np.isnan(lower + upper + floor + ceiling)] = Difference.NOT_COMPARED
    return verdict
