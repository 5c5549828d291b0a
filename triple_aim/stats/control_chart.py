"""Statistical process control: is a series stable, does it change, and will it reach its target?

Belongs here: the XmR chart (individual values and moving ranges), the special-cause rules and the two questions of NHS
England's "Making Data Count". Not here: the five-point test on yearly figures (``trend``) and funnels over regions
(``funnel``).

Time is the last axis, the latest point last. A missing point does not count for the limits, has no moving range with
its neighbours and ends a run. Limits need about 15 points.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from triple_aim.stats.arguments import broadcast, quotient, require_one_of
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.vocabulary import Polarity

Flags = NDArray[np.bool_]

LIMIT_FACTOR = 2.66  # 3 / 1.128: three sigma, from the mean range of two normal values
SCREEN_FACTOR = 3.267  # upper limit of the moving ranges themselves
RUN_LENGTH = 7  # points; Making Data Count. Others use 6, 8 or 9
FEWEST_POINTS = 12  # NHSRplotthedots calls the limits of fewer points trial limits
ENOUGH_POINTS = 15


class Variation(IntEnum):
    """Verdict of the special-cause rules on a point."""

    NOT_JUDGED = -9
    CONCERN = -1
    COMMON_CAUSE = 0
    IMPROVEMENT = 1
    SPECIAL_CAUSE = 2


class Assurance(IntEnum):
    """Whether a stable process reaches its target."""

    NOT_JUDGED = -9
    CONSISTENTLY_FAILS = -1
    HIT_AND_MISS = 0
    CONSISTENTLY_PASSES = 1


@dataclass(frozen=True, slots=True, eq=False)
class SpecialCauses:
    """Points of a special cause, rule by rule; each array of bool has the shape of the series.

    Parameters
    ----------
    outside : ndarray
        Beyond a process limit.
    run : ndarray
        In a run of seven or more on one side of the centre.
    trend : ndarray
        In seven or more that each rise, or each fall.
    near_limit : ndarray
        Close to a limit (inside it, beyond two thirds of the distance to it), as at least two of three consecutive
        points are, all three on one side of the centre.
    """

    outside: Flags
    run: Flags
    trend: Flags
    near_limit: Flags

    @property
    def any(self) -> Flags:
        """Whether any rule applies."""
        return self.outside | self.run | self.trend | self.near_limit


def xmr_limits(value: ArrayLike, *, baseline: int | None = None, screen: bool = True) -> Estimate:
    """Return centre and process limits of an XmR chart.

    Formula: ``m -+ 2.66 r`` with ``m`` the mean and ``r`` the mean moving range ``|x_t - x_(t-1)|``.

    Parameters
    ----------
    value : array_like, consecutive points on the last axis
    baseline : int, optional
        Number of first points that determine the limits, e.g. those before a change; all points unless given.
    screen : bool
        Leave out moving ranges of 3.267 times their mean or more, then average again, so that one jump does not widen
        the limits that should detect it.

    Returns
    -------
    Estimate
        Leading shape with a last axis of 1, so that it broadcasts against the series. Limits nan without a
        moving range.

    Raises
    ------
    ValueError
        For a baseline below 2 or a value without axes.

    References
    ----------
    Wheeler DJ (2000). Understanding variation, 2nd ed. NHS England. Making data count.

    Examples
    --------
    >>> limits = xmr_limits([10.0, 12.0, 11.0, 13.0, 12.0])
    >>> [part.round(2).item() for part in (limits.value, limits.lower, limits.upper)]
    [11.6, 7.61, 15.59]
    """
    (value,) = broadcast(value=value)
    _has_time(value)
    if baseline is not None and baseline < 2:
        raise ValueError(f"baseline must be 2 points or more, got {baseline}")
    value = value[..., :baseline]
    ranges = np.abs(np.diff(value, axis=-1))
    typical = _mean(ranges)
    if screen:
        typical = _mean(np.where(ranges < SCREEN_FACTOR * typical, ranges, np.nan), otherwise=typical)
    centre = _mean(value)
    return Estimate(centre, centre - LIMIT_FACTOR * typical, centre + LIMIT_FACTOR * typical)


def special_causes(value: ArrayLike, limits: Estimate, *, run_length: int = RUN_LENGTH) -> SpecialCauses:
    """Apply the four rules of Making Data Count.

    Parameters
    ----------
    value : array_like, consecutive points on the last axis
    limits : Estimate
        Of :func:`xmr_limits`.
    run_length : int
        Points of a run or a trend; a trend of seven points has six steps.

    Returns
    -------
    SpecialCauses
        Arrays of the shape of ``value``; false for missing points.

    Raises
    ------
    ValueError
        For a run length below 3, shapes that do not fit or a value without axes.

    References
    ----------
    NHS England. Making data count. The rules are computed as in the R package NHSRplotthedots.

    Examples
    --------
    >>> series = [1.0, 2, 1, 2, 1, 2, 1, 2, 1, 9]
    >>> special_causes(series, xmr_limits(series)).outside.nonzero()[0]
    array([9])
    """
    if run_length < 3:
        raise ValueError(f"run_length must be 3 or more, got {run_length}")
    x, centre, lower, upper = broadcast(value=value, centre=limits.value, lower=limits.lower, upper=limits.upper)
    _has_time(x)
    side = np.sign(x - centre)
    outside = (x > upper) | (x < lower)
    # np.diff gives one step per pair, so a trend of n points has n - 1 steps.
    steps = np.sign(np.diff(x, axis=-1))
    run, trend = np.zeros_like(outside), np.zeros_like(outside)
    near = np.zeros_like(outside)
    close = ~outside & (np.abs(x - centre) > (upper - centre) * 2 / 3)
    points = x.shape[-1]
    if points >= run_length:
        run = _members(_one_sign(side, run_length), run_length)
        trend = _members(_one_sign(steps, run_length - 1), run_length)
    if points >= 3:
        pairs = sliding_window_view(close, 3, axis=-1).sum(axis=-1) >= 2
        near = close & _members(pairs & _one_sign(side, 3), 3)
    return SpecialCauses(outside, run, trend, near)


def variation(value: ArrayLike, limits: Estimate, causes: SpecialCauses, polarity: Polarity) -> NDArray[np.int8]:
    """Return for each point whether its special cause is an improvement or a concern; the last one is the icon.

    Formula: the side of the centre decides, also for a trend: a point of a rising trend that is below the centre counts
    as low.

    Parameters
    ----------
    value, limits, causes
        The series, its :func:`xmr_limits` and :func:`special_causes`.
    polarity : {"higher_is_better", "lower_is_better", "no_judgement"}

    Returns
    -------
    ndarray of int8
        Shape of ``value``, values of :class:`Variation`; ``SPECIAL_CAUSE`` where it cannot be judged (no
        polarity, or exactly on the centre), ``NOT_JUDGED`` for missing points.

    Raises
    ------
    ValueError
        For an unknown polarity or shapes that do not fit.

    References
    ----------
    NHS England. Making data count: variation icons.

    Examples
    --------
    >>> series = np.array([1.0, 2, 1, 2, 1, 2, 1, 2, 1, 9])
    >>> limits = xmr_limits(series)
    >>> variation(series, limits, special_causes(series, limits), "higher_is_better")[-2:]
    array([-1,  1], dtype=int8)
    """
    sign = _better_sign(polarity)
    x, centre = broadcast(value=value, centre=limits.value)
    side = np.nan_to_num(np.sign(x - centre)) * sign
    icon = np.where(side == 0, Variation.SPECIAL_CAUSE, side)
    icon = np.where(causes.any, icon, Variation.COMMON_CAUSE)
    return np.where(np.isnan(x + centre), Variation.NOT_JUDGED, icon).astype(np.int8)


def assurance(limits: Estimate, target: ArrayLike, polarity: Polarity) -> NDArray[np.int8]:
    """Return whether the process, if nothing changes, will reach its target.

    Formula: where higher is better it passes if ``target < lower limit`` and fails if ``target > upper limit``; where
    lower is better the reverse; otherwise chance decides which points reach the target.

    Parameters
    ----------
    limits : Estimate
        Of :func:`xmr_limits`.
    target : array_like, broadcastable
    polarity : {"higher_is_better", "lower_is_better", "no_judgement"}

    Returns
    -------
    ndarray of int8
        Shape of the limits, values of :class:`Assurance`; ``NOT_JUDGED`` without a target, limits or polarity.

    Raises
    ------
    ValueError
        For an unknown polarity or shapes that do not fit.

    References
    ----------
    NHS England. Making data count: assurance icons.

    Examples
    --------
    >>> assurance(xmr_limits([10.0, 12.0, 11.0, 13.0, 12.0]), 5.0, "higher_is_better")
    array([1], dtype=int8)
    """
    sign = _better_sign(polarity)
    lower, upper, target = broadcast(lower=limits.lower, upper=limits.upper, target=target)
    verdict = np.where(target < lower, 1, np.where(target > upper, -1, 0)) * sign
    judged = ~np.isnan(lower + upper + target) & (sign != 0)
    return np.where(judged, verdict, Assurance.NOT_JUDGED).astype(np.int8)


def _has_time(value: Floats) -> None:
    if value.ndim == 0:
        raise ValueError("value needs an axis of time")


def _better_sign(polarity: Polarity) -> int:
    require_one_of("polarity", polarity, ("higher_is_better", "lower_is_better", "no_judgement"))
    return {"higher_is_better": 1, "lower_is_better": -1, "no_judgement": 0}[polarity]


def _mean(value: Floats, otherwise: Floats | float = np.nan) -> Floats:
    """Return the mean of the known values on the last axis, kept with length 1; ``otherwise`` where there are none."""
    known = ~np.isnan(value)
    number = known.sum(axis=-1, keepdims=True)
    mean = quotient(np.where(known, value, 0.0).sum(axis=-1, keepdims=True), number)
    return np.where(number > 0, mean, otherwise)


def _one_sign(sign: Floats, length: int) -> Flags:
    """Return for each window of this length whether its entries are all positive or all negative."""
    windows = sliding_window_view(sign, length, axis=-1)
    return np.asarray((windows > 0).all(axis=-1) | (windows < 0).all(axis=-1))


def _members(hits: Flags, length: int) -> Flags:
    """Return the points of all windows that are true; a window has ``length`` points."""
    pad = [(0, 0)] * (hits.ndim - 1) + [(length - 1, length - 1)]
    return np.asarray(sliding_window_view(np.pad(hits, pad), length, axis=-1).any(axis=-1))
