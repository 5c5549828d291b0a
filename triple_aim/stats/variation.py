"""Variation between many regions: groups of equal size, and how large the differences are.

Belongs here: one figure, or one group per region, over the regions on the last axis. Not here: whether one region
differs (``funnel``, ``compare``) and inequality along a social gradient (``inequality``).

A region without a value is left out: it has no rank and adds nothing to a spread.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative
from triple_aim.stats.estimate import Floats


def quantile_groups(value: ArrayLike, groups: int) -> Floats:
    """Divide regions into groups of (nearly) equal size by their value; group 1 has the lowest values.

    Formula: ``groups + 1 - ceil(groups (n + 1 - r) / n)`` for the region of rank ``r`` out of ``n`` with a value. Tie
    rule: equal values share the lowest rank of the tie and so one group; groups may become unequal, but the order of
    the rows does not matter.

    Parameters
    ----------
    value : array_like, regions on the last axis
    groups : int
        5 for quintiles, 10 for deciles.

    Returns
    -------
    ndarray
        Shape of ``value``, 1 to ``groups``; nan where the value is nan, and everywhere if fewer regions than groups
        have a value.

    Raises
    ------
    ValueError
        For fewer than two groups or a value without axes.

    References
    ----------
    Office for Health Improvement and Disparities. Fingertips technical guidance: assigning deprivation
    categories.

    Examples
    --------
    >>> quantile_groups([5.0, 1.0, 3.0, 3.0, np.nan, 9.0], 3)
    array([ 2.,  1.,  1.,  1., nan,  3.])
    """
    (value,) = broadcast(value=value)
    if groups < 2:
        raise ValueError(f"groups must be 2 or more, got {groups}")
    if value.ndim == 0:
        raise ValueError("value needs an axis of regions")
    order = np.argsort(value, axis=-1)
    ordered = np.take_along_axis(value, order, axis=-1)
    # Position of the first of each run of equal values: the rank (from 0) of the whole run.
    starts = np.broadcast_to(np.arange(value.shape[-1]), value.shape).copy()
    starts[..., 1:][ordered[..., 1:] == ordered[..., :-1]] = 0
    rank = np.empty_like(starts)
    np.put_along_axis(rank, order, np.maximum.accumulate(starts, axis=-1), axis=-1)
    known = ~np.isnan(value)
    n = known.sum(axis=-1, keepdims=True)
    # Integer arithmetic (-(-a // b) rounds up): a float just above a boundary would change the group.
    group = groups + 1 + (-groups * (n - rank)) // np.maximum(n, 1)
    return np.where(known & (n >= groups), group, np.nan)


def extremal_quotient(value: ArrayLike, *, tail: float = 0.0) -> Floats:
    """Return the highest over the lowest value.

    Formula: ``max / min``; with a tail, the quantile ``1 - tail`` over the quantile ``tail``.

    Parameters
    ----------
    value : array_like, regions on the last axis
        For example standardised rates. With few events per region chance alone makes this quotient large.
    tail : float
        Share left out at each end, e.g. 0.05.

    Returns
    -------
    ndarray
        Leading shape, 1 or more; nan with fewer than two values or where the lowest is 0.

    Raises
    ------
    ValueError
        For a negative value or a tail of 0.5 or more.

    References
    ----------
    Kazandjian VA, Durance PW, Schork MA (1989). The extremal quotient in small-area variation analysis. Health
    Serv Res 24: 665-684.

    Examples
    --------
    >>> extremal_quotient([4.0, 8.0, np.nan, 6.0]).item()
    2.0
    """
    (value,) = broadcast(value=value)
    require_non_negative(value=value)
    if not 0 <= tail < 0.5:
        raise ValueError(f"tail must be between 0 and 0.5, got {tail}")
    enough = (~np.isnan(value)).sum(axis=-1) >= 2
    # A placeholder where too few values are known: a quantile of none would warn, and is discarded.
    value = np.where(enough[..., None], value, 1.0)
    low, high = np.nanquantile(value, (tail, 1 - tail), axis=-1)
    return np.where(enough, quotient(high, low), np.nan)


def coefficient_of_variation(value: ArrayLike, weight: ArrayLike | None = None) -> Floats:
    """Return the spread between regions as a share of their mean.

    Formula: ``s / m`` with divisor ``k - 1``; with weights ``sqrt(sum w (x - m)^2 / sum w) / m`` about the
    weighted mean ``m``.

    Parameters
    ----------
    value : array_like, regions on the last axis
    weight : array_like, broadcastable, optional
        Population of the regions: large regions then count more, which reduces chance.

    Returns
    -------
    ndarray
        Leading shape, a fraction; nan with fewer than two values or where the mean is 0.

    Raises
    ------
    ValueError
        For a negative weight or shapes that do not fit.

    References
    ----------
    Diehr P, Cain K, Connell F, Volinn E (1990). What is too much variation? Health Serv Res 24: 741-771.

    Examples
    --------
    >>> coefficient_of_variation([4.0, 8.0, np.nan, 6.0]).round(4).item()
    0.3333
    """
    value, given = broadcast(value=value, weight=1.0 if weight is None else weight)
    require_non_negative(weight=given)
    known = ~np.isnan(value + given)
    share = np.where(known, given, 0.0)
    value = np.where(known, value, 0.0)
    size, number = share.sum(axis=-1), known.sum(axis=-1)
    mean = quotient((share * value).sum(axis=-1), size)
    squares = (share * (value - mean[..., None]) ** 2).sum(axis=-1)
    variance = quotient(squares, size - 1.0 if weight is None else size)
    return np.where(number >= 2, quotient(np.sqrt(variance), np.abs(mean)), np.nan)


def systematic_component(
    observed: ArrayLike, expected: ArrayLike, *, noise: ArrayLike = 0.0, per: float = 100.0
) -> Floats:
    """Return the systematic component of variation: the variation beyond chance.

    Formula: ``per (sum (O - E)^2 / E^2 - sum 1 / E - sum V / E^2) / k`` over ``k`` regions: the variance of ``O/E``
    minus that of a Poisson count and that of the noise ``V``. A negative result, where regions differ less than by
    chance, becomes 0.

    Parameters
    ----------
    observed, expected : array_like, broadcastable, regions on the last axis
        Events, and events expected from age and sex at the rates of all regions combined.
    noise : array_like, broadcastable to ``observed``
        The variance of noise that was added to the observed events.
    per : float
        Usually 100, because the component is small.

    Returns
    -------
    ndarray
        Leading shape; regions without an expectation are left out; nan with fewer than two.

    Raises
    ------
    ValueError
        For a negative argument or shapes that do not fit.

    References
    ----------
    McPherson K, Wennberg JE, Hovind OB, Clifford P (1982). N Engl J Med 307: 1310-1314.
    Diehr P, Cain K, Connell F, Volinn E (1990). Health Serv Res 24: 741-771 (the form on ``O/E``).

    Examples
    --------
    >>> systematic_component([80, 120, 100], [100, 100, 100]).round(3).item()
    1.667
    """
    observed, expected = broadcast(observed=observed, expected=expected)
    require_non_negative(observed=observed, expected=expected)
    terms = quotient(observed - expected, expected) ** 2 - quotient(1.0, expected) - quotient(noise, expected**2)
    known = ~np.isnan(terms)
    number = known.sum(axis=-1)
    component = quotient(np.where(known, terms, 0.0).sum(axis=-1), number)
    return np.where(number >= 2, per * np.maximum(component, 0.0), np.nan)
