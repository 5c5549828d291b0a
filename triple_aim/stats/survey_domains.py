"""Combinations of domains of one sample survey: gaps, standardised and post-stratified means.

Belongs here: functions of the means of several domains whose covariance through the design is known. Not here: that
covariance (``survey_design``), or one share of one domain (``survey``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.intervals import student_t
from triple_aim.stats.survey_limits import Limits, proportion_limits

ROUNDING = 1e-12


def combined_ratio(w: ArrayLike, wy: ArrayLike, covariance: ArrayLike, coefficient: ArrayLike) -> tuple[Floats, Floats]:
    """Return a linear combination of the means of domains, and its variance through the design.

    Formula: ``sum c_d p_d`` with ``p_d = wy_d / w_d``; variance ``g' C g`` with the gradient
    ``g = (c_d / w_d, -c_d p_d / w_d)`` and C the covariance of the totals. A gap has coefficients 1 and -1; a
    standardised mean the shares of the standard; a post-stratified mean those of the population, because weighting to
    known population numbers is the same arithmetic.

    Parameters
    ----------
    w, wy : array_like, (..., domains)
        Sums over strata.
    covariance : array_like, (..., 2 domains, 2 domains)
        Sum over strata of the matrices of ``survey_design``, for persons or for clusters.
    coefficient : array_like, broadcastable to (..., domains)
        c; a domain with 0 does not count, with or without answers.

    Returns
    -------
    value, variance : ndarray, (...)
        nan where nobody answered in a domain that counts.

    Raises
    ------
    ValueError
        For negative weights or shapes that do not fit.

    References
    ----------
    Korn EL, Graubard BI (1999). Analysis of health surveys. Wiley, section 2.6 (standardised means).

    Examples
    --------
    >>> from triple_aim.stats.survey import StratumSums
    >>> from triple_aim.stats.survey_design import person_covariance
    >>> both = StratumSums(n=4, w=[4.0, 4.0], wy=[4.0, 2.0], ww=[8.0, 8.0], wwy=[8.0, 4.0], wwyy=[8.0, 4.0])
    >>> value, variance = combined_ratio(both.w, both.wy, person_covariance(both), [1, -1])
    >>> value.item(), variance.round(4).item()
    (0.5, 0.1667)
    """
    w, wy, coefficient = broadcast(w=w, wy=wy, coefficient=coefficient)
    (covariance,) = broadcast(covariance=covariance)
    require_non_negative(w=w)
    if covariance.shape[-2:] != (2 * w.shape[-1],) * 2:
        raise ValueError(f"{w.shape[-1]} domains need a covariance of {2 * w.shape[-1]} by as many totals")
    counts = coefficient != 0
    mean = np.where(counts, quotient(wy, w), 0.0)
    derivative = np.where(counts, quotient(coefficient, w), 0.0)
    gradient = np.concatenate([derivative, -derivative * mean], axis=-1)
    terms = gradient[..., :, None] * covariance * gradient[..., None, :]
    variance = terms.sum(axis=(-2, -1))
    # Equal answers cancel except for rounding of either sign, which is not a variance.
    variance = np.where(variance <= ROUNDING * np.abs(terms).sum(axis=(-2, -1)), 0.0, variance)
    value: Floats = (coefficient * mean).sum(axis=-1)
    return np.broadcast_arrays(value, variance)  # type: ignore[return-value]


def weighted_gap(
    w: ArrayLike,
    wy: ArrayLike,
    covariance: ArrayLike,
    degrees_of_freedom: ArrayLike,
    *,
    per: float = 1.0,
    level: float = 0.95,
) -> Estimate:
    """Return the mean of the second domain minus that of the first, with Student's limits.

    The two are not independent, because the sample size of a stratum is fixed. The interval includes their covariance,
    which a difference of two intervals ignores.

    Parameters
    ----------
    w, wy : array_like, (..., 2)
        Sums over strata of the two domains.
    covariance : array_like, (..., 4, 4)
        As for :func:`combined_ratio`.
    degrees_of_freedom, per, level
        As for :func:`weighted_total`; units and strata of either domain.

    Returns
    -------
    Estimate
        Shape ``(...)``; nan where nobody of a domain answered.

    Raises
    ------
    ValueError
        As :func:`combined_ratio`, or for an impossible level.

    References
    ----------
    Korn EL, Graubard BI (1999). Analysis of health surveys. Wiley, section 2.6.

    Examples
    --------
    >>> from triple_aim.stats.survey import StratumSums
    >>> from triple_aim.stats.survey_design import person_covariance
    >>> both = StratumSums(n=40, w=[40.0, 40.0], wy=[20.0, 30.0], ww=[80.0] * 2, wwy=[40.0, 60.0], wwyy=[40.0, 60.0])
    >>> gap = weighted_gap(both.w, both.wy, person_covariance(both), 39, per=100)
    >>> gap.value.item(), gap.lower.round(1).item(), gap.upper.round(1).item()
    (25.0, -5.3, 55.3)
    """
    value, variance = combined_ratio(w, wy, covariance, [-1.0, 1.0])
    lower, upper = student_t(value, variance, degrees_of_freedom, level=level)
    return Estimate(*np.broadcast_arrays(per * value, per * lower, per * upper))


def standardised_proportion(
    w: ArrayLike,
    wy: ArrayLike,
    covariance: ArrayLike,
    standard: ArrayLike,
    degrees_of_freedom: ArrayLike,
    *,
    per: float = 1.0,
    limits: Limits = "logit",
    effective_n: ArrayLike = np.nan,
    respondents: ArrayLike = np.inf,
    level: float = 0.95,
) -> Estimate:
    """Return the share there would be if the cells (sex and age) were as in a standard population.

    Formula: :func:`combined_ratio` with ``standard / sum standard``; limits from
    :func:`~triple_aim.stats.survey_limits.proportion_limits`.

    Parameters
    ----------
    w, wy, covariance
        As for :func:`combined_ratio`; domains are the cells.
    standard : array_like, broadcastable to (..., cells)
        Weights of the standard; only their ratio matters. A cell with 0 does not count.
    degrees_of_freedom, limits, effective_n, respondents, level
        As for :func:`~triple_aim.stats.survey_limits.proportion_limits`.
    per : float
        1 for a fraction, 100 for a percentage.

    Returns
    -------
    Estimate
        Shape ``(...)``; nan where nobody answered in a cell that counts.

    Raises
    ------
    ValueError
        For a negative standard, and as :func:`combined_ratio`.

    References
    ----------
    Korn EL, Graubard BI (1999). Analysis of health surveys. Wiley, section 2.6.

    Examples
    --------
    >>> from triple_aim.stats.survey import StratumSums
    >>> from triple_aim.stats.survey_design import person_covariance
    >>> cells = StratumSums(n=40, w=[40.0, 40.0], wy=[20.0, 30.0], ww=[80.0] * 2, wwy=[40.0, 60.0], wwyy=[40.0, 60.0])
    >>> share = standardised_proportion(cells.w, cells.wy, person_covariance(cells), [1, 3], 39, per=100)
    >>> share.value.item(), share.lower.round(1).item(), share.upper.round(1).item()
    (68.75, 51.2, 82.2)
    """
    (standard,) = broadcast(standard=standard)
    require_non_negative(standard=standard)
    share = quotient(standard, standard.sum(axis=-1, keepdims=True))
    value, variance = combined_ratio(w, wy, covariance, share)
    p = np.clip(value, 0.0, 1.0)
    lower, upper = proportion_limits(
        p, variance, degrees_of_freedom, limits=limits, effective_n=effective_n, respondents=respondents, level=level
    )
    return Estimate(*np.broadcast_arrays(per * p, per * lower, per * upper))
