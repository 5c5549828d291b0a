"""Control limits of a funnel plot: how far a region may differ from the target by chance alone.

Belongs here: limits around a target as a function of a region's size, and their widening for overdispersion. Not here:
the verdict (``compare.outside_limits``), intervals of a region's own value (``intervals``) and drawing.

The value of an estimate in this module is the target. A limit is the value at which a region's own interval just
touches the target, so the funnel and the intervals of the regions agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, require_one_of, tail_probability
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.intervals import z_score

Family = Literal["poisson", "binomial"]


def poisson_funnel(exposure: ArrayLike, target: ArrayLike = 1.0, *, per: float = 1.0, level: float = 0.95) -> Estimate:
    """Return control limits of a rate or of an indirectly standardised ratio.

    Formula: with ``E = exposure * target`` the limits are the counts ``O`` whose exact (Garwood) interval has
    ``E`` as its nearest end: ``P(Gamma(O) < E) = a/2`` for the upper and ``P(Gamma(O + 1) < E) = 1 - a/2`` for
    the lower one; then ``per * O / exposure``. A rate has no upper bound.

    Parameters
    ----------
    exposure : array_like
        Years at risk, or the expected count for a ratio. For a directly standardised rate the count divided by
        the rate, as Fingertips does.
    target : array_like, broadcastable
        Rate per unit of exposure that all regions would share; 1 for a ratio.
    per : float
        Unit of the result, e.g. 100 000; 100 for a ratio as a percentage.
    level : float
        Usually 0.95 and 0.998.

    Returns
    -------
    Estimate
        Broadcast shape; value is the target. Lower limit 0 where chance alone can give no events; nan where nothing is
        expected.

    Raises
    ------
    ValueError
        For a negative argument, shapes that do not fit or an impossible level.

    References
    ----------
    Spiegelhalter DJ (2005). Funnel plots for comparing institutional performance. Stat Med 24: 1185-1202.

    Examples
    --------
    >>> limits = poisson_funnel(18.39035799, per=100)
    >>> limits.lower.round(3).item(), limits.upper.round(1).item()
    (54.376, 150.8)
    """
    exposure, target = broadcast(exposure=exposure, target=target)
    require_non_negative(exposure=exposure, target=target)
    expected = exposure * target
    # gdtrib inverts the gamma distribution for its shape, which is the count here and may be a fraction.
    upper = special.gdtrib(1.0, tail_probability(level), expected)
    lower = np.maximum(special.gdtrib(1.0, 1 - tail_probability(level), expected) - 1, 0.0)
    limits = (per * quotient(count, exposure) for count in (lower, upper))
    return Estimate(per * target, *limits).where(expected > 0)


def proportion_funnel(n: ArrayLike, target: ArrayLike, *, per: float = 1.0, level: float = 0.95) -> Estimate:
    """Return control limits of a proportion.

    Formula: ``p -+ z sqrt(p (1 - p) / n)``, the proportions whose Wilson interval has the target ``p`` as an end;
    never below 0 nor above ``per``.

    Parameters
    ----------
    n : array_like
        Persons in the region.
    target : array_like, broadcastable
        Proportion that all regions would share, as a fraction 0-1.
    per : float
        1 for a fraction, 100 for a percentage. It scales the limits and their cap alike.
    level : float
        Usually 0.95 and 0.998.

    Returns
    -------
    Estimate
        Broadcast shape; value is the target; nan where ``n`` is 0.

    Raises
    ------
    ValueError
        For a negative ``n``, a target outside 0-1, shapes that do not fit or an impossible level.

    References
    ----------
    Spiegelhalter DJ (2005). Stat Med 24: 1185-1202. Wilson EB (1927). JASA 22: 209-212.

    Examples
    --------
    >>> limits = proportion_funnel([100, 5], 0.8, per=100)
    >>> limits.lower.round(2), limits.upper.round(2)
    (array([72.16, 44.94]), array([ 87.84, 100.  ]))
    """
    n, target = broadcast(n=n, target=target)
    require_non_negative(n=n)
    _require_fraction(target)
    half = z_score(level) * np.sqrt(quotient(target * (1 - target), n))
    limits = (per * np.clip(target + side * half, 0.0, 1.0) for side in (-1, 1))
    return Estimate(per * target, *limits).where(n > 0)


@dataclass(frozen=True, slots=True, eq=False)
class Overdispersion:
    """How much more regions vary than chance explains.

    Parameters
    ----------
    phi : ndarray
        Mean squared (winsorised) z-score: the factor on every variance of the multiplicative model; 1 is chance.
    tau2 : ndarray
        Variance between regions of the additive (random effects) model, on the transformed scale; 0 is chance.
    """

    phi: Floats
    tau2: Floats


def overdispersion(
    count: ArrayLike, exposure: ArrayLike, target: ArrayLike, *, family: Family = "poisson", winsorise: float = 0.1
) -> Overdispersion:
    """Estimate overdispersion from the z-scores of all regions.

    Formula: on a variance-stabilising scale, ``z = (y - y0) / s``: for counts ``y = sqrt(O/E)``, ``y0 = 1``, ``s = 1/(2
    sqrt E)``; for proportions ``y = arcsin sqrt(x/n)``, ``s = 1/(2 sqrt n)``. The lowest and highest share of the ``z``
    are set to their quantiles (winsorised), then ``phi = sum z^2 / I`` over the ``I`` regions and, by the method of
    moments, ``tau2 = max(0, (I phi - (I - 1)) / (sum w - sum w^2 / sum w))``, ``w = 1/s^2``.

    Parameters
    ----------
    count, exposure : array_like, broadcastable, regions on the last axis
        Events and years at risk (or expected events), or persons with the characteristic and all persons.
    target : array_like, shape of the result or scalar
        Rate per unit of exposure, 1 for a ratio, or a fraction.
    family : {"poisson", "binomial"}
        Counts, or proportions.
    winsorise : float
        Share at each end that is set to its quantile, so that true outliers do not widen the limits.

    Returns
    -------
    Overdispersion
        Leading shape; regions without exposure, or unknown, are left out; nan with fewer than two.

    Raises
    ------
    ValueError
        For a negative argument, a share of 0.5 or more, a count above its ``n``, a target outside 0-1
        (binomial), an unknown ``family`` or shapes that do not fit.

    References
    ----------
    Spiegelhalter DJ (2005). Handling over-dispersion of performance indicators. Qual Saf Health Care 14:
    347-351. DerSimonian R, Laird N (1986). Control Clin Trials 7: 177-188.

    Examples
    --------
    >>> spread = overdispersion([100, 150, 180, 80, 120, 225], [108, 112, 165, 95, 100, 220], 1.0)
    >>> spread.phi.round(3).item(), spread.tau2.round(5).item()
    (2.327, 0.00344)
    """
    count, exposure, target = broadcast(
        count=count, exposure=exposure, target=np.expand_dims(np.asarray(target, dtype=np.float64), -1)
    )
    require_non_negative(count=count, exposure=exposure, target=target)
    if not 0 <= winsorise < 0.5:
        raise ValueError(f"winsorise must be between 0 and 0.5, got {winsorise}")
    centre, error = _stabilised(exposure, target, family)
    if family == "binomial":
        if (count > exposure).any():
            raise ValueError("count must not exceed exposure")
        scaled = np.arcsin(np.sqrt(quotient(count, exposure)))
    else:
        scaled = np.sqrt(quotient(count, exposure * target))
    z = quotient(scaled - centre, error)
    known = ~np.isnan(z)
    regions = known.sum(axis=-1).astype(float)
    # Positions count the known regions only: nan sorts to the end.
    ordered = np.sort(z, axis=-1)
    floor, ceiling = (_interpolate(ordered, share * (regions - 1)) for share in (winsorise, 1 - winsorise))
    z = np.clip(z, floor[..., None], ceiling[..., None])
    squares = np.where(known, z**2, 0.0).sum(axis=-1)
    weight = np.where(known, quotient(1.0, error**2), 0.0)
    total = weight.sum(axis=-1)
    surplus = squares - (regions - 1)
    between = quotient(surplus, total - quotient((weight**2).sum(axis=-1), total))
    enough = regions >= 2
    phi = np.where(enough, quotient(squares, regions), np.nan)
    return Overdispersion(phi, np.where(enough, np.maximum(between, 0.0), np.nan))


def overdispersed_funnel(
    exposure: ArrayLike,
    target: ArrayLike,
    spread: Overdispersion,
    *,
    family: Family = "poisson",
    model: Literal["additive", "multiplicative"] = "additive",
    per: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return control limits that allow for overdispersion.

    Formula: on the scale of :func:`overdispersion`, ``y0 -+ z sqrt(s^2 + tau2)`` (additive) or
    ``y0 -+ z s sqrt(max(phi, 1))`` (multiplicative), then back: ``target * y^2`` or ``sin(y)^2``.

    Parameters
    ----------
    exposure : array_like, regions on the last axis
        As in :func:`overdispersion`.
    target : array_like, shape of the result without regions, or scalar
        As in :func:`overdispersion`.
    spread : Overdispersion
        Its parts have the leading shape.
    family : {"poisson", "binomial"}
        Counts, or proportions.
    model : {"additive", "multiplicative"}
        Additive limits do not converge for large regions; multiplicative limits converge as the plain funnel does.
    per : float
        Unit of the result.
    level : float
        Usually 0.95 and 0.998.

    Returns
    -------
    Estimate
        Broadcast shape with regions; value is the target; nan without exposure.

    Raises
    ------
    ValueError
        For a negative argument, a target outside 0-1 (binomial), an unknown ``family`` or ``model``, shapes that
        do not fit or an impossible level.

    References
    ----------
    Spiegelhalter DJ (2005). Qual Saf Health Care 14: 347-351.

    Examples
    --------
    >>> none = Overdispersion(np.array(1.0), np.array(0.0))
    >>> overdispersed_funnel([100.0], 1.0, none, per=100).upper.round(1)
    array([120.6])
    """
    require_one_of("model", model, ("additive", "multiplicative"))
    exposure, target, phi, tau2 = broadcast(
        exposure=exposure,
        target=np.expand_dims(np.asarray(target, dtype=np.float64), -1),
        phi=np.expand_dims(spread.phi, -1),
        tau2=np.expand_dims(spread.tau2, -1),
    )
    require_non_negative(exposure=exposure, target=target, phi=phi, tau2=tau2)
    centre, error = _stabilised(exposure, target, family)
    wider = error**2 + tau2 if model == "additive" else error**2 * np.maximum(phi, 1.0)
    half = z_score(level) * np.sqrt(wider)
    # Clipped before squaring: a lower limit below 0 on this scale would become positive.
    if family == "binomial":
        ends = [np.sin(np.clip(centre + side * half, 0.0, np.pi / 2)) ** 2 for side in (-1, 1)]
    else:
        ends = [target * np.maximum(centre + side * half, 0.0) ** 2 for side in (-1, 1)]
    return Estimate(per * target, per * ends[0], per * ends[1]).where(exposure > 0)


def _stabilised(exposure: Floats, target: Floats, family: Family) -> tuple[Floats, Floats]:
    """Return target and standard error of a region on the scale where the error depends on size alone."""
    require_one_of("family", family, ("poisson", "binomial"))
    if family == "binomial":
        _require_fraction(target)
        return np.arcsin(np.sqrt(target)), quotient(0.5, np.sqrt(exposure))
    return np.ones_like(target), quotient(0.5, np.sqrt(exposure * target))


def _require_fraction(target: Floats) -> None:
    if ((target < 0) | (target > 1)).any():
        raise ValueError("a target proportion must be between 0 and 1, whatever the multiplier")


def _interpolate(ordered: Floats, position: Floats) -> Floats:
    """Return the values at fractional positions of the last axis, by linear interpolation."""
    position = np.clip(position, 0.0, None)[..., None]
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, ordered.shape[-1] - 1)
    low, high = (np.take_along_axis(ordered, index, axis=-1) for index in (below, above))
    # A missing upper neighbour has weight 0, but 0 times nan is nan.
    step = np.where(position == below, 0.0, high - low)
    interpolated: Floats = (low + (position - below) * step)[..., 0]
    return interpolated
