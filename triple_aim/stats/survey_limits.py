"""Limits of a share that a sample survey estimated: logit, Wald, Korn-Graubard and Wilson-type.

Belongs here: the interval of a share, given its design-based variance and degrees of freedom. Not here: the variance
(``survey``, ``survey_design``) or the limits of a plain binomial proportion (``intervals``).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triple_aim.stats import intervals
from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, require_one_of

Limits = Literal["logit", "wald", "beta", "wilson"]


def proportion_limits(
    p: ArrayLike,
    variance: ArrayLike,
    degrees_of_freedom: ArrayLike,
    *,
    limits: Limits = "logit",
    effective_n: ArrayLike = np.nan,
    respondents: ArrayLike = np.inf,
    level: float = 0.95,
) -> intervals.Limits:
    """Return limits of an estimated share from its design-based variance V.

    Formula, with t the Student quantile:

    * ``"logit"``: ``expit(logit p -+ t sqrt(V) / (p (1 - p)))``; always between 0 and 1.
    * ``"wald"``: ``p -+ t sqrt(V)``; may go outside 0..1, with poor coverage there.
    * ``"beta"`` (Korn and Graubard): Clopper-Pearson's with ``n* = p (1 - p) / V * (t(respondents - 1) / t)^2``.
    * ``"wilson"``: Wilson's with that ``n*``.

    Where all answers agree (p is 0 or 1, or the answers vary between strata only) V is 0 and gives no interval; there
    the limits are Clopper-Pearson's with ``effective_n``, for every kind.

    Parameters
    ----------
    p, variance : array_like, broadcastable
        A share between 0 and 1 and the variance of its estimate.
    degrees_of_freedom : array_like
        Units minus strata, both of the strata with domain members (R: ``degf``); units are respondents, or
        clusters of a clustered design. ``inf``: normal.
    limits : {"logit", "wald", "beta", "wilson"}
        The kind of limits.
    effective_n : array_like
        Kish's effective sample size; used only where V is 0. Missing: nan limits there.
    respondents : array_like
        Respondents in the domain, for ``"beta"`` and ``"wilson"``; ``inf``: their quantile is normal.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    lower, upper : ndarray, broadcast shape; nan without a positive degree of freedom where V is not 0

    Raises
    ------
    ValueError
        For an unknown kind, a negative variance, shapes that do not fit or an impossible level.

    References
    ----------
    Korn EL, Graubard BI (1998). Survey Methodology 24: 193-201.
    Franco C, Little RJA, Louis TA, Slud EV (2019). J Survey Stat Methodol 7: 334-364 (Wilson-type limits).

    Examples
    --------
    >>> [limit.round(3).item() for limit in proportion_limits(0.1, 0.0009, 40, respondents=60, limits="beta")]
    [0.049, 0.177]
    """
    require_one_of("limits", limits, get_args(Limits))
    t, t_persons = (
        intervals.t_score(df, level=level) for df in (degrees_of_freedom, np.asarray(respondents, float) - 1)
    )
    p, variance, t, t_persons, effective_n = broadcast(
        p=p, variance=variance, degrees_of_freedom=t, respondents=t_persons, effective_n=effective_n
    )
    require_non_negative(variance=variance)
    agreed = variance == 0
    if limits == "logit":
        half = quotient(t * np.sqrt(variance), p * (1 - p))
        sides = [special.expit(special.logit(p) + side * half) for side in (-1, 1)]
    elif limits == "wald":
        sides = [p + side * t * np.sqrt(variance) for side in (-1, 1)]
    else:
        shrunken = quotient(p * (1 - p), variance) * quotient(t_persons, t) ** 2
        method = intervals.clopper_pearson if limits == "beta" else intervals.wilson
        sides = list(method(p * shrunken, shrunken, level=level))
    # Beta quantiles are slow; they are not computed for nan, where the variance gives the limits.
    known = np.where(agreed, effective_n, np.nan)
    exact = intervals.clopper_pearson(p * known, known, level=level)
    lower, upper = (np.where(agreed, fallback, side) for side, fallback in zip(sides, exact, strict=True))
    return lower, upper
