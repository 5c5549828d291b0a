"""Totals, means and ratios of a sample survey, and the covariance of its totals, of persons or of clusters.

In a sample of persons, additive sums per stratum are enough: a respondent is in one domain at most, so products of
domains are zero. In a sample of clusters, the totals of each sampled cluster are needed: two domains share clusters, so
squares of cluster totals do not add up over domains. Multi-stage designs are taken as sampled with replacement at the
first stage (ultimate clusters). Not here: shares (``survey``), or combinations of domains (``survey_domains``).

Totals have one order everywhere: ``wy`` of each domain, then ``w`` of each domain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.intervals import student_t
from triple_aim.stats.survey import Lonely, StratumSums, checked, ratio_variance, stratum_factors


def person_covariance(sums: StratumSums, *, sampling_fraction: ArrayLike = 0.0, lonely: Lonely = "adjust") -> Floats:
    """Return each stratum's covariance matrix of the totals of disjoint domains; add the matrices over strata.

    Formula, for domains d and e with ``s`` the scale of :func:`~triple_aim.stats.survey.stratum_factors`:
    ``cov(wy_d, w_e) = s ([d = e] S_wwy,d - S_wy,d S_w,e / n)``, and likewise for the other pairs.

    Parameters
    ----------
    sums : StratumSums
        Domains on the last axis; ``n`` counts all respondents of the stratum and is the same for each domain.
    sampling_fraction, lonely
        As for :func:`~triple_aim.stats.survey.stratum_factors`.

    Returns
    -------
    ndarray, (..., 2 domains, 2 domains)

    Raises
    ------
    ValueError
        As :func:`~triple_aim.stats.survey.variance_components`.

    References
    ----------
    Saerndal CE, Swensson B, Wretman J (1992). Model assisted survey sampling. Springer, section 5.8.

    Examples
    --------
    Two domains of two respondents each, all of weight 2; the respondents of the first domain answered yes:

    >>> both = StratumSums(n=4, w=[4.0, 4.0], wy=[4.0, 0.0], ww=[8.0, 8.0], wwy=[8.0, 0.0], wwyy=[8.0, 0.0])
    >>> person_covariance(both).round(2)
    array([[ 5.33,  0.  ,  5.33, -5.33],
           [ 0.  ,  0.  ,  0.  ,  0.  ],
           [ 5.33,  0.  ,  5.33, -5.33],
           [-5.33,  0.  , -5.33,  5.33]])
    """
    n, w, wy, ww, wwy, wwyy = checked(sums)
    scale, centring = stratum_factors(n[..., 0], sampling_fraction=sampling_fraction, lonely=lonely)
    own = np.eye(n.shape[-1])
    within = np.concatenate(
        [np.concatenate([wwyy[..., None] * own, wwy[..., None] * own], axis=-1)]
        + [np.concatenate([wwy[..., None] * own, ww[..., None] * own], axis=-1)],
        axis=-2,
    )
    totals = np.concatenate([wy, w], axis=-1)
    matrix: Floats = scale[..., None, None] * (
        within - centring[..., None, None] * totals[..., :, None] * totals[..., None, :]
    )
    return matrix


def cluster_covariance(
    n: ArrayLike, w: ArrayLike, wy: ArrayLike, *, sampling_fraction: ArrayLike = 0.0, lonely: Lonely = "adjust"
) -> Floats:
    """Return each stratum's covariance matrix of totals when clusters were sampled; add them over strata.

    Formula, with ``z_c`` the vector of totals of cluster c: ``s (sum z_c z_c' - z z' / n)``, ``z = sum z_c``.

    Parameters
    ----------
    n : array_like, (...)
        Clusters sampled in the stratum, also those without a member of any domain.
    w, wy : array_like, (..., clusters, domains)
        Sums of w and of w y by cluster and domain; strata with fewer clusters are padded with 0.
    sampling_fraction, lonely
        Of clusters; as for :func:`~triple_aim.stats.survey.stratum_factors`.

    Returns
    -------
    ndarray, (..., 2 domains, 2 domains)

    Raises
    ------
    ValueError
        For negative weights, more clusters with members than were sampled, or shapes that do not fit.

    References
    ----------
    Cochran WG (1977). Sampling techniques, third edition. Wiley, sections 9.5 and 11.9 (ultimate clusters).

    Examples
    --------
    >>> cluster_covariance(2, [[4.0], [4.0]], [[4.0], [2.0]])
    array([[4., 0.],
           [0., 0.]])
    """
    w, wy = broadcast(w=w, wy=wy)
    require_non_negative(w=w)
    (n,) = broadcast(n=n)
    if ((w > 0).any(axis=-1).sum(axis=-1) > n).any():
        raise ValueError("more clusters hold respondents than were sampled: n must count all sampled clusters")
    scale, centring = stratum_factors(n, sampling_fraction=sampling_fraction, lonely=lonely)
    totals = np.concatenate([wy, w], axis=-1)
    total = totals.sum(axis=-2)
    squares = np.einsum("...ci,...cj->...ij", totals, totals)
    matrix: Floats = scale[..., None, None] * (
        squares - centring[..., None, None] * total[..., :, None] * total[..., None, :]
    )
    return matrix


def weighted_total(
    wy: ArrayLike, v_yy: ArrayLike, degrees_of_freedom: ArrayLike, *, per: float = 1.0, level: float = 0.95
) -> Estimate:
    """Return a weighted total with Student's limits: persons with a characteristic, hours of care, euros.

    Formula: ``wy -+ t sqrt(v_yy)``.

    Parameters
    ----------
    wy, v_yy : array_like, broadcastable
        Sums over strata of w y and of its variance; for a number of persons, of ``w`` and ``v_ww``.
    degrees_of_freedom : array_like
        Units minus strata; ``inf``: normal limits.
    per : float
        Multiplier, 0.001 for thousands.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape.

    Raises
    ------
    ValueError
        For a negative variance, shapes that do not fit or an impossible level.

    References
    ----------
    Cochran WG (1977). Sampling techniques, third edition. Wiley, section 5.4.

    Examples
    --------
    >>> total = weighted_total(4.0, 16 / 3, 3)
    >>> total.lower.round(2).item(), total.upper.round(2).item()
    (-3.35, 11.35)
    """
    wy, v_yy = broadcast(wy=wy, v_yy=v_yy)
    lower, upper = student_t(wy, v_yy, degrees_of_freedom, level=level)
    return Estimate(*np.broadcast_arrays(per * wy, per * lower, per * upper))


def weighted_ratio(
    w: ArrayLike,
    wy: ArrayLike,
    v_yy: ArrayLike,
    v_yw: ArrayLike,
    v_ww: ArrayLike,
    degrees_of_freedom: ArrayLike,
    *,
    per: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return a weighted mean, or a ratio of two weighted totals, with Student's limits.

    Formula: ``wy / w -+ t se``, ``se`` from :func:`~triple_aim.stats.survey.ratio_variance`. For the ratio of y
    to x, replace w by w x in the formulas.

    Parameters
    ----------
    w, wy, v_yy, v_yw, v_ww : array_like, broadcastable
        Sums over strata.
    degrees_of_freedom, per, level
        As for :func:`weighted_total`.

    Returns
    -------
    Estimate
        Broadcast shape; nan where ``w`` is 0.

    Raises
    ------
    ValueError
        For negative weights, shapes that do not fit or an impossible level.

    References
    ----------
    Saerndal CE, Swensson B, Wretman J (1992), section 5.6.

    Examples
    --------
    >>> mean = weighted_ratio(8.0, 4.0, 16 / 3, 0.0, 0.0, 3)
    >>> mean.value.item(), mean.lower.round(2).item()
    (0.5, -0.42)
    """
    variance = ratio_variance(w, wy, v_yy, v_yw, v_ww)
    w, wy, variance = broadcast(w=w, wy=wy, variance=variance)
    value = quotient(wy, w)
    lower, upper = student_t(value, variance, degrees_of_freedom, level=level)
    return Estimate(per * value, per * lower, per * upper)
