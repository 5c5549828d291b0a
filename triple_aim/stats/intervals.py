"""Confidence limits that several methods share: Poisson counts, proportions, means.

Belongs here: limits of one quantity, each a pair ``(lower, upper)`` of arrays shaped like the arguments. Not here:
rates and ratios built on them (``rates``, ``standardise``, ``survey``). ``scipy.special`` has the same quantiles as
``scipy.stats`` and is many times faster on arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, tail_probability
from triple_aim.stats.estimate import Estimate, Floats

Limits = tuple[Floats, Floats]

BYAR_FROM = 10  # events; with fewer Byar deviates from exact, and PHE prescribes the exact limits


def z_score(level: float) -> float:
    """Return the standard normal quantile of a two-sided interval, e.g. 1.96 for 0.95.

    Examples
    --------
    >>> round(z_score(0.95), 6)
    1.959964
    """
    return float(-special.ndtri(tail_probability(level)))


def byar(count: ArrayLike, *, level: float = 0.95) -> Limits:
    """Return Byar's approximate limits of a Poisson count.

    Formula: ``x (1 - 1/(9x) - z/(3 sqrt x))^3`` and the same with ``x + 1`` and ``+ z`` for the upper limit.

    Parameters
    ----------
    count : array_like, any shape
        Events. The lower limit of 0 is 0.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    lower, upper : ndarray, shape of ``count``, in events

    Raises
    ------
    ValueError
        For a negative count or an impossible level.

    References
    ----------
    Breslow NE, Day NE (1987). Statistical methods in cancer research II. IARC, chapter 2.

    Examples
    --------
    >>> [limit.round(3).item() for limit in byar(10)]
    [4.787, 18.391]
    """
    (count,) = broadcast(count=count)
    require_non_negative(count=count)
    z = z_score(level)
    above = count + 1
    # The 1.0 avoids a division by zero; the final where() discards the result.
    safe = np.where(count > 0, count, 1.0)
    lower = safe * (1 - 1 / (9 * safe) - z / (3 * np.sqrt(safe))) ** 3
    upper = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    # At very high levels the cube is negative for small counts; a count cannot be negative.
    return np.where(count == 0, 0.0, np.where(np.isnan(count), np.nan, np.maximum(lower, 0.0))), upper


def exact_poisson(count: ArrayLike, *, level: float = 0.95) -> Limits:
    """Return Garwood's exact limits of a Poisson count.

    Formula: ``chi2(a/2; 2x) / 2`` and ``chi2(1 - a/2; 2x + 2) / 2``, computed as gamma quantiles.

    Parameters
    ----------
    count : array_like, any shape
        Events; a fraction is allowed.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    lower, upper : ndarray, shape of ``count``, in events

    Raises
    ------
    ValueError
        For a negative count or an impossible level.

    References
    ----------
    Garwood F (1936). Fiducial limits for the Poisson distribution. Biometrika 28: 437-442.

    Examples
    --------
    >>> [limit.round(4).item() for limit in exact_poisson(5)]
    [1.6235, 11.6683]
    """
    (count,) = broadcast(count=count)
    require_non_negative(count=count)
    lower = np.where(count == 0, 0.0, special.gammaincinv(count, tail_probability(level)))
    return lower, special.gammainccinv(count + 1, tail_probability(level))


def poisson(count: ArrayLike, *, level: float = 0.95) -> Limits:
    """Return limits of a count as PHE prescribes: exact below 10 events, Byar from 10.

    Parameters, returns and raises as :func:`byar`.

    References
    ----------
    Public Health England (2018). Technical guide: confidence intervals, appendices 1 and 2.

    Examples
    --------
    >>> [limit.round(3) for limit in poisson([5, 10])]
    [array([1.623, 4.787]), array([11.668, 18.391])]
    """
    lower, upper = byar(count, level=level)
    lower, upper = np.atleast_1d(lower), np.atleast_1d(upper)
    # Exact quantiles are iterative and slow: they are computed for small counts only.
    (count,) = broadcast(count=count)
    small = np.atleast_1d(count < BYAR_FROM)
    lower[small], upper[small] = exact_poisson(np.atleast_1d(count)[small], level=level)
    return lower.reshape(count.shape), upper.reshape(count.shape)


def wilson(count: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Limits:
    """Return Wilson's score limits of a binomial proportion, without continuity correction.

    Formula: ``(2x + z^2 -+ z sqrt(z^2 + 4x(1 - x/n))) / (2(n + z^2))``.

    Parameters
    ----------
    count, n : array_like, broadcastable
        Persons with the characteristic, and all persons.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    lower, upper : ndarray, broadcast shape, as a fraction 0-1; nan where ``n`` is 0

    Raises
    ------
    ValueError
        For a negative number, ``count > n`` or an impossible level.

    References
    ----------
    Wilson EB (1927). JASA 22: 209-212. Newcombe RG (1998). Stat Med 17: 857-872, method 3.

    Examples
    --------
    >>> [limit.round(4).item() for limit in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    count, n = _broadcast_count(count, n)
    z = z_score(level)
    half = z * np.sqrt(z**2 + 4 * count * (1 - quotient(count, n)))
    lower = (2 * count + z**2 - half) / (2 * (n + z**2))
    upper = (2 * count + z**2 + half) / (2 * (n + z**2))
    # At 0 of n and n of n the limits are exactly 0 and 1; rounding may give slightly more or less.
    return np.clip(lower, 0.0, 1.0), np.clip(upper, 0.0, 1.0)


def clopper_pearson(count: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Limits:
    """Return exact (beta quantile) limits of a proportion; ``n`` may be an effective sample size.

    Formula: ``Beta(a/2; x, n - x + 1)`` and ``Beta(1 - a/2; x + 1, n - x)``.
    Parameters, returns and raises as :func:`wilson`; fractions are allowed in both arguments.

    References
    ----------
    Clopper CJ, Pearson ES (1934). Biometrika 26: 404-413.
    Korn EL, Graubard BI (1998). Survey Methodology 24: 193-201 (effective sample sizes).

    Examples
    --------
    >>> [limit.round(4).item() for limit in clopper_pearson(0, 20)]
    [0.0, 0.1684]
    """
    count, n = _broadcast_count(count, n)
    lower = np.where(count == 0, 0.0, special.betaincinv(count, n - count + 1, tail_probability(level)))
    upper = np.where(count == n, 1.0, special.betainccinv(count + 1, n - count, tail_probability(level)))
    known = (n > 0) & ~np.isnan(count)
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan)


def student_t(value: ArrayLike, variance: ArrayLike, degrees_of_freedom: ArrayLike, *, level: float = 0.95) -> Limits:
    """Return limits ``value -+ t sqrt(variance)``.

    Parameters
    ----------
    value, variance, degrees_of_freedom : array_like, broadcastable
        Variance of the value itself, not of one observation. ``inf`` degrees of freedom: normal limits.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    lower, upper : ndarray, broadcast shape, unit of ``value``; nan without a positive degree of freedom

    Raises
    ------
    ValueError
        For a negative variance or an impossible level.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6: 1-25.

    Examples
    --------
    >>> [limit.round(4).item() for limit in student_t(5.0, 1.0, 6)]
    [2.5531, 7.4469]
    """
    value, variance = broadcast(value=value, variance=variance)
    require_non_negative(variance=variance)
    half = t_score(degrees_of_freedom, level=level) * np.sqrt(variance)
    return value - half, value + half


def t_score(degrees_of_freedom: ArrayLike, *, level: float = 0.95) -> Floats:
    """Return the Student t quantile of a two-sided interval; nan without a positive degree of freedom.

    Examples
    --------
    >>> t_score([0, 6, np.inf]).round(4)
    array([   nan, 2.4469, 1.96  ])
    """
    score: Floats = special.stdtrit(np.asarray(degrees_of_freedom, dtype=np.float64), 1 - tail_probability(level))
    return score


def _broadcast_count(count: ArrayLike, n: ArrayLike) -> tuple[Floats, ...]:
    count, n = broadcast(count=count, n=n)
    require_non_negative(count=count, n=n)
    if (count > n).any():
        raise ValueError("count must not exceed n")
    return count, n


def widened(estimate: Estimate, variance: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return an estimate whose limits contain an additional, independent variance, on either side of the value.

    Formula: ``lower = value - sqrt((value - lower)^2 + z^2 variance)``, and ``upper`` likewise: the square-and-add rule
    for the limits of a sum of independent parts.

    Parameters
    ----------
    estimate : Estimate
        A value and its limits.
    variance : array_like of float, broadcastable to ``value``
        In the square of the unit of the value; 0 or more.
    level : float
        The confidence level of the limits.

    Returns
    -------
    Estimate
        The same value. A limit that is nan stays nan, and a lower limit of 0 or more does not become negative.

    Raises
    ------
    ValueError
        For a negative variance, or a level that is not between 0 and 1.

    References
    ----------
    Zou GY, Donner A (2008). Construction of confidence limits about effect measures: a general approach. Statistics in
    Medicine 27: 1693-1702.

    Examples
    --------
    >>> from triple_aim.stats.estimate import Estimate
    >>> wide = widened(Estimate(np.array([10.0]), np.array([7.0]), np.array([13.0])), (4 / 1.959964) ** 2)
    >>> wide.lower.round(6).item(), wide.upper.round(6).item()
    (5.0, 15.0)
    """
    variance = np.asarray(variance, float)
    require_non_negative(variance=variance)
    added = z_score(level) ** 2 * variance
    lower = estimate.value - np.sqrt((estimate.value - estimate.lower) ** 2 + added)
    upper = estimate.value + np.sqrt((estimate.upper - estimate.value) ** 2 + added)
    return Estimate(estimate.value, np.where(estimate.lower >= 0, np.maximum(lower, 0.0), lower), upper)
