"""Unstandardised measures: crude rates, proportions, means and ratios of sums.

Belongs here: one numerator over one denominator per cell. Not here: anything with a standard population
(``standardise``) or sampling weights (``survey``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats import intervals
from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, tail_probability
from triple_aim.stats.estimate import Estimate, Floats


def crude_rate(count: ArrayLike, person_years: ArrayLike, *, per: float = 1.0, level: float = 0.95) -> Estimate:
    """Return events per person-year with Poisson limits: Byar from 10 events, exact below.

    Formula: ``per * O / n``; limits ``per * O_L / n`` and ``per * O_U / n``.

    Parameters
    ----------
    count, person_years : array_like, broadcastable
        Events and time at risk (years).
    per : float
        Unit of the rate, e.g. 100 000.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape, events per ``per`` person-years; nan where there are no person-years.

    Raises
    ------
    ValueError
        For a negative argument, shapes that do not fit or an impossible level.

    References
    ----------
    Eayres D (2008). APHO Technical briefing 3: commonly used public health statistics, p. 7.

    Examples
    --------
    >>> crude_rate(10, 2000, per=1000).value.item()
    5.0
    """
    count, person_years = broadcast(count=count, person_years=person_years)
    require_non_negative(count=count, person_years=person_years)
    limits = intervals.poisson(count, level=level)
    return Estimate(*(per * quotient(events, person_years) for events in (count, *limits)))


def proportion(count: ArrayLike, n: ArrayLike, *, per: float = 1.0, level: float = 0.95) -> Estimate:
    """Return the share of persons with a characteristic, with Wilson limits.

    Formula: ``per * x / n``; limits as :func:`triple_aim.stats.intervals.wilson`.

    Parameters
    ----------
    count, n : array_like, broadcastable
        Persons with the characteristic, and all persons.
    per : float
        1 for a fraction, 100 for a percentage.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape; nan where ``n`` is 0.

    Raises
    ------
    ValueError
        For a negative number, ``count > n``, shapes that do not fit or an impossible level.

    References
    ----------
    Newcombe RG (1998). Two-sided confidence intervals for the single proportion. Stat Med 17: 857-872.

    Examples
    --------
    >>> proportion(81, 263, per=100).value.round(2).item()
    30.8
    """
    lower, upper = intervals.wilson(count, n, level=level)
    count, n = broadcast(count=count, n=n)
    return Estimate(per * quotient(count, n), per * lower, per * upper)


def mean(total: ArrayLike, total_sq: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return the mean of a quantity over persons, from sums, with Student t limits.

    Formula: ``m = S / n``; ``s^2 = (Q - S^2/n) / (n - 1)``; limits ``m -+ t(n-1) s / sqrt(n)``.

    Parameters
    ----------
    total, total_sq, n : array_like, broadcastable
        Sum of the quantity, sum of its squares, and number of persons. Negative totals are allowed
        (claims are corrected with negative amounts).
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape, unit of the quantity; limits nan below two persons.

    Raises
    ------
    ValueError
        For a negative ``n`` or ``total_sq``, sums that contradict each other or an impossible level.

    References
    ----------
    Eayres D (2008). APHO Technical briefing 3, p. 7.

    Examples
    --------
    >>> bill = mean(6.0, 14.0, 3)                       # 1, 2 and 3 euro
    >>> bill.value.item(), bill.lower.round(3).item()
    (2.0, -0.484)
    """
    total, total_sq, n = broadcast(total=total, total_sq=total_sq, n=n)
    value = quotient(total, n)
    variance = quotient(sample_variance(total, total_sq, n), n)
    return Estimate(value, *intervals.student_t(value, variance, n - 1, level=level))


def ratio_of_sums(numerator: ArrayLike, denominator: ArrayLike, *, per: float = 1.0, level: float = 0.95) -> Estimate:
    """Return a ratio of two complete counts, e.g. euros per insured year; without a sample there is no interval.

    Formula: ``per * a / b``.

    Parameters
    ----------
    numerator, denominator : array_like, broadcastable
        Two sums over the whole population.
    per : float
        Unit of the ratio.
    level : float
        Checked but not used; accepted so that all methods have the same arguments.

    Returns
    -------
    Estimate
        Broadcast shape; nan where the denominator is 0; limits always nan.

    Raises
    ------
    ValueError
        For a negative denominator, shapes that do not fit or an impossible level.

    Examples
    --------
    >>> ratio_of_sums([300.0, -20.0], [2.0, 0.0]).value
    array([150.,  nan])
    """
    tail_probability(level)
    numerator, denominator = broadcast(numerator=numerator, denominator=denominator)
    require_non_negative(denominator=denominator)
    return Estimate.without_limits(per * quotient(numerator, denominator))


def sample_variance(total: Floats, total_sq: Floats, n: Floats) -> Floats:
    """Return the variance between persons from sums; nan below two persons.

    Formula: ``s^2 = (Q - S^2/n) / (n - 1)``.

    Raises
    ------
    ValueError
        For a negative ``n`` or ``total_sq``, or if ``Q < S^2/n``, which is impossible.

    Examples
    --------
    >>> sample_variance(np.array([6.0, 4.0]), np.array([14.0, 16.0]), np.array([3.0, 1.0]))
    array([ 1., nan])
    """
    require_non_negative(n=n, total_sq=total_sq)
    spread = total_sq - quotient(total**2, n)
    # Rounding of equal amounts gives a tiny negative difference; a large one is an error in the sums.
    if (spread < -1e-9 * total_sq).any():
        raise ValueError("total_sq is smaller than total squared over n, which no set of numbers allows")
    return np.where(n >= 2, quotient(np.maximum(spread, 0.0), n - 1), np.nan)
