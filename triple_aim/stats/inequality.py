"""Inequality between groups in a social order, and between persons: SII, RII, concentration index, Gini.

Belongs here: one number for a whole gradient or distribution. Not here: the gap or ratio between two groups
(``contrast``), and how groups are formed or ordered (specs and cubes).

Order and sign. Groups are the last axis, **from the most to the least disadvantaged**; the position of a group on a
scale from 0 to 1 is its *ridit*: half its population share plus the shares of the groups before it. Positive means:
more among the least disadvantaged. So a slope index of -8 for mortality is 8 more deaths at the bottom, and one of +8
for life expectancy 8 more years at the top. Groups without people do not count; a missing value in any other group
makes the result nan.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triple_aim.stats import intervals
from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, tail_probability
from triple_aim.stats.estimate import Estimate, Floats

Transform = Literal["identity", "log", "logit"]
Form = Literal["extremes", "mean"]
Correction = Literal["erreygers", "wagstaff"]


def slope_index(
    value: ArrayLike,
    variance: ArrayLike | None,
    population: ArrayLike,
    *,
    transform: Transform = "identity",
    simulations: int = 10_000,
    seed: int = 1,
    per: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return the slope index of inequality: how much the value rises from the bottom to the top of society.

    Formula: the slope of ``value`` on ridit ``x`` by least squares with weights ``a``, the population shares:
    ``sum a (x - 1/2) y / sum a (x - 1/2)^2``. Limits: percentiles of the slopes of simulated group values, drawn
    independently from normal distributions on the scale of ``transform``.

    Parameters
    ----------
    value, variance, population : array_like, broadcastable, groups on the last axis, most disadvantaged first
        Rate, share or mean of each group, its sampling variance (None: no limits), and the group's population.
    transform : {"identity", "log", "logit"}
        Scale on which the groups' sampling distribution is normal: log for rates, logit for shares. It shapes the
        limits only (the variance is carried over by the delta method); the slope is always of the value itself.
    simulations : int
        Number of draws, at least 1000. Memory: as many numbers for every row.
    seed : int
        Seed of the draws. All rows use the same draws, so the limits of a row do not depend on the other rows.
    per : float
        Multiplies the result; a negative number changes its sign.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Leading shape, unit of ``value`` times ``per``; nan with fewer than two populated groups. Limits nan where a
        value of 0 (or, for logit, of 1) does not exist on the scale of ``transform``.

    Raises
    ------
    ValueError
        For a negative variance or population, a value outside the range of the transform, an unknown transform, too
        few simulations, shapes that do not fit or an impossible level.

    References
    ----------
    Low A, Low A (2004). Measuring the gap. Journal of Public Health 26: 388-395.
    Public Health England. R package PHEindicatormethods, phe_sii (weights, simulated limits, transforms).

    Examples
    --------
    >>> gap = slope_index([76.0, 79.0, 82.0], [0.04, 0.04, 0.04], [1, 1, 1])
    >>> gap.value.round(6).item(), gap.lower.round(1).item()
    (9.0, 8.2)
    """
    _, slope, draws = _fit(value, variance, population, transform, simulations, seed)
    slopes = None if draws is None else draws[1]
    return _percentile_limits(slope, slopes, per=per, level=level)


def relative_index(
    value: ArrayLike,
    variance: ArrayLike | None,
    population: ArrayLike,
    *,
    form: Form = "extremes",
    transform: Transform = "identity",
    simulations: int = 10_000,
    seed: int = 1,
    level: float = 0.95,
) -> Estimate:
    """Return the relative index of inequality: the slope index relative to the level of the value.

    Formula, with the fitted line of :func:`slope_index`: for ``"extremes"`` the ratio of its ends, top over bottom
    (Kunst and Mackenbach; 1 is equality); for ``"mean"`` the slope over the population mean (Pamuk; 0 is equality).

    Parameters
    ----------
    value, variance, population, transform, simulations, seed, level
        As in :func:`slope_index`.
    form : {"extremes", "mean"}
        Which of the two definitions. They answer different questions and must not be mixed in one series.

    Returns
    -------
    Estimate
        Leading shape, without unit; nan where the mean is not positive (``"mean"``) or an end of the line is below 0
        (``"extremes"``). In a simulated line such an end counts as 0; a limit that becomes infinite by this is nan.

    Raises
    ------
    ValueError
        As :func:`slope_index`, and for an unknown ``form``.

    References
    ----------
    Pamuk ER (1985). Population Studies 39: 17-31.
    Kunst AE, Mackenbach JP (1995). Measuring socioeconomic inequalities in health. WHO Europe.

    Examples
    --------
    >>> mortality = [12.0, 10.0, 8.0], None, [1, 1, 1]
    >>> relative_index(*mortality).value.round(4).item(), relative_index(*mortality, form="mean").value.round(4).item()
    (0.5385, -0.6)
    """
    if form not in ("extremes", "mean"):
        raise ValueError(f'form must be "extremes" or "mean", got {form!r}')
    middle, slope, draws = _fit(value, variance, population, transform, simulations, seed)
    if form == "mean":
        ratios = None if draws is None else quotient(draws[1], np.where(draws[0] > 0, draws[0], np.nan))
        return _percentile_limits(quotient(slope, np.where(middle > 0, middle, np.nan)), ratios, level=level)
    ratio = quotient(middle + slope / 2, middle - slope / 2)
    ratio = np.where((middle + slope / 2 >= 0) & (middle - slope / 2 > 0), ratio, np.nan)
    if draws is None:
        return Estimate.without_limits(ratio)
    top, bottom = (np.maximum(draws[0] + sign * draws[1] / 2, 0.0) for sign in (1, -1))
    # A percentile needs only the order of the draws, and infinity is in that order.
    return _percentile_limits(ratio, np.where(bottom > 0, quotient(top, bottom), np.inf), level=level)


def gini(amount: ArrayLike, persons: ArrayLike) -> Estimate:
    """Return the Gini coefficient of an amount over persons: 0 if all have the same, near 1 if one has all.

    Formula: 1 minus twice the area under the Lorenz curve, classes in order of their mean; equal to the
    :func:`concentration_index` of the amount over the ranks of the amount itself.

    Parameters
    ----------
    amount, persons : array_like, broadcastable, classes on the last axis in any order
        Total amount and number of persons of each class; for individual persons ``persons=1``.

    Returns
    -------
    Estimate
        Leading shape, 0 to 1, without limits; nan where the total amount is 0, or a class without persons has an
        amount. From classes it is a lower bound, because differences within a class do not count; of ``n`` persons it
        is at most ``(n - 1) / n`` (no correction for small numbers).

    Raises
    ------
    ValueError
        For a negative amount or number, or shapes that do not fit.

    References
    ----------
    Lerman RI, Yitzhaki S (1989). Journal of Econometrics 42: 43-47.

    Examples
    --------
    >>> gini([0, 0, 0, 8.0], 1).value.item(), gini([30.0, 10.0], [3, 1]).value.item()
    (0.75, 0.0)
    """
    amount, persons = broadcast(amount=amount, persons=persons)
    require_non_negative(amount=amount, persons=persons)
    mean = quotient(amount, persons)
    has_unowned = ((persons == 0) & (amount != 0)).any(axis=-1)
    return concentration_index(mean, persons, rank=mean).where(~has_unowned)


def concentration_index(
    health: ArrayLike,
    persons: ArrayLike,
    *,
    rank: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    correction: Correction | None = None,
    lower_bound: float = 0.0,
    upper_bound: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return the concentration index: at which end of the social order health, illness or care is concentrated.

    Formula: ``C = 2 / mu * sum f h (R - 1/2)`` with population shares ``f``, mean ``mu`` and ridits ``R``. Of a
    variable bounded by ``lo`` and ``hi``, Erreygers: ``4 mu C / (hi - lo)``; Wagstaff: ``(hi - lo) mu C / ((hi - mu)(mu
    - lo))``. Variance: ``(sum f (g^2 + s^2 b^2)) / n``, where a group has ``g = h/mu (2R - 1 - C) + 1 - C - q' - q``
    (``q', q`` the shares of health below and up to it), ``b = (2R - 1 - C) / mu`` and ``s^2`` the variance within
    it, as Kakwani et al.; extended to the corrected indices by the delta method. Limits ``-+ z sqrt(variance)``.

    Parameters
    ----------
    health : array_like, groups or persons on the last axis
        Mean of each group, or the value of each person.
    persons : array_like, broadcastable
        Persons in each group (1 for individual persons). With weights that do not add up to ``n``, the limits are
        meaningless.
    rank : array_like, broadcastable, optional
        Order of the groups or persons, the lowest the most disadvantaged. Ties share their middle ridit, so the order
        of rows does not matter. Without it the order of the last axis counts, most disadvantaged first.
    variance : array_like, broadcastable, optional
        Variance of health *between the persons within* each group, e.g. ``p (1 - p)``; 0 for individual persons.
        None: no limits.
    correction : {"erreygers", "wagstaff"}, optional
        For bounded variables, whose plain index depends on whether health or illness is counted.
    lower_bound, upper_bound : float
        Smallest and largest possible value of the variable (not observed); used with a correction only.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Leading shape, -1 to 1; nan where everybody is at the lower bound (0 for the plain index), for Wagstaff also
        where everybody is at the upper one.

    Raises
    ------
    ValueError
        For negative persons, variance or (uncorrected) health, values outside the bounds, bounds that do not
        rise, an unknown correction, shapes that do not fit or an impossible level.

    References
    ----------
    Kakwani N, Wagstaff A, van Doorslaer E (1997). Journal of Econometrics 77: 87-103.
    Wagstaff A (2005). Health Economics 14: 429-432. Erreygers G (2009). J Health Economics 28: 504-515.

    Examples
    --------
    >>> smoking = [0.3, 0.2, 0.1], [500, 500, 500]
    >>> concentration_index(*smoking).value.round(4).item()
    -0.2222
    >>> concentration_index(*smoking, correction="erreygers").value.round(4).item()
    -0.1778
    """
    z = intervals.z_score(level)
    if correction not in (None, "erreygers", "wagstaff"):
        raise ValueError(f'correction must be "erreygers", "wagstaff" or None, got {correction!r}')
    health, persons = broadcast(health=health, persons=persons)
    ranks = np.arange(health.shape[-1]) if rank is None else rank
    spread = np.nan if variance is None else variance
    health, persons, ranks, spread = broadcast(health=health, persons=persons, rank=ranks, variance=spread)
    require_non_negative(persons=persons, variance=spread)
    health, span = _above_bound(health, correction, lower_bound, upper_bound)

    order = np.argsort(ranks, axis=-1)
    health, persons, ranks, spread = (np.take_along_axis(part, order, -1) for part in (health, persons, ranks, spread))
    n = persons.sum(axis=-1, keepdims=True)
    share = quotient(persons, n)
    # An empty group may have nan as health, rank or variance, which must not make the result nan.
    health, spread = (np.where(share == 0, 0.0, part) for part in (health, spread))
    mean = (share * health).sum(axis=-1, keepdims=True)
    below, upto = _around_ties(share, ranks)
    health_below, health_upto = _around_ties(quotient(share * health, mean), ranks)
    position = below + upto - 1  # 2R - 1
    plain = quotient(share * health * position, mean).sum(axis=-1, keepdims=True)
    plain = np.where(((share > 0) & np.isnan(ranks)).any(axis=-1, keepdims=True), np.nan, plain)

    factor, change = np.ones_like(mean), np.zeros_like(mean)
    if correction == "erreygers":
        factor, change = 4 * mean / span, np.full_like(mean, 4 / span)
    elif correction == "wagstaff":
        factor, change = quotient(span, span - mean), quotient(span, (span - mean) ** 2)
    # Influence of one more person on the index: by their own health, and by changing all ranks and the mean.
    per_health = factor * quotient(position - plain, mean) + plain * change
    own = factor * (quotient(health * (position - plain), mean) + 1 - plain - health_below - health_upto)
    own = own + plain * change * (health - mean)
    uncertainty = quotient((share * (own**2 + spread * per_health**2)).sum(axis=-1), n[..., 0])
    index = (factor * plain)[..., 0]
    return Estimate(index, index - z * np.sqrt(uncertainty), index + z * np.sqrt(uncertainty))


def _above_bound(
    health: Floats, correction: Correction | None, lower_bound: float, upper_bound: float
) -> tuple[Floats, float]:
    """Check health against its bounds; return its distance from the lower one, and the distance between the two."""
    if correction is None:
        require_non_negative(health=health)
        return health, np.nan
    if not lower_bound < upper_bound:
        raise ValueError("lower_bound must be below upper_bound")
    if ((health < lower_bound) | (health > upper_bound)).any():
        raise ValueError("health must be between lower_bound and upper_bound")
    return health - lower_bound, upper_bound - lower_bound


def _around_ties(part: Floats, ranks: Floats) -> tuple[Floats, Floats]:
    """Return the sums of ``part`` below each tie, and up to and including the tie (ranks sorted)."""
    upto = np.cumsum(part, axis=-1)
    below = np.concatenate([np.zeros_like(upto[..., :1]), upto[..., :-1]], axis=-1)
    starts = np.concatenate([np.ones_like(ranks[..., :1], bool), np.diff(ranks, axis=-1) != 0], axis=-1)
    ends = np.concatenate([starts[..., 1:], np.ones_like(ranks[..., :1], bool)], axis=-1)
    # Sums never decrease, so the previous start and the next end are a running maximum and a running minimum.
    below = np.maximum.accumulate(np.where(starts, below, -np.inf), axis=-1)
    upto = np.minimum.accumulate(np.where(ends, upto, np.inf)[..., ::-1], axis=-1)[..., ::-1]
    return below, upto


def _fit(
    value: ArrayLike,
    variance: ArrayLike | None,
    population: ArrayLike,
    transform: Transform,
    simulations: int,
    seed: int,
) -> tuple[Floats, Floats, tuple[Floats, Floats] | None]:
    """Return middle value and slope of the fitted line, and those of the lines of simulated values (draws first)."""
    if transform not in ("identity", "log", "logit"):
        raise ValueError(f'transform must be "identity", "log" or "logit", got {transform!r}')
    if simulations < 1000:
        raise ValueError(f"simulations must be 1000 or more, got {simulations}")
    spread = np.nan if variance is None else variance
    value, spread, population = broadcast(value=value, variance=spread, population=population)
    require_non_negative(variance=spread, population=population)
    if transform != "identity":
        require_non_negative(value=value)
    if transform == "logit" and (value > 1).any():
        raise ValueError("value must not exceed 1 under a logit transform")

    share = quotient(population, population.sum(axis=-1, keepdims=True))
    value, spread = (np.where(share == 0, 0.0, part) for part in (value, spread))
    lever = share * (np.cumsum(share, axis=-1) - share / 2 - 0.5)
    lever = quotient(lever, quotient(lever**2, share).sum(axis=-1, where=share > 0, keepdims=True))
    middle, slope = (share * value).sum(axis=-1), (lever * value).sum(axis=-1)
    if variance is None:
        return middle, slope, None

    noise = np.random.default_rng(seed).standard_normal((value.shape[-1], simulations))
    middles = np.zeros((simulations, *middle.shape))
    slopes = np.zeros_like(middles)
    # Group by group: the draws of all groups at once need much more memory.
    for group, deviation in enumerate(noise):
        drawn = _draw(value[..., group], spread[..., group], deviation.reshape(-1, *([1] * middle.ndim)), transform)
        drawn = np.where(share[..., group] == 0, 0.0, drawn)
        middles += share[..., group] * drawn
        slopes += lever[..., group] * drawn
    return middle, slope, (middles, slopes)


def _draw(value: Floats, variance: Floats, deviation: Floats, transform: Transform) -> Floats:
    error = np.sqrt(variance)
    if transform == "identity":
        return value + deviation * error
    if transform == "log":
        return np.exp(np.log(np.where(value > 0, value, np.nan)) + deviation * quotient(error, value))
    inside = np.where((value > 0) & (value < 1), value, np.nan)
    drawn: Floats = special.expit(special.logit(inside) + deviation * error / (inside * (1 - inside)))
    return drawn


def _percentile_limits(value: Floats, draws: Floats | None, *, per: float = 1.0, level: float) -> Estimate:
    beyond = tail_probability(level)
    if draws is None:
        return Estimate.without_limits(per * value)
    lower, upper = np.quantile(per * draws, [beyond, 1 - beyond], axis=0, method="inverted_cdf")
    limits = (np.where(np.isfinite(limit) & np.isfinite(value), limit, np.nan) for limit in (lower, upper))
    return Estimate(per * value, *limits)
