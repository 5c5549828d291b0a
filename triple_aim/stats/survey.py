"""Design-based estimates of a sample survey, from sums per sampling stratum instead of respondents.

Belongs here: proportions and their linearised variance under stratified sampling of persons with weights,
first-stage variance without finite population correction. Does not belong here: making the weights, two-stage
or clustered designs, small area models.

How a domain (say women in one municipality) works: a sum over respondents who are in the domain *and*
answered; only ``n`` counts every sampled respondent of the stratum. That keeps the random size of the
domain in the variance, as ``subset()`` does in R's survey package and as dropping rows does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triple_aim.stats import intervals
from triple_aim.stats.arguments import never_negative, quotient, together
from triple_aim.stats.estimate import Estimate, Floats


@dataclass(frozen=True, slots=True, eq=False)
class StratumSums:
    """What a cube keeps of a survey: additive sums per sampling stratum, equal or broadcastable shapes.

    Parameters
    ----------
    n : array_like
        All sampled respondents of the stratum, also those outside the domain or without an answer.
    w, wy, ww, wwy, wwyy : array_like
        Sums over domain members with an answer of w, w y, w^2, w^2 y and w^2 y^2, with weight w and
        answer y (0/1 for a proportion).
    """

    n: ArrayLike
    w: ArrayLike
    wy: ArrayLike
    ww: ArrayLike
    wwy: ArrayLike
    wwyy: ArrayLike


class VarianceComponents(NamedTuple):
    """(Co)variances of the weighted totals ``wy`` and ``w``; sums over strata of these are again valid."""

    v_yy: Floats
    v_yw: Floats
    v_ww: Floats


def variance_components(sums: StratumSums) -> VarianceComponents:
    """Give each stratum's share of the variance of a weighted ratio; add the shares over strata.

    Formula, with ``f = n / (n - 1)``: ``V_yy = f (S_wwyy - S_wy^2/n)``, ``V_yw = f (S_wwy - S_wy S_w/n)``,
    ``V_ww = f (S_ww - S_w^2/n)``.

    A lonely stratum (``n = 1``) shows no spread around its own mean. It is centred at the overall mean
    instead: ``f = 1`` and nothing subtracted, because the linearised ``w (y - p)`` has overall mean 0. That
    is R's ``options(survey.lonely.psu = "adjust")``, which overstates rather than hides its variance.

    Parameters
    ----------
    sums : StratumSums
        Any broadcastable shapes; strata on whichever axis the caller will add over.

    Returns
    -------
    VarianceComponents
        Three arrays of the broadcast shape; 0 for a stratum without respondents.

    Raises
    ------
    ValueError
        For a negative ``n``, ``w``, ``ww`` or ``wwyy``, weights in a stratum where nobody was sampled, or
        shapes that do not fit.

    References
    ----------
    Saerndal CE, Swensson B, Wretman J (1992). Model assisted survey sampling. Springer, section 5.6.
    Lumley T (2010). Complex surveys. Wiley, chapters 2 and 3.

    Examples
    --------
    >>> share = variance_components(StratumSums(n=4, w=8.0, wy=4.0, ww=16.0, wwy=8.0, wwyy=8.0))
    >>> [part.round(3).item() for part in share]
    [5.333, 0.0, 0.0]
    """
    fields = ("n", "w", "wy", "ww", "wwy", "wwyy")
    n, w, wy, ww, wwy, wwyy = together(**{name: getattr(sums, name) for name in fields})
    never_negative(n=n, w=w, ww=ww, wwyy=wwyy)
    if ((n == 0) & (ww > 0)).any():
        raise ValueError("weights in a stratum where nobody was sampled: n must count all respondents")
    spread_known = n > 1
    factor = np.where(spread_known, quotient(n, n - 1), np.where(np.isnan(n), np.nan, 1.0))
    per_person = np.where(spread_known, quotient(1.0, n), 0.0)
    return VarianceComponents(
        factor * (wwyy - wy**2 * per_person),
        factor * (wwy - wy * w * per_person),
        factor * (ww - w**2 * per_person),
    )


def ratio_variance(w: ArrayLike, wy: ArrayLike, v_yy: ArrayLike, v_yw: ArrayLike, v_ww: ArrayLike) -> Floats:
    """Give the linearised variance of the weighted mean ``p = wy / w``; also for answers that are not 0/1.

    Formula: ``(V_yy - 2 p V_yw + p^2 V_ww) / w^2``.

    Parameters
    ----------
    w, wy, v_yy, v_yw, v_ww : array_like, broadcastable
        Sums over strata of the weights, the weighted answers and :func:`variance_components`.

    Returns
    -------
    ndarray
        Broadcast shape, unit of y squared; exactly 0 where nothing but rounding is left.

    Raises
    ------
    ValueError
        For negative weights or shapes that do not fit.

    References
    ----------
    Saerndal CE, Swensson B, Wretman J (1992), section 5.6.

    Examples
    --------
    >>> ratio_variance(8.0, 4.0, 16 / 3, 0.0, 0.0).round(4).item()
    0.0833
    """
    w, wy, v_yy, v_yw, v_ww = together(w=w, wy=wy, v_yy=v_yy, v_yw=v_yw, v_ww=v_ww)
    never_negative(w=w)
    p = quotient(wy, w)
    variance = v_yy - 2 * p * v_yw + p**2 * v_ww
    magnitude = np.abs(v_yy) + 2 * np.abs(p * v_yw) + p**2 * np.abs(v_ww)
    # Equal answers cancel to a remainder of rounding of either sign; the root of that is not a spread.
    return quotient(np.where(variance <= 1e-12 * magnitude, 0.0, variance), w**2)


def weighted_proportion(
    w: ArrayLike,
    wy: ArrayLike,
    v_yy: ArrayLike,
    v_yw: ArrayLike,
    v_ww: ArrayLike,
    degrees_of_freedom: ArrayLike,
    *,
    per: float = 1.0,
    effective_n: ArrayLike = np.nan,
    level: float = 0.95,
) -> Estimate:
    """Give a weighted share with logit limits, as R's ``svyciprop(method = "logit")``.

    Formula: ``p = wy / w``; ``expit(logit p -+ t se / (p (1 - p)))`` with ``se`` from :func:`ratio_variance`.
    Where all answers agree (p is 0 or 1, or the strata differ but no stratum varies) the variance is 0 and
    says nothing; there the limits are Clopper-Pearson's with the effective sample size (Korn and Graubard).

    Parameters
    ----------
    w, wy, v_yy, v_yw, v_ww : array_like, broadcastable
        Sums over strata, as for :func:`ratio_variance`; answers are 0 or 1.
    degrees_of_freedom : array_like
        Respondents minus strata, both of the strata that hold domain members (R: ``degf``). ``inf``: normal.
    per : float
        1 for a fraction, 100 for a percentage.
    effective_n : array_like
        Of :func:`kish_effective_sample_size`; used only where the variance is 0. Missing: nan limits there.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape; nan where ``w`` is 0; logit limits need a positive degree of freedom, else nan.

    Raises
    ------
    ValueError
        For negative weights, ``wy`` outside 0..w, shapes that do not fit or an impossible level.

    References
    ----------
    Korn EL, Graubard BI (1998). Survey Methodology 24: 193-201. Lumley T (2010). Complex surveys, Wiley.

    Examples
    --------
    >>> share = weighted_proportion(8.0, 4.0, 16 / 3, 0.0, 0.0, 3, per=100)
    >>> share.value.item(), share.lower.round(1).item(), share.upper.round(1).item()
    (50.0, 2.5, 97.5)
    """
    variance = ratio_variance(w, wy, v_yy, v_yw, v_ww)
    w, wy, variance, t, effective_n = together(
        w=w,
        wy=wy,
        variance=variance,
        degrees_of_freedom=intervals.t_score(degrees_of_freedom, level=level),
        effective_n=effective_n,
    )
    if ((wy < 0) | (wy > w * (1 + 1e-9))).any():
        raise ValueError("wy must lie between 0 and w: answers to a proportion are 0 or 1")
    # Sums of the same weights in another order may leave p a rounding above 1.
    p = np.clip(quotient(wy, w), 0.0, 1.0)
    half = t * quotient(np.sqrt(variance), p * (1 - p))
    # Beta quantiles are slow: asking for nan costs nothing where the logit limits serve.
    effective_n = np.where(variance == 0, effective_n, np.nan)
    exact = intervals.clopper_pearson(p * effective_n, effective_n, level=level)
    lower, upper = (
        np.where(variance == 0, fallback, special.expit(special.logit(p) + side * half))
        for side, fallback in zip((-1, 1), exact, strict=True)
    )
    return Estimate(per * p, per * lower, per * upper)


def kish_effective_sample_size(w: ArrayLike, ww: ArrayLike) -> Floats:
    """Give how many equally weighted respondents would be as informative as these weights.

    Formula: ``(sum w)^2 / sum w^2``.

    Parameters
    ----------
    w, ww : array_like, broadcastable
        Sum of the weights and of their squares, over all respondents concerned.

    Returns
    -------
    ndarray
        Broadcast shape, in respondents; nan without respondents.

    Raises
    ------
    ValueError
        For negative sums or shapes that do not fit.

    References
    ----------
    Kish L (1965). Survey sampling. Wiley, section 11.7.

    Examples
    --------
    >>> kish_effective_sample_size(6.0, 14.0).round(2).item()       # weights 1, 2 and 3
    2.57
    """
    w, ww = together(w=w, ww=ww)
    never_negative(w=w, ww=ww)
    return quotient(w**2, ww)
