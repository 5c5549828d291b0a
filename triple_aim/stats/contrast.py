"""Contrasts of two populations: differences and ratios, each with an interval.

Belongs here: contrasts of two independent estimates (a region and the rest of the country, two regions, two sexes). Not
here: verdicts (``compare``), gaps along a whole social gradient (``inequality``), and two periods of largely the same
persons, whose covariance is in no cube.

The general method is MOVER (method of variance estimates recovery): it combines the limits of both sides, whatever
method computed them. With Wilson limits it is Newcombe's method 10; with Poisson limits it never needs the normal
approximation of a small count.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats import intervals
from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, require_one_of
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.rates import crude_rate, proportion


def absolute_gap(estimate: Estimate, reference: Estimate) -> Estimate:
    """Return the difference between the estimate and the reference, with MOVER limits.

    Formula: ``d = a - b``; ``d - sqrt((a - a_L)^2 + (b_U - b)^2)`` and ``d + sqrt((a_U - a)^2 + (b - b_L)^2)``.

    Parameters
    ----------
    estimate, reference : Estimate, broadcastable
        In one unit, with limits of one level, of different persons.

    Returns
    -------
    Estimate
        Broadcast shape, in the unit of the two; positive where the estimate is higher. Limits nan where either side has
        none.

    Raises
    ------
    ValueError
        For shapes that do not fit.

    References
    ----------
    Zou GY, Donner A (2008). Construction of confidence limits about effect measures: a general approach.
    Stat Med 27: 1693-1702.

    Examples
    --------
    >>> gap = absolute_gap(crude_rate(60, 51.4775), crude_rate(30, 54.3087))
    >>> [part.round(3).item() for part in (gap.value, gap.lower, gap.upper)]
    [0.613, 0.25, 0.993]
    """
    a, a_low, a_high, b, b_low, b_high = _broadcast_parts(estimate, reference)
    gap = a - b
    return Estimate(gap, gap - np.hypot(a - a_low, b_high - b), gap + np.hypot(a_high - a, b - b_low))


def relative_gap(estimate: Estimate, reference: Estimate) -> Estimate:
    """Return the ratio of the estimate to the reference, with MOVER limits; 1 means equal.

    Formula: ``a / b``; with ``p = a b``, lower ``(p - sqrt(p^2 - a_L b_U (2a - a_L)(2b - b_U))) / (b_U (2b - b_U))``
    and upper ``(p + sqrt(p^2 - a_U b_L (2a - a_U)(2b - b_L))) / (b_L (2b - b_L))``.

    Parameters
    ----------
    estimate, reference : Estimate, broadcastable
        In one unit, with limits of one level, of different persons.

    Returns
    -------
    Estimate
        Broadcast shape, a ratio; nan where the reference is 0. Upper limit nan where the reference's lower limit is 0
        (it would be infinite).

    Raises
    ------
    ValueError
        For a negative value or limit, or shapes that do not fit.

    References
    ----------
    Donner A, Zou GY (2012). Closed-form confidence intervals for functions of the normal mean and standard
    deviation. Stat Methods Med Res 21: 347-359 (ratios).

    Examples
    --------
    >>> ratio = relative_gap(crude_rate(60, 51477.5), crude_rate(30, 54308.7))
    >>> [part.round(2).item() for part in (ratio.value, ratio.lower, ratio.upper)]
    [2.11, 1.35, 3.36]
    """
    a, a_low, a_high, b, b_low, b_high = _broadcast_parts(estimate, reference)
    require_non_negative(estimate=a, reference=b, estimate_lower=a_low, reference_lower=b_low)
    known = b > 0
    low, high = a_low * (2 * a - a_low), a_high * (2 * a - a_high)
    below, above = b_high * (2 * b - b_high), b_low * (2 * b - b_low)
    # The lower limit has its root in the denominator, because `below` is often close to 0.
    lower = quotient(low, a * b + np.sqrt((a * b) ** 2 - low * below))
    upper = quotient(a * b + np.sqrt((a * b) ** 2 - high * above), above)
    # An estimate of 0 has a lower limit of 0; the formula would divide 0 by 0.
    lower = np.where((a == 0) & (a_low == 0), 0.0, lower)
    return Estimate(quotient(a, b), lower, upper).where(known)


def rate_difference(
    count: ArrayLike,
    person_years: ArrayLike,
    reference_count: ArrayLike,
    reference_person_years: ArrayLike,
    *,
    per: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return the difference of two crude rates: :func:`absolute_gap` of two :func:`~.rates.crude_rate`.

    Parameters
    ----------
    count, person_years, reference_count, reference_person_years : array_like, broadcastable
        Events and years at risk of both populations.
    per : float
        Unit of the rates, e.g. 100 000.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape, events per ``per`` person-years; nan where either has no person-years.

    Raises
    ------
    ValueError
        For a negative argument, shapes that do not fit or an impossible level.

    References
    ----------
    Li HQ, Tang ML, Poon WY, Tang NS (2011). Confidence intervals for difference between two Poisson rates.
    Commun Stat Simul Comput 40: 1478-1493.

    Examples
    --------
    >>> rate_difference(60, 51477.5, 30, 54308.7, per=1000).value.round(3).item()
    0.613
    """
    rate = crude_rate(count, person_years, per=per, level=level)
    return absolute_gap(rate, crude_rate(reference_count, reference_person_years, per=per, level=level))


def rate_ratio(
    count: ArrayLike,
    person_years: ArrayLike,
    reference_count: ArrayLike,
    reference_person_years: ArrayLike,
    *,
    interval: Literal["log", "exact"] = "log",
    level: float = 0.95,
) -> Estimate:
    """Return the ratio of two crude rates.

    Formula: ``R = (a/n) / (b/m)``. ``"log"``: ``R exp(-+ z sqrt(1/a + 1/b))``. ``"exact"``: given ``a + b``,
    ``a`` is binomial, so ``p/(1 - p) * m/n`` at the Clopper-Pearson limits ``p`` of ``a`` out of ``a + b``.

    Parameters
    ----------
    count, person_years, reference_count, reference_person_years : array_like, broadcastable
        Events and years at risk of both populations.
    interval : {"log", "exact"}
        ``"exact"`` is for few events; it also has limits for ``a = 0``, where ``"log"`` has none.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape, a ratio; nan where the reference has no events or either has no person-years.

    Raises
    ------
    ValueError
        For a negative argument, an unknown ``interval``, shapes that do not fit or an impossible level.

    References
    ----------
    Rothman KJ, Greenland S (1998). Modern epidemiology, 2nd ed., chapter 14 (log).
    Przyborowski J, Wilenski H (1940). Biometrika 31: 313-323 (conditional).

    Examples
    --------
    >>> exact = rate_ratio(60, 51477.5, 30, 54308.7, interval="exact")
    >>> [part.round(3).item() for part in (exact.value, exact.lower, exact.upper)]
    [2.11, 1.34, 3.388]
    """
    require_one_of("interval", interval, ("log", "exact"))
    a, n, b, m = broadcast(
        count=count,
        person_years=person_years,
        reference_count=reference_count,
        reference_person_years=reference_person_years,
    )
    require_non_negative(count=a, person_years=n, reference_count=b, reference_person_years=m)
    value = quotient(a * m, b * n)
    if interval == "exact":
        # Given the total of events, their expected split depends on the person-years alone.
        shares = intervals.clopper_pearson(a, a + b, level=level)
        return Estimate(value, *(quotient(share * m, (1 - share) * n) for share in shares)).where(b * n > 0)
    variance = quotient(1.0, a) + quotient(1.0, b)
    return _log_limits(value, variance, level)


def risk_ratio(
    count: ArrayLike,
    n: ArrayLike,
    reference_count: ArrayLike,
    reference_n: ArrayLike,
    *,
    interval: Literal["log", "mover"] = "log",
    level: float = 0.95,
) -> Estimate:
    """Return the ratio of two proportions.

    Formula: ``R = (a/n) / (b/m)``. ``"log"`` (Katz): ``R exp(-+ z sqrt(1/a - 1/n + 1/b - 1/m))``; ``"mover"``:
    :func:`relative_gap` of two Wilson intervals.

    Parameters
    ----------
    count, n, reference_count, reference_n : array_like, broadcastable
        Persons with the characteristic and all persons, of both populations.
    interval : {"log", "mover"}
        ``"mover"`` is for few persons; it also has limits for ``a = 0``.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape, a ratio; nan where the reference has nobody with the characteristic. Limits by log nan where
        ``a = 0``, or where everybody in both has it: the variance is then 0.

    Raises
    ------
    ValueError
        For a negative number, a count above its ``n``, an unknown ``interval``, shapes that do not fit or an
        impossible level.

    References
    ----------
    Katz D, Baptista J, Azen SP, Pike MC (1978). Biometrics 34: 469-474.

    Examples
    --------
    >>> risk = risk_ratio(27, 122, 44, 487)
    >>> [part.round(4).item() for part in (risk.value, risk.lower, risk.upper)]
    [2.4495, 1.5837, 3.7887]
    """
    require_one_of("interval", interval, ("log", "mover"))
    share, reference = proportion(count, n, level=level), proportion(reference_count, reference_n, level=level)
    if interval == "mover":
        return relative_gap(share, reference)
    a, n, b, m = broadcast(count=count, n=n, reference_count=reference_count, reference_n=reference_n)
    # Subtracted in pairs: where everybody has the characteristic, the variance is exactly 0 and gives no limits.
    variance = (quotient(1.0, a) - quotient(1.0, n)) + (quotient(1.0, b) - quotient(1.0, m))
    return _log_limits(quotient(a * m, b * n), variance, level)


def proportion_difference(
    count: ArrayLike,
    n: ArrayLike,
    reference_count: ArrayLike,
    reference_n: ArrayLike,
    *,
    per: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return the difference of two proportions with Newcombe's limits: :func:`absolute_gap` of Wilson intervals.

    Parameters
    ----------
    count, n, reference_count, reference_n : array_like, broadcastable
        Persons with the characteristic and all persons, of both populations.
    per : float
        1 for a fraction, 100 for percentage points.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape; nan where either has no persons.

    Raises
    ------
    ValueError
        For a negative number, a count above its ``n``, shapes that do not fit or an impossible level.

    References
    ----------
    Newcombe RG (1998). Interval estimation for the difference between independent proportions: comparison of
    eleven methods. Stat Med 17: 873-890, method 10.

    Examples
    --------
    >>> gap = proportion_difference(56, 70, 48, 80)
    >>> [part.round(4).item() for part in (gap.value, gap.lower, gap.upper)]
    [0.2, 0.0524, 0.3339]
    """
    share = proportion(count, n, per=per, level=level)
    return absolute_gap(share, proportion(reference_count, reference_n, per=per, level=level))


def _broadcast_parts(estimate: Estimate, reference: Estimate) -> tuple[Floats, ...]:
    return broadcast(
        estimate=estimate.value,
        estimate_lower=estimate.lower,
        estimate_upper=estimate.upper,
        reference=reference.value,
        reference_lower=reference.lower,
        reference_upper=reference.upper,
    )


def _log_limits(value: Floats, variance: Floats, level: float) -> Estimate:
    """Return limits that are symmetric on the log scale; nan for a ratio of 0 and where the variance is 0."""
    factor = np.exp(intervals.z_score(level) * np.sqrt(np.where(variance > 0, variance, np.nan)))
    return Estimate(value, quotient(value, factor), value * factor)
