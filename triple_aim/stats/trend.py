"""Recent trend: has an indicator risen or fallen over its last five points?

Belongs here: the five-point test and its interpretation by polarity. Not here: growth rates
(``triple_aim.indicators.methods``), unusual single points (``control_chart``) and forecasts.

Pooled periods that overlap share persons; the test would count one change several times and find trends that do not
exist. Callers state the length of a period and the distance between two; overlap is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, require_one_of
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.intervals import z_score
from triple_aim.vocabulary import Polarity

POINTS = 5
CRITICAL_CHI2 = 9.5495  # chi-square with 1 degree of freedom at p = 0.002, two-sided

Scale = Literal["identity", "log", "logit"]


class Direction(IntEnum):
    """Verdict on a trend. ``CANNOT_BE_CALCULATED`` is far from the others so that no sum or mean hides it."""

    CANNOT_BE_CALCULATED = -9
    DECREASING = -1
    NO_SIGNIFICANT_CHANGE = 0
    INCREASING = 1


class Progress(IntEnum):
    """Verdict on a trend for an indicator of known polarity."""

    NOT_JUDGED = -9
    GETTING_WORSE = -1
    NO_SIGNIFICANT_CHANGE = 0
    GETTING_BETTER = 1


@dataclass(frozen=True, slots=True, eq=False)
class RecentTrend:
    """A five-point trend.

    Parameters
    ----------
    direction : ndarray of int8
        Values of :class:`Direction`.
    slope : ndarray
        Change from one point to the next, on the scale of the test; nan where it cannot be calculated.
    chi2 : ndarray
        Test statistic with one degree of freedom; nan where it cannot be calculated.
    """

    direction: NDArray[np.int8]
    slope: Floats
    chi2: Floats


def recent_trend(
    estimate: Estimate,
    *,
    period_length: float,
    step: float,
    scale: Scale = "identity",
    per: float = 1.0,
    level: float = 0.95,
) -> RecentTrend:
    """Test the last five points for a trend, from values and their limits.

    Formula: ``se = (upper - lower) / (2 z)``; slope ``b`` of the regression of the values on 1, 2, ... 5 with
    weights ``1/se^2``; ``chi2 = b^2 / var(b)`` with ``var(b) = sum w / (sum w sum w t^2 - (sum w t)^2)``. A
    trend is significant if ``chi2 > 9.5495`` (p = 0.002) and all five slopes with one point left out have the
    sign of ``b``, so that no single point decides.

    Parameters
    ----------
    estimate : Estimate, consecutive periods on the last axis, the latest last
        A missing period is nan, not left out. Only the last five points count.
    period_length, step : float
        Length of a period and distance between the starts of two, in one unit, e.g. 3 and 1 for three-year
        rates published each year (refused: pick every third).
    scale : {"identity", "log", "logit"}
        Fingertips uses the identity; the log (rates) or logit (proportions) suits wide limits near a bound.
    per : float
        Multiplier of the values, which the logit must undo.
    level : float
        Level of the estimate's limits.

    Returns
    -------
    RecentTrend
        Leading shape. Cannot be calculated with fewer than five points, with a missing one, or where a limit
        is outside the scale or equal to the other.

    Raises
    ------
    ValueError
        For periods that overlap, an unknown ``scale``, an estimate without axes or an impossible level.

    References
    ----------
    Office for Health Improvement and Disparities. Fingertips, recent trends, as computed by the class
    TrendMarkerCalculator of its published code (github.com/ukhsa-collaboration/fingertips-open).

    Examples
    --------
    >>> value = np.array([24.67, 24.6, 28.0, 30.2, 30.6])
    >>> trend = recent_trend(Estimate(value, value - 1.6, value + 1.6), period_length=1, step=1)
    >>> Direction(trend.direction.item()).name, trend.slope.round(2).item()
    ('INCREASING', 1.75)
    """
    require_one_of("scale", scale, ("identity", "log", "logit"))
    _refuse_overlap(period_length, step)
    parts = broadcast(value=estimate.value, lower=estimate.lower, upper=estimate.upper)
    if parts[0].ndim == 0:
        raise ValueError("estimate needs an axis of time")
    value, lower, upper = (_on_scale(part, scale, per) for part in parts)
    error = (upper - lower) / (2 * z_score(level))
    weight = quotient(1.0, np.where(error > 0, error, np.nan) ** 2)
    return _significant(*_fit(value[..., -POINTS:], weight[..., -POINTS:]))


def recent_trend_of_proportion(count: ArrayLike, n: ArrayLike, *, period_length: float, step: float) -> RecentTrend:
    """Test the last five proportions for a trend, from their counts.

    Formula: chi-square for trend (Cochran-Armitage), with ``N = sum n`` and ``R = sum x``:
    ``N (N sum x t - R sum n t)^2 / (R (N - R) (N sum n t^2 - (sum n t)^2))``, significant above 9.5495; and the
    unweighted slope of ``log(x / (n - x))`` keeps its sign when any one point is left out.

    Parameters
    ----------
    count, n : array_like, broadcastable, consecutive periods on the last axis, the latest last
        Persons with the characteristic, and all persons.
    period_length, step : float
        As in :func:`recent_trend`.

    Returns
    -------
    RecentTrend
        Leading shape, slope on the logit scale. Cannot be calculated with fewer than five points, with a
        missing one, or where nobody or everybody has the characteristic in one of them.

    Raises
    ------
    ValueError
        For periods that overlap, a negative number, a count above its ``n`` or arguments without axes.

    References
    ----------
    Armitage P (1955). Biometrics 11: 375-386. Fingertips, as in :func:`recent_trend`, for proportions.

    Examples
    --------
    >>> trend = recent_trend_of_proportion([994, 1023, 1199, 1332, 1367], 44000, period_length=1, step=1)
    >>> Direction(trend.direction.item()).name
    'INCREASING'
    """
    _refuse_overlap(period_length, step)
    count, n = broadcast(count=count, n=n)
    require_non_negative(count=count, n=n)
    if (count > n).any():
        raise ValueError("count must not exceed n")
    if count.ndim == 0:
        raise ValueError("count needs an axis of time")
    count, n = count[..., -POINTS:], n[..., -POINTS:]
    odds = np.where(count > 0, quotient(count, n - count), np.nan)
    slope, _, agreed = _fit(np.log(odds), np.ones_like(odds))
    time = np.arange(1.0, 1 + count.shape[-1])
    cases, persons = count.sum(axis=-1), n.sum(axis=-1)
    excess = persons * (count * time).sum(axis=-1) - cases * (n * time).sum(axis=-1)
    spread = persons * (n * time**2).sum(axis=-1) - (n * time).sum(axis=-1) ** 2
    chi2 = quotient(persons * excess**2, cases * (persons - cases) * spread)
    return _significant(slope, np.where(np.isnan(slope), np.nan, chi2), agreed)


def progress(direction: NDArray[np.int8], polarity: Polarity) -> NDArray[np.int8]:
    """Return whether a direction is better or worse.

    Parameters
    ----------
    direction : ndarray of int8
        Values of :class:`Direction`.
    polarity : {"higher_is_better", "lower_is_better", "no_judgement"}

    Returns
    -------
    ndarray of int8
        Shape of ``direction``, values of :class:`Progress`; ``NOT_JUDGED`` everywhere without a polarity.

    Raises
    ------
    ValueError
        For an unknown polarity.

    Examples
    --------
    >>> progress(np.array([1, -1, 0, -9], dtype=np.int8), "lower_is_better")
    array([-1,  1,  0, -9], dtype=int8)
    """
    require_one_of("polarity", polarity, ("higher_is_better", "lower_is_better", "no_judgement"))
    direction = np.asarray(direction, dtype=np.int8)
    if polarity == "no_judgement":
        return np.full_like(direction, Progress.NOT_JUDGED)
    sign = 1 if polarity == "higher_is_better" else -1
    judged = (sign * direction).astype(np.int8)
    return np.where(direction == Direction.CANNOT_BE_CALCULATED, np.int8(Progress.NOT_JUDGED), judged)


def _refuse_overlap(period_length: float, step: float) -> None:
    if period_length <= 0 or step <= 0:
        raise ValueError("period_length and step must be positive")
    if period_length > step:
        raise ValueError(
            f"periods of {period_length} that start every {step} overlap and show false trends: "
            "use periods that do not share time"
        )


def _on_scale(value: Floats, scale: Scale, per: float) -> Floats:
    """Transform values or limits; nan at or beyond an end of the scale."""
    if scale == "identity":
        return value
    if scale == "log":
        return np.log(np.where(value > 0, value, np.nan))
    share = value / per
    logits: Floats = special.logit(np.where((share > 0) & (share < 1), share, np.nan))
    return logits


def _fit(value: Floats, weight: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Fit all points, and all but each one: slope, its chi-square, and whether the six slopes agree in sign."""
    if value.shape[-1] < POINTS:
        unknown = np.full(value.shape[:-1], np.nan)
        return unknown, unknown, np.zeros(unknown.shape, dtype=np.bool_)
    # One row per fit: the first uses every point, the others leave out one each.
    keep = np.vstack([np.ones(POINTS), 1 - np.eye(POINTS)])
    w = weight[..., None, :] * keep
    y, t = value[..., None, :], np.arange(1.0, 1 + POINTS)
    sum_w, sum_wt = w.sum(axis=-1), (w * t).sum(axis=-1)
    determinant = sum_w * (w * t**2).sum(axis=-1) - sum_wt**2
    slopes = quotient(sum_w * (w * t * y).sum(axis=-1) - sum_wt * (w * y).sum(axis=-1), determinant)
    slope = slopes[..., 0]
    chi2 = quotient(slope**2 * determinant[..., 0], sum_w[..., 0])
    # Four equal points have no direction; rounding must not give them one.
    minimum = 1e-9 * (value.max(axis=-1) - value.min(axis=-1))[..., None]
    agreed = np.asarray((slopes > minimum).all(axis=-1) | (slopes < -minimum).all(axis=-1))
    return slope, chi2, agreed


def _significant(slope: Floats, chi2: Floats, agreed: NDArray[np.bool_]) -> RecentTrend:
    direction = np.where(agreed & (chi2 > CRITICAL_CHI2), np.sign(slope), 0.0)
    direction = np.where(np.isnan(chi2), Direction.CANNOT_BE_CALCULATED, direction)
    return RecentTrend(direction.astype(np.int8), slope, chi2)
