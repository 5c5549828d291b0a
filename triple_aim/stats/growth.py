"""Change over time: growth per year, growth in real terms, and growth without series breaks.

Belongs here: growth of a value that is already an indicator. Not here: the price indices and the list of breaks
(``reference/``), or the causes of growth (``decomposition``).
Growth is a fraction: 0.03 is 3 % per year. From a value of zero or less it is undefined: nan.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triple_aim.stats import intervals
from triple_aim.stats.arguments import broadcast, quotient, require_non_negative
from triple_aim.stats.estimate import Estimate, Floats


def compound(
    value_end: ArrayLike,
    value_start: ArrayLike,
    years: ArrayLike,
    *,
    variance_end: ArrayLike = np.nan,
    variance_start: ArrayLike = np.nan,
    level: float = 0.95,
) -> Estimate:
    """Return the constant yearly growth that leads from the start to the end.

    Formula: ``r^(1/years) - 1`` with ``r = end / start``. Limits, if both variances are given, by the delta
    method on ``log r``: ``var = V_end/end^2 + V_start/start^2``.

    Parameters
    ----------
    value_end, value_start, years : array_like, broadcastable
        Values in one unit, and the positive number of years between them.
    variance_end, variance_start : array_like, optional
        Variances of the two values, taken as independent. Values of largely the same persons are positively correlated,
        which makes these limits too wide rather than too narrow.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape, fraction per year; limits nan without variances.

    Raises
    ------
    ValueError
        For years of 0 or less, a negative variance, shapes that do not fit or an impossible level.

    References
    ----------
    Armitage P, Berry G, Matthews JNS (2002). Statistical methods in medical research, 4th ed., section 5.3.

    Examples
    --------
    >>> compound(121.0, 100.0, 2).value.round(4).item()
    0.1
    """
    end, start, years, v_end, v_start = broadcast(
        value_end=value_end,
        value_start=value_start,
        years=years,
        variance_end=variance_end,
        variance_start=variance_start,
    )
    require_non_negative(variance_end=v_end, variance_start=v_start)
    if (years <= 0).any():
        raise ValueError("years must be positive: put the later value first")
    defined = (end > 0) & (start > 0)
    log_ratio = np.log(quotient(end, start), where=defined, out=np.full(defined.shape, np.nan))
    half = intervals.z_score(level) * np.sqrt(quotient(v_end, end**2) + quotient(v_start, start**2))
    return Estimate(*(np.expm1((log_ratio + shift) / years) for shift in (0.0, -half, half)))


def year_on_year(value: ArrayLike, axis: int = -1, *, variance: ArrayLike = np.nan, level: float = 0.95) -> Estimate:
    """Return the growth from each period to the next along an axis of consecutive years.

    Formula: ``value_t / value_(t-1) - 1``; limits as :func:`compound`.

    Parameters
    ----------
    value : array_like
        Consecutive years along ``axis``; a missing year is nan, not left out.
    axis : int
        The axis of time.
    variance : array_like, optional
        Variances of the values, broadcastable to them.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Shape of ``value``: growth *into* each year, so the first is nan and rows stay aligned.

    Raises
    ------
    ValueError
        For a value without axes, a negative variance, shapes that do not fit or an impossible level.

    Examples
    --------
    >>> year_on_year([100.0, 110.0, 99.0]).value.round(2)
    array([ nan,  0.1, -0.1])
    """
    value, variance = broadcast(value=value, variance=variance)
    if value.ndim == 0:
        raise ValueError("value needs an axis of time")
    # nan rather than a shorter array: the year before the first one is unknown.
    value, variance = np.moveaxis(value, axis, -1), np.moveaxis(variance, axis, -1)
    unknown = np.full((*value.shape[:-1], 1), np.nan)
    before = np.concatenate([unknown, value[..., :-1]], axis=-1)
    variance_before = np.concatenate([unknown, variance[..., :-1]], axis=-1)
    growth = compound(value, before, 1, variance_end=variance, variance_start=variance_before, level=level)
    return Estimate(*(np.moveaxis(part, -1, axis) for part in (growth.value, growth.lower, growth.upper)))


def log_linear(value: ArrayLike, years: ArrayLike, *, weight: ArrayLike = 1.0, level: float = 0.95) -> Estimate:
    """Return the average yearly growth over several years: the slope of a line through the logarithms.

    Formula: least squares ``log value = a + b year``; growth ``exp(b) - 1``, limits ``exp(b -+ t(n-2) se) - 1``.
    Unlike :func:`compound` it uses every year, so that one unusual year at an end does not decide. The limits show how
    well a line fits; they take the years as independent and are too narrow if deviations last several years.

    Parameters
    ----------
    value, years : array_like, broadcastable, years on the last axis
        Values in one unit, and calendar years (any order, gaps allowed). Years without a value or a weight are left
        out.
    weight : array_like, optional
        Precision of the logarithm of each value, on any scale (e.g. the number of events); 0 leaves a year out.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Leading shape, fraction per year; nan with fewer than three years, or with any value of 0 or less.

    Raises
    ------
    ValueError
        For a value without axes, a negative weight, shapes that do not fit or an impossible level.

    References
    ----------
    Armitage P, Berry G, Matthews JNS (2002). Statistical methods in medical research, 4th ed., section 7.2.

    Examples
    --------
    >>> growth = log_linear([100.0, 112.0, 120.0, np.nan, 147.0], [2019, 2020, 2021, 2022, 2023])
    >>> growth.value.round(4).item(), growth.lower.round(4).item(), growth.upper.round(4).item()
    (0.0992, 0.078, 0.1208)
    """
    value, years, weight = broadcast(value=value, years=years, weight=weight)
    if value.ndim == 0:
        raise ValueError("value needs an axis of time")
    require_non_negative(weight=weight)
    used = ~np.isnan(value + years + weight) & (weight > 0)
    # A zero has no logarithm; leaving it out would hide a collapse.
    positive = np.where(used, value, 1.0) > 0
    log_value = np.log(np.where(used & positive, value, 1.0))
    # Counted from the first year used: sums of small integers are exact, sums of 2020 squared are not.
    origin = np.where(used, years, np.inf).min(axis=-1, keepdims=True)
    weight, years = np.where(used, weight, 0.0), np.where(used, years - origin, 0.0)

    def centre(part: Floats) -> Floats:
        return part - quotient((weight * part).sum(axis=-1), weight.sum(axis=-1))[..., None]

    year, response = centre(years), centre(log_value)
    spread = (weight * year**2).sum(axis=-1)
    slope = quotient((weight * year * response).sum(axis=-1), spread)
    n = used.sum(axis=-1)
    residual = (weight * (response - slope[..., None] * year) ** 2).sum(axis=-1)
    variance = quotient(quotient(residual, np.maximum(n - 2, 0)), spread)
    growth = Estimate(*(np.expm1(part) for part in (slope, *intervals.student_t(slope, variance, n - 2, level=level))))
    return growth.where((n >= 3) & positive.all(axis=-1))


def deflate(value: ArrayLike, index: ArrayLike, *, base: float = 1.0) -> Estimate:
    """Return amounts in the prices of the base period.

    Formula: ``value * base / index``.

    Parameters
    ----------
    value, index : array_like, broadcastable
        Amounts in current prices, and the price index of the same periods.
    base : float
        The index of the period whose prices are wanted, e.g. 100 where the index has 2015 = 100.

    Returns
    -------
    Estimate
        Broadcast shape, in prices of the base period; limits nan. Limits of an amount are amounts too:
        deflate them in the same way.

    Raises
    ------
    ValueError
        For an index or base of 0 or less, or shapes that do not fit.

    Examples
    --------
    >>> deflate([100.0, 110.0], [100.0, 110.0], base=100).value
    array([100., 100.])
    """
    value, index = broadcast(value=value, index=index)
    if base <= 0 or (index <= 0).any():
        raise ValueError("a price index must be positive")
    return Estimate.without_limits(value * base / index)


def break_adjusted(
    value_end: ArrayLike, value_start: ArrayLike, comparable: NDArray[np.bool_], years: ArrayLike = 1
) -> Estimate:
    """Return the yearly growth of the components that are defined the same at both ends.

    Formula: :func:`compound` of ``sum of comparable ends / sum of comparable starts``. For example, community nursing
    entered the Dutch basic insurance in 2015: included, it would look like growth.

    Parameters
    ----------
    value_end, value_start : array_like, broadcastable, components on the last axis
        Additive parts (e.g. euros per kind of care). Any comparable part that is nan makes the cell nan.
    comparable : array_like of bool, broadcastable to the values
        Whether a component's definition is the same at both ends.
    years : array_like, shape of the result or scalar
        Years between start and end.

    Returns
    -------
    Estimate
        Leading shape, fraction per year; nan where nothing is comparable. Limits nan: the variance of a sum of
        components needs their covariances, which no cube has.

    Raises
    ------
    ValueError
        If ``comparable`` is not boolean, for years of 0 or less, or shapes that do not fit.

    Examples
    --------
    >>> break_adjusted([110.0, 50.0], [100.0, 0.0], np.array([True, False])).value.round(2).item()
    0.1
    """
    comparable = np.asarray(comparable)
    # In an array of floats, nan would count as comparable without an error.
    if comparable.dtype != np.bool_:
        raise ValueError(f"comparable must be boolean, got {comparable.dtype}")
    end, start, chosen = broadcast(value_end=value_end, value_start=value_start, comparable=comparable)
    end, start = (np.where(chosen == 1, part, 0.0).sum(axis=-1) for part in (end, start))
    return compound(end, start, years)
