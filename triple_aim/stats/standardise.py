"""Standardised measures: rates, means and ratios that are comparable over age and sex.

Belongs here: methods that need a weight or a reference rate per stratum (strata on the last axis). Not here: the
standard populations themselves (``reference/``) and growth (``triple_aim.indicators.methods``).

Strata without person-years ("empty" strata). A region without women over 95 has no rate there. A rate of zero would
replace missing by zero and make the result too low. The default ``"drop_weight"`` leaves the stratum out and
renormalises the remaining weights, as if its rate were the weighted average of the others; ``"withhold"`` gives nan.
Events without person-years always give nan, because they must not disappear.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from triple_aim.stats import intervals
from triple_aim.stats.arguments import broadcast, quotient, require_non_negative, require_one_of, tail_probability
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.rates import sample_variance

Empty = Literal["drop_weight", "withhold"]


def directly_standardised_rate(
    count: ArrayLike,
    person_years: ArrayLike,
    weight: ArrayLike,
    *,
    per: float = 1.0,
    event_sumsq: ArrayLike | None = None,
    interval: Literal["dobson", "gamma"] = "dobson",
    minimum_events: float = 10,
    empty: Empty = "drop_weight",
    level: float = 0.95,
) -> Estimate:
    """Return the rate a region would have with the structure of the standard population.

    Formula: ``D = sum w_i O_i/n_i / sum w_i``; ``V = sum w_i^2 O_i/n_i^2 / (sum w_i)^2``.
    ``"dobson"``: ``D + sqrt(V/O) (O_L - O)`` and ``D + sqrt(V/O) (O_U - O)`` with Byar's ``O_L, O_U`` of the
    total count ``O`` (exact below 10, if ``minimum_events`` allows so few).
    ``"gamma"`` (Fay-Feuer): ``V/(2D) chi2(a/2; 2D^2/V)`` and, with ``k`` the largest ``w_i/(n_i sum w_i)``,
    ``(V + k^2)/(2(D + k)) chi2(1 - a/2; 2(D + k)^2/(V + k^2))``.
    Where one person can have several events, or a part of one, ``event_sumsq`` replaces ``O_i`` in ``V``, which is
    then ``sum over f of f^2`` times the variance of the persons with ``f`` events.

    Parameters
    ----------
    count, person_years, weight : array_like, broadcastable, strata on the last axis
        Events, years at risk, and standard population (any scale). Strata of weight 0 are not used.
    per : float
        Unit of the rate, e.g. 100 000.
    event_sumsq : array_like, optional
        Sum over persons of the squared number ``f`` of events of that person, e.g. 9 for one person with three
        admissions. ``f`` may be a fraction: a death that counts half adds 0.5 to ``count`` and 0.25 here. Equals
        ``count`` if everybody has one event or none. For Dobson's limits only.
    interval : {"dobson", "gamma"}
        The gamma limits are wider; their coverage is right even where the weights differ strongly from the region's own
        structure.
    minimum_events : float
        Below this total the result is withheld: Morris et al. find the rate itself unstable there.
        With 0, a total of 0 events has a value but no Dobson limits.
    empty : {"drop_weight", "withhold"}
        Treatment of strata without person-years; see the module's docstring.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape without the last axis, events per ``per`` person-years; nan where withheld.

    Raises
    ------
    ValueError
        For a negative argument, an ``event_sumsq`` that is 0 where ``count`` is not (or the reverse) or comes
        with gamma limits, an unknown ``empty`` or ``interval``, shapes that do not fit or an impossible level.

    References
    ----------
    Dobson AJ, Kuulasmaa K, Eberle E, Scherer J (1991). Stat Med 10: 457-462.
    Fay MP, Feuer EJ (1997). Stat Med 16: 791-801 (gamma).
    Office for Health Improvement and Disparities. Fingertips public health technical guidance: directly
    standardised rates (events that are not independent).
    Morris JK et al. (2018). Population Health Metrics 16: 19 (fewer than 10 events).

    Examples
    --------
    >>> rate = directly_standardised_rate([4, 9], [2000, 1500], [0.6, 0.4], per=100_000)
    >>> rate.value.round(6).item(), rate.lower.round(1).item(), rate.upper.round(1).item()
    (360.0, 191.2, 616.0)
    """
    require_one_of("interval", interval, ("dobson", "gamma"))
    if event_sumsq is not None and interval == "gamma":
        raise ValueError("gamma limits assume independent events: pass event_sumsq with Dobson's only")
    count, person_years, weight, squares = broadcast(
        count=count,
        person_years=person_years,
        weight=weight,
        event_sumsq=count if event_sumsq is None else event_sumsq,
    )
    require_non_negative(count=count, event_sumsq=squares)
    # The squares of shares may add up to less than the shares, but not to zero.
    if (((count > 0) & (squares == 0)) | ((count == 0) & (squares > 0))).any():
        raise ValueError("count and event_sumsq must be zero in the same cells: they are sums over the same persons")
    weight = _usable_weight(weight, person_years, count, empty)
    used = weight != 0

    def add_up(terms: Floats) -> Floats:
        total: Floats = np.where(used, terms, 0.0).sum(axis=-1)
        return total

    events = add_up(count)
    value = add_up(weight * quotient(count, person_years))
    variance = add_up(weight**2 * quotient(squares, person_years**2))
    if interval == "gamma":
        largest = np.where(used, quotient(weight, person_years), 0.0).max(axis=-1)
        limits = _gamma_limits(value, variance, largest, level)
    else:
        counts = intervals.poisson(events, level=level)
        # Dobson rescales the interval of the plain count: the weighted sum has no known distribution.
        scale = np.sqrt(quotient(variance, events))
        limits = (value + scale * (counts[0] - events), value + scale * (counts[1] - events))
    return Estimate(*(per * part for part in (value, *limits))).where(events >= minimum_events)


def directly_standardised_mean(
    total: ArrayLike,
    total_sq: ArrayLike | None,
    n: ArrayLike,
    weight: ArrayLike,
    *,
    exposure: ArrayLike | None = None,
    interval: Literal["delta", "bootstrap"] = "delta",
    repeats: int = 1000,
    seed: int = 0,
    empty: Empty = "drop_weight",
    level: float = 0.95,
) -> Estimate:
    """Return the mean a region would have with the structure of the standard population, e.g. euros per head.

    Formula: ``M = sum w_i S_i/e_i / sum w_i`` with ``e_i`` the exposure (persons unless given);
    ``V = sum w_i^2 n_i s_i^2/e_i^2 / (sum w_i)^2``. With ``e_i = n_i`` this is the usual
    ``sum w_i^2 s_i^2/n_i``; exposure counts as fixed. ``"delta"``: ``M -+ z sqrt(V)``. ``"bootstrap"``:
    parametric and studentised. Only sums are known, so persons cannot be drawn again; instead each stratum's
    mean is drawn as normal and its variance as chi-square, ``T = (M* - M)/sqrt(V*)``, and the limits are
    ``M - T(1 - a/2) sqrt(V)`` and ``M - T(a/2) sqrt(V)``. With one stratum that is Student's interval; it
    matters where few persons have much weight. It does not account for skewness, which sums do not show.

    Parameters
    ----------
    total, total_sq, n, weight : array_like, broadcastable, strata on the last axis
        Sum and sum of squares over persons, number of persons, and standard population (any scale).
        ``total_sq=None``: no interval.
    exposure : array_like, optional
        Denominator of the mean where that is not persons, e.g. insured years.
    interval : {"delta", "bootstrap"}
        The bootstrap is slow (seconds for some hundreds of cells of 38 strata) and meant for few persons.
    repeats, seed : int
        Of the bootstrap. All cells use the same draws, so the limits of a cell do not depend on the order of the cells
        or on the other cells.
    empty : {"drop_weight", "withhold"}
        Treatment of strata without exposure; see the module's docstring.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Broadcast shape without the last axis, unit of ``total`` per unit of exposure; limits nan where a weighted
        stratum has one person only, because one person has no variance.

    Raises
    ------
    ValueError
        For a negative number or weight, contradictory sums, an unknown ``empty`` or ``interval``, fewer than
        100 repeats, shapes that do not fit or an impossible level.

    References
    ----------
    Armitage P, Berry G, Matthews JNS (2002). Statistical methods in medical research, 4th ed., section 19.3.
    Davison AC, Hinkley DV (1997). Bootstrap methods and their application, sections 2.4 and 5.2.

    Examples
    --------
    >>> cost = directly_standardised_mean([600.0, 900.0], None, [3, 3], [1, 3])
    >>> cost.value.item(), cost.lower.item()
    (275.0, nan)
    """
    require_one_of("interval", interval, ("delta", "bootstrap"))
    if repeats < 100:
        raise ValueError(f"repeats must be at least 100, got {repeats}: fewer draws have no tails")
    exposure = n if exposure is None else exposure
    total, n, weight, exposure = broadcast(total=total, n=n, weight=weight, exposure=exposure)
    require_non_negative(n=n)
    z = intervals.z_score(level)
    weight = _usable_weight(weight, exposure, total, empty)
    used = weight != 0
    value = np.where(used, weight * quotient(total, exposure), 0.0).sum(axis=-1)
    if total_sq is None:
        return Estimate.without_limits(value)
    total, total_sq = broadcast(total=total, total_sq=total_sq)
    spread = n * sample_variance(total, total_sq, n)
    parts = np.where(used, weight**2 * quotient(spread, exposure**2), 0.0)
    error = np.sqrt(parts.sum(axis=-1))
    if interval == "bootstrap":
        low, high = _studentised_quantiles(parts, n, repeats, seed, level)
        return Estimate(value, value - high * error, value - low * error)
    return Estimate(value, value - z * error, value + z * error)


def indirectly_standardised_ratio(
    observed: ArrayLike,
    exposure: ArrayLike,
    reference_rate: ArrayLike,
    *,
    per: float = 1.0,
    is_count: bool = True,
    variance: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return observed over expected at reference rates (the SMR and similar ratios).

    Formula: ``per * O / E``, ``E = sum e_i r_i``. Limits: for counts Byar from 10 events and exact below, of
    ``O``; otherwise ``(O -+ z sqrt(variance)) / E``. The reference rates are taken as known without error.

    Parameters
    ----------
    observed : array_like, shape (..., strata) or (..., 1)
        Events or euros; summed over the last axis, so a total alone may be passed with a last axis of 1.
    exposure, reference_rate : array_like, broadcastable, strata on the last axis
        Person-years (or persons), and the reference's rate per unit of exposure. An unknown rate is
        ignored where the exposure is 0.
    per : float
        1 for a ratio, 100 for a percentage.
    is_count : bool
        False for quantities such as euros, to which Poisson limits do not apply.
    variance : array_like, shape of the result, optional
        Variance of the observed total, for ``is_count=False``. Without it the limits are nan.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Leading shape; nan where nothing is expected.

    Raises
    ------
    ValueError
        For negative counts, exposure or variance, a variance given for counts, shapes that do not fit or
        an impossible level.

    References
    ----------
    Breslow NE, Day NE (1987). Statistical methods in cancer research II. IARC, chapter 2.

    Examples
    --------
    >>> smr = indirectly_standardised_ratio([1, 3], [1000, 500], [0.0005, 0.003])
    >>> smr.value.item(), smr.lower.round(3).item()
    (2.0, 0.545)
    """
    z = intervals.z_score(level)
    exposure, reference_rate = broadcast(exposure=exposure, reference_rate=reference_rate)
    require_non_negative(exposure=exposure)
    expected = np.where(exposure == 0, 0.0, exposure * reference_rate).sum(axis=-1)
    # Not broadcast over the strata: a total must count once, not once per stratum.
    (observed,) = broadcast(observed=observed)
    observed, expected = broadcast(observed=observed.sum(axis=-1), expected=expected)
    if is_count:
        if variance is not None:
            raise ValueError("a variance is for totals that are not counts: pass is_count=False")
        limits = intervals.poisson(observed, level=level)
    else:
        spread = np.full(observed.shape, np.nan) if variance is None else np.asarray(variance, float)
        observed, expected, spread = broadcast(observed=observed, expected=expected, variance=spread)
        require_non_negative(variance=spread)
        limits = (observed - z * np.sqrt(spread), observed + z * np.sqrt(spread))
    return Estimate(*(per * quotient(part, expected) for part in (observed, *limits)))


def indirectly_standardised_rate(
    observed: ArrayLike,
    exposure: ArrayLike,
    reference_rate: ArrayLike,
    crude_reference_rate: ArrayLike,
    *,
    per: float = 1.0,
    is_count: bool = True,
    variance: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the indirectly standardised ratio on the scale of the reference's crude rate.

    Formula: ``per * O / E * R``. It ranks regions as the ratio does; it is not the directly standardised rate.

    Parameters
    ----------
    observed, exposure, reference_rate, is_count, variance, level
        As :func:`indirectly_standardised_ratio`.
    crude_reference_rate : array_like, broadcastable to the result
        The reference's events (or euros) per unit of exposure, over all strata.
    per : float
        Unit of the rate, e.g. 100 000.

    Returns
    -------
    Estimate
        Leading shape, per ``per`` units of exposure; nan where nothing is expected.

    Raises
    ------
    ValueError
        As :func:`indirectly_standardised_ratio`, and for a negative crude rate.

    References
    ----------
    Eayres D (2008). APHO Technical briefing 3: commonly used public health statistics.

    Examples
    --------
    >>> indirectly_standardised_rate([1, 3], [1000, 500], [0.0005, 0.003], 0.001, per=1000).value.item()
    2.0
    """
    (crude,) = broadcast(crude_reference_rate=crude_reference_rate)
    require_non_negative(crude_reference_rate=crude)
    ratio = indirectly_standardised_ratio(
        observed, exposure, reference_rate, is_count=is_count, variance=variance, level=level
    )
    return Estimate(*(per * part * crude for part in (ratio.value, ratio.lower, ratio.upper)))


def _gamma_limits(value: Floats, variance: Floats, largest: Floats, level: float) -> tuple[Floats, Floats]:
    """Return Fay and Feuer's limits of a weighted sum of counts; ``chi2(p; 2k)/2`` is the gamma quantile of k."""
    raised, widened = value + largest, variance + largest**2
    # Without events the variance is 0 too: the lower limit is 0, the upper one that of zero events.
    lower = quotient(variance, value) * special.gammaincinv(quotient(value**2, variance), tail_probability(level))
    upper = quotient(widened, raised) * special.gammainccinv(quotient(raised**2, widened), tail_probability(level))
    return np.where(value == 0, 0.0, lower), upper


def _studentised_quantiles(parts: Floats, n: Floats, repeats: int, seed: int, level: float) -> tuple[Floats, Floats]:
    """Draw ``(M* - M)/sqrt(V*)`` from the variance of each stratum; return its two tail quantiles."""
    rng = np.random.default_rng(seed)
    shape = (repeats, *parts.shape[:-1])
    shift, spread = np.zeros(shape), np.zeros(shape)
    draws = (repeats, *(1 for _ in parts.shape[:-1]))
    for stratum in range(parts.shape[-1]):
        normal, uniform = rng.standard_normal(draws), rng.uniform(size=draws)
        part, freedom = parts[..., stratum], n[..., stratum] - 1
        shift += np.sqrt(part) * normal
        # Unused strata add nothing, whatever their (negative or missing) degrees of freedom.
        freedom = np.where(part == 0, 1.0, freedom)
        spread += part * special.gammaincinv(freedom / 2, uniform) * 2 / freedom
    beyond = tail_probability(level)
    low, high = np.quantile(quotient(shift, np.sqrt(spread)), (beyond, 1 - beyond), axis=0)
    return np.where(parts.sum(axis=-1) == 0, 0.0, low), np.where(parts.sum(axis=-1) == 0, 0.0, high)


def _usable_weight(weight: Floats, exposure: Floats, numerator: Floats, empty: Empty) -> Floats:
    """Normalise weights over the usable strata; all nan in a cell that is withheld."""
    if empty not in ("drop_weight", "withhold"):
        raise ValueError(f'empty must be "drop_weight" or "withhold", got {empty!r}')
    require_non_negative(weight=weight, exposure=exposure)
    is_empty = exposure == 0
    usable = np.where(is_empty, 0.0, weight)
    # A stratum with events or euros but without persons is an error in the data, not an empty stratum.
    refused = is_empty & (weight > 0) & ((numerator != 0) | (empty == "withhold"))
    normalised = quotient(usable, usable.sum(axis=-1, keepdims=True))
    return np.where(refused.any(axis=-1, keepdims=True), np.nan, normalised)
