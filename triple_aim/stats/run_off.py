"""Run-off: the cost of the latest years once all claims are booked, by the chain ladder.

Belongs here: completing a triangle of claims, with its standard error. Not here: building the triangle from booking
dates (``sql/cube``), or deciding which year is provisional (the indicator's spec).

A triangle has the amounts booked per origin year (last axis but one) and development year (last axis); nan is not *yet*
booked, 0 is nothing booked. After the last column nothing is assumed to follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triple_aim.stats import intervals
from triple_aim.stats.arguments import broadcast, quotient
from triple_aim.stats.estimate import Estimate, Floats


# Arrays have no single truth value, so a generated __eq__ would raise: compare the fields instead.
@dataclass(frozen=True, slots=True, eq=False)
class Completion:
    """The pattern in which claims are booked.

    Parameters
    ----------
    factor : ndarray, shape (..., development - 1)
        Growth of the cumulative amount from each development year to the next.
    share : ndarray, shape (..., origin)
        Part (usually 0-1) of each origin's final amount that is booked so far. It completes an amount of another
        triangle of the same age: divide the amount by it.
    """

    factor: Floats
    share: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """Chain-ladder parameters, each of shape (..., development - 1)."""

    factor: Floats
    relative_variance: Floats  # sigma^2 / factor^2
    volume: Floats  # sum of the amounts that the factor is computed from


def completion_factors(triangle: ArrayLike) -> Completion:
    """Return volume-weighted development factors and the completed share per origin.

    Formula: ``f_k = sum C_(i,k+1) / sum C_(i,k)`` over origins where both are known, ``C`` cumulative;
    ``share_i = 1 / (f_k f_(k+1) ...)`` from the latest known ``k`` of origin ``i``.

    Parameters
    ----------
    triangle : array_like, shape (..., origin, development)
        Amounts booked per year (not cumulative); nan from the first year not yet observed.

    Returns
    -------
    Completion
        nan for an origin without any observation and for factors that no origin has reached.

    Raises
    ------
    ValueError
        For fewer than two axes or development years, an infinite amount, or a gap between known amounts.

    References
    ----------
    Mack T (1993). Distribution-free calculation of the standard error of chain ladder reserve estimates.
    ASTIN Bulletin 23: 213-225.

    Examples
    --------
    >>> completion = completion_factors([[60.0, 40.0], [90.0, np.nan]])
    >>> completion.factor.round(4).tolist(), completion.share.round(4).tolist()
    ([1.6667], [1.0, 0.6])
    """
    cumulative = _cumulative(triangle)
    factor = _pattern(cumulative).factor
    return Completion(factor, quotient(1.0, _at_latest(cumulative, _growth_to_come(factor))))


def complete(triangle: ArrayLike, *, reference: ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the final amount per origin, with limits from Mack's standard error.

    Formula: ``U_i = C_i / share_i``; ``se^2 = U_i^2 sum over k to come of sigma_k^2/f_k^2 (1/C_(i,k) + 1/S_k)``
    with ``sigma_k^2 = sum C_(i,k) (C_(i,k+1)/C_(i,k) - f_k)^2 / (pairs - 1)`` and ``S_k`` the sum of
    amounts behind ``f_k``; limits ``U_i -+ z se``. A ``sigma_k^2`` from one pair is extrapolated as Mack does.

    Parameters
    ----------
    triangle : array_like, shape (..., origin, development)
        As :func:`completion_factors`.
    reference : array_like, optional, leading axes broadcastable
        A triangle that gives the factors and variances instead, e.g. the national one where the region's own is too
        small. The region is then assumed to run off as the country does.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Shape (..., origin), unit of the triangle. A complete origin has its own amount as limits; limits are nan where
        the variance cannot be estimated: amounts of 0 or less, or a factor from one origin without two factors before
        it to extrapolate from.

    Raises
    ------
    ValueError
        As :func:`completion_factors`, or for an impossible level or development years that differ.

    References
    ----------
    Mack T (1993). ASTIN Bulletin 23: 213-225.

    Examples
    --------
    >>> final = complete([[50.0, 50.0], [52.0, 48.0], [60.0, np.nan]])
    >>> final.value.round(1).tolist(), final.lower.round(1).tolist()
    ([100.0, 100.0, 117.6], [100.0, 100.0, 110.2])
    """
    z = intervals.z_score(level)
    ultimate, process, estimation = _projection(triangle, reference)
    error = np.sqrt(process + (ultimate[..., None] ** 2 * estimation).sum(axis=-1))
    return Estimate(ultimate, ultimate - z * error, ultimate + z * error)


def complete_total(triangle: ArrayLike, *, reference: ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the final amount of the sum of all origins, with limits from Mack's standard error.

    Formula: as :func:`complete`; origins share their factors, so the errors of the factors add up before squaring:
    ``se^2 = sum_i process_i + sum_k sigma_k^2/(f_k^2 S_k) (sum of U_i with k to come)^2``.
    Parameters, raises and references as :func:`complete`.

    Returns
    -------
    Estimate
        Leading shape, unit of the triangle.

    Examples
    --------
    >>> complete_total([[50.0, 50.0], [52.0, 48.0], [60.0, np.nan]]).value.round(1).item()
    317.6
    """
    z = intervals.z_score(level)
    ultimate, process, estimation = _projection(triangle, reference)
    total = ultimate.sum(axis=-1)
    # The square root gives errors; they are added over origins because the same factor causes them.
    shared = (ultimate[..., None] * np.sqrt(estimation)).sum(axis=-2) ** 2
    error = np.sqrt(process.sum(axis=-1) + shared.sum(axis=-1))
    return Estimate(total, total - z * error, total + z * error)


def _cumulative(triangle: ArrayLike) -> Floats:
    (booked,) = broadcast(triangle=triangle)
    if booked.ndim < 2 or booked.shape[-1] < 2:
        raise ValueError("a triangle needs an axis of origins and at least two development years")
    unknown = np.isnan(booked)
    # A sum past a gap would count the gap as zero; and a booked amount cannot become unknown.
    if (unknown[..., :-1] & ~unknown[..., 1:]).any():
        raise ValueError("a triangle may not have a gap (nan) before a known amount")
    return np.cumsum(booked, axis=-1)


def _pattern(cumulative: Floats) -> _Pattern:
    before, after = cumulative[..., :-1], cumulative[..., 1:]
    known = ~np.isnan(after)
    volume = np.where(known, before, 0.0).sum(axis=-2)
    factor = quotient(np.where(known, after, 0.0).sum(axis=-2), volume)
    deviation = quotient((after - factor[..., None, :] * before) ** 2, _positive(before))
    pairs = known.sum(axis=-2)
    variance = quotient(np.where(known, deviation, 0.0).sum(axis=-2), np.maximum(pairs - 1, 0))
    for k in range(2, variance.shape[-1]):
        last, one_before = variance[..., k - 1], variance[..., k - 2]
        # fmin: where the variances are 0, their quotient is undefined, but 0 is the smallest.
        extrapolated = np.fmin(quotient(last**2, one_before), np.minimum(last, one_before))
        variance[..., k] = np.where(pairs[..., k] == 1, extrapolated, variance[..., k])
    return _Pattern(factor, quotient(variance, factor**2), volume)


def _projection(triangle: ArrayLike, reference: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    """Return final amounts, their process variance, and the relative variance of each factor still to come."""
    cumulative = _cumulative(triangle)
    pattern = _pattern(cumulative if reference is None else _cumulative(reference))
    if pattern.factor.shape[-1] != cumulative.shape[-1] - 1:
        raise ValueError("the reference must have as many development years as the triangle")
    to_come = _growth_to_come(pattern.factor)
    ultimate = _at_latest(cumulative, cumulative * to_come)
    amount = quotient(ultimate[..., None], to_come[..., :-1])
    ahead = np.arange(cumulative.shape[-1] - 1) >= _latest(cumulative)
    relative_variance = pattern.relative_variance[..., None, :]
    process = np.where(ahead, quotient(relative_variance, _positive(amount)), 0.0)
    estimation = np.where(ahead, quotient(relative_variance, _positive(pattern.volume)[..., None, :]), 0.0)
    return ultimate, ultimate**2 * process.sum(axis=-1), estimation


def _growth_to_come(factor: Floats) -> Floats:
    """Multiply the factors from each development year to the last; shape (..., 1, development)."""
    complete = np.ones((*factor.shape[:-1], 1))
    return np.concatenate([np.cumprod(factor[..., ::-1], axis=-1)[..., ::-1], complete], axis=-1)[..., None, :]


def _latest(cumulative: Floats) -> NDArray[np.int64]:
    """Return the index of the latest known development year per origin; -1 without any. A last axis of 1 is kept."""
    return np.asarray((~np.isnan(cumulative)).sum(axis=-1, keepdims=True) - 1)


def _at_latest(cumulative: Floats, values: Floats) -> Floats:
    """Return the value at the latest known development year per origin; nan without any."""
    latest = _latest(cumulative)
    column = np.arange(cumulative.shape[-1]) == latest
    return np.where(latest[..., 0] < 0, np.nan, np.where(column, values, 0.0).sum(axis=-1))


def _positive(amount: Floats) -> Floats:
    # Mack's variance is proportional to the amount, so an amount of 0 or less has none.
    return np.where(amount > 0, amount, np.nan)
