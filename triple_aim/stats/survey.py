"""Design-based estimates of a sample survey, from sums per sampling stratum instead of respondents.

Belongs here: the linearised variance under stratified sampling of persons with weights, with or without finite
population correction, and shares with their interval. Not here: the kinds of limits of a share (``survey_limits``),
totals, means and clusters (``survey_design``), combinations of domains (``survey_domains``), computing the weights
(``weighting``), small area models.

Domains (such as women in one municipality): the sums are over respondents who are in the domain *and* answered; only
``n`` counts every sampled respondent of the stratum. The variance then includes the random size of the domain, as
``subset()`` does in R's survey package; a variance computed after dropping rows does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, require_one_of
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.survey_limits import Limits, proportion_limits

Lonely = Literal["adjust", "certainty", "fail"]


@dataclass(frozen=True, slots=True, eq=False)
class StratumSums:
    """The sums of a survey in a cube: additive, per sampling stratum, of equal or broadcastable shapes.

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


class Factors(NamedTuple):
    """The factor of a stratum's centred sum of squares, and the part of the squared sum to subtract first."""

    scale: Floats
    centring: Floats


class VarianceComponents(NamedTuple):
    """(Co)variances of the weighted totals ``wy`` and ``w``; sums over strata of these are (co)variances too."""

    v_yy: Floats
    v_yw: Floats
    v_ww: Floats


def stratum_factors(n: ArrayLike, *, sampling_fraction: ArrayLike = 0.0, lonely: Lonely = "adjust") -> Factors:
    """Return the factors that turn the sums of squares of one stratum into its share of a variance.

    Formula: ``scale = (1 - f) n / (n - 1)`` and ``centring = 1 / n``, so that a share is
    ``scale (sum z^2 - centring (sum z)^2)``; ``f`` is the sampling fraction.

    A lonely stratum (``n = 1``) has no variance around its own mean. ``lonely`` is the rule for it: ``"adjust"``
    centres it at the overall mean, which is 0 for the linearised values of a ratio (``scale = 1 - f``, nothing
    subtracted; for a total, whose values have another mean, that is an upper bound); ``"certainty"`` takes it as
    completely sampled, so it adds nothing; ``"fail"`` refuses it.

    Parameters
    ----------
    n : array_like
        Units sampled in the stratum: persons, or clusters of a clustered design.
    sampling_fraction : array_like, broadcastable
        Part of the stratum's units that was sampled, 0 to 1; 0 means no finite population correction.
    lonely : {"adjust", "certainty", "fail"}
        As R's ``options(survey.lonely.psu)``.

    Returns
    -------
    Factors
        Two arrays of the broadcast shape; a stratum without units has ``scale`` 1 - f over sums of 0.

    Raises
    ------
    ValueError
        For a negative ``n``, a fraction outside 0..1, an unknown rule, or a lonely stratum under ``"fail"``
        unless it was sampled completely.

    References
    ----------
    Cochran WG (1977). Sampling techniques, third edition. Wiley, sections 2.6 and 5.4.

    Examples
    --------
    >>> factors = stratum_factors(5, sampling_fraction=1 / 3)
    >>> factors.scale.round(4).item(), factors.centring.item()
    (0.8333, 0.2)
    """
    require_one_of("lonely", lonely, get_args(Lonely))
    n, sampling_fraction = broadcast(n=n, sampling_fraction=sampling_fraction)
    require_non_negative(n=n, sampling_fraction=sampling_fraction)
    if (sampling_fraction > 1).any():
        raise ValueError("sampling_fraction must be between 0 and 1")
    unsampled = 1 - sampling_fraction
    if lonely == "fail" and ((n == 1) & (unsampled > 0)).any():
        raise ValueError("a stratum holds one sampled unit: merge strata, or choose another rule for lonely strata")
    lonely_scale = 0.0 if lonely == "certainty" else 1.0
    scale = np.where(n > 1, quotient(n, n - 1), np.where(n == 1, lonely_scale, np.where(np.isnan(n), np.nan, 1.0)))
    return Factors(unsampled * scale, np.where(n > 1, quotient(1.0, n), 0.0))


def variance_components(
    sums: StratumSums, *, sampling_fraction: ArrayLike = 0.0, lonely: Lonely = "adjust"
) -> VarianceComponents:
    """Return each stratum's share of the variance of a weighted ratio; add the shares over strata.

    Formula, with ``s`` the scale of :func:`stratum_factors`: ``V_yy = s (S_wwyy - S_wy^2/n)``,
    ``V_yw = s (S_wwy - S_wy S_w/n)``, ``V_ww = s (S_ww - S_w^2/n)``.

    Parameters
    ----------
    sums : StratumSums
        Any broadcastable shapes; strata on any axis that the caller adds over.
    sampling_fraction, lonely
        As for :func:`stratum_factors`.

    Returns
    -------
    VarianceComponents
        Three arrays of the broadcast shape; 0 for a stratum without respondents.

    Raises
    ------
    ValueError
        For a negative ``n``, ``w``, ``ww`` or ``wwyy``, weights in a stratum where nobody was sampled,
        shapes that do not fit, and as :func:`stratum_factors`.

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
    n, w, wy, ww, wwy, wwyy = checked(sums)
    scale, centring = stratum_factors(n, sampling_fraction=sampling_fraction, lonely=lonely)
    return VarianceComponents(
        scale * (wwyy - wy**2 * centring),
        scale * (wwy - wy * w * centring),
        scale * (ww - w**2 * centring),
    )


def checked(sums: StratumSums) -> tuple[Floats, ...]:
    """Broadcast the six sums to one shape; raise ValueError for impossible sums."""
    fields = ("n", "w", "wy", "ww", "wwy", "wwyy")
    n, w, wy, ww, wwy, wwyy = broadcast(**{name: getattr(sums, name) for name in fields})
    require_non_negative(n=n, w=w, ww=ww, wwyy=wwyy)
    if ((n == 0) & (ww > 0)).any():
        raise ValueError("weights in a stratum where nobody was sampled: n must count all respondents")
    return n, w, wy, ww, wwy, wwyy


def ratio_variance(w: ArrayLike, wy: ArrayLike, v_yy: ArrayLike, v_yw: ArrayLike, v_ww: ArrayLike) -> Floats:
    """Return the linearised variance of the weighted mean ``p = wy / w``; also for answers that are not 0/1.

    Formula: ``(V_yy - 2 p V_yw + p^2 V_ww) / w^2``.

    Parameters
    ----------
    w, wy, v_yy, v_yw, v_ww : array_like, broadcastable
        Sums over strata of the weights, the weighted answers and :func:`variance_components`.

    Returns
    -------
    ndarray
        Broadcast shape, unit of y squared; exactly 0 where only rounding remains.

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
    w, wy, v_yy, v_yw, v_ww = broadcast(w=w, wy=wy, v_yy=v_yy, v_yw=v_yw, v_ww=v_ww)
    require_non_negative(w=w)
    p = quotient(wy, w)
    variance = v_yy - 2 * p * v_yw + p**2 * v_ww
    magnitude = np.abs(v_yy) + 2 * np.abs(p * v_yw) + p**2 * np.abs(v_ww)
    # Equal answers cancel except for rounding of either sign, which is not a variance.
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
    limits: Limits = "logit",
    effective_n: ArrayLike = np.nan,
    respondents: ArrayLike = np.inf,
    level: float = 0.95,
) -> Estimate:
    """Return a weighted share with its design-based limits, as R's ``svyciprop``.

    Formula: ``p = wy / w``, its variance from :func:`ratio_variance`, limits from :func:`proportion_limits`.

    Parameters
    ----------
    w, wy, v_yy, v_yw, v_ww : array_like, broadcastable
        Sums over strata, as for :func:`ratio_variance`; answers are 0 or 1.
    degrees_of_freedom, limits, effective_n, respondents, level
        As for :func:`proportion_limits`.
    per : float
        1 for a fraction, 100 for a percentage.

    Returns
    -------
    Estimate
        Broadcast shape; nan where ``w`` is 0; limits need a positive degree of freedom, else nan.

    Raises
    ------
    ValueError
        For negative weights, ``wy`` outside 0..w, shapes that do not fit or an impossible level.

    References
    ----------
    Lumley T (2010). Complex surveys. Wiley, section 2.4.

    Examples
    --------
    >>> share = weighted_proportion(8.0, 4.0, 16 / 3, 0.0, 0.0, 3, per=100)
    >>> share.value.item(), share.lower.round(1).item(), share.upper.round(1).item()
    (50.0, 2.5, 97.5)
    """
    variance = ratio_variance(w, wy, v_yy, v_yw, v_ww)
    w, wy, variance = broadcast(w=w, wy=wy, variance=variance)
    if ((wy < 0) | (wy > w * (1 + 1e-9))).any():
        raise ValueError("wy must be between 0 and w: answers to a proportion are 0 or 1")
    # Sums of the same weights in another order may round p to slightly above 1.
    p = np.clip(quotient(wy, w), 0.0, 1.0)
    lower, upper = proportion_limits(
        p, variance, degrees_of_freedom, limits=limits, effective_n=effective_n, respondents=respondents, level=level
    )
    return Estimate(*np.broadcast_arrays(per * p, per * lower, per * upper))
