"""Length of life from deaths and person-years by age: life expectancy, healthy life expectancy, years of life lost.

Belongs here: methods in which age itself is the measure (age bands on the last axis). Not here: rates by age
(``rates``), their standardisation (``standardise``), and the rule that a small population gets no life expectancy (of a
spec or of the gate; Toson and Baker 2003 advise at least 5000 person-years).

What cannot be computed is nan. This concerns the bands from age ``at`` upward: no person-years in a band, missing
deaths, or no deaths in the open last band (its survivors would live forever). No deaths in another band are no problem:
everybody survives it. ``closing_age`` pools the upper bands, which solves most of these cases; bands below ``at`` are
not used.

Fraction of the band lived by those who die in it (Chiang's a): 0.1 in a band that starts at birth and ends at 5 at the
latest, 0.5 elsewhere. For 0-4 as one band 0.1 is our approximation: with 85 % of its deaths in the first year, at 0.1
year, and the others at 2.5 to 3 years, the mean age at death is 0.46 to 0.54 year, a tenth of 5. Where 5 per 1000 die
so young, a fraction of 0.15 instead shifts life expectancy at birth by 0.001 year.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats import intervals
from triple_aim.stats.arguments import broadcast, quotient, require_non_negative
from triple_aim.stats.estimate import Estimate, Floats
from triple_aim.stats.standardise import Empty, directly_standardised_rate

INFANT_FRACTION, FRACTION = 0.1, 0.5


def life_expectancy(
    deaths: ArrayLike,
    person_years: ArrayLike,
    lower_age: ArrayLike,
    *,
    at: float = 0,
    closing_age: float | None = None,
    fraction: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the life expectancy at an age, from an abridged life table, with Silcocks' variance.

    Formula: ``q = n m / (1 + n (1-a) m)`` (at most 1) with ``m = deaths / person_years``, width ``n`` and fraction
    ``a``; of ``l`` survivors ``L = n (l' + a l q)`` years are lived, ``l / m`` in the open band; ``e = sum L / l``.
    Variance: ``sum l^2 (e' + (1-a) n)^2 q^2 (1-q) / deaths``, with in the open band ``l^2 / (deaths m^2)``, all
    over ``l^2`` at age ``at``; a prime marks the next band. Limits ``e -+ z sqrt(variance)``.

    Parameters
    ----------
    deaths, person_years : array_like, broadcastable, age bands on the last axis
        Deaths and years at risk over the same period (several years may be pooled).
    lower_age : array_like, shape (ages,)
        Lowest age of each band, rising; a band ends where the next one starts and the last one is open.
    at : float
        Age of the expectancy: the start of a band.
    closing_age : float, optional
        Pool all bands from this age on into the open band; the start of a band.
    fraction : array_like, broadcastable to the bands, optional
        Chiang's ``a`` per band, 0 to 1; that of the open band is not used. Default: see the module's docstring.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Leading shape, years; nan as the module's docstring says.

    Raises
    ------
    ValueError
        For negative numbers, a fraction outside 0-1, ages that do not rise or do not fit the bands, an age
        ``at`` or ``closing_age`` that is no start of a band, or an impossible level.

    References
    ----------
    Chiang CL (1968). Introduction to stochastic processes in biostatistics. Wiley, pp. 189-214.
    Silcocks PBS, Jenner DA, Reza R (2001). J Epidemiol Community Health 55: 38-43.
    Eayres D, Williams ES (2004). J Epidemiol Community Health 58: 243-249.

    Examples
    --------
    >>> life = life_expectancy([1, 2, 40], [1000, 4000, 800], [0, 1, 65])
    >>> life.value.round(2).item(), life.lower.round(2).item()
    (83.28, 76.88)
    """
    # With a healthy share of 1 without error, Sullivan's sums are those of the life table itself.
    return healthy_life_expectancy(
        deaths,
        person_years,
        lower_age,
        healthy_share=1.0,
        share_variance=0.0,
        at=at,
        closing_age=closing_age,
        fraction=fraction,
        level=level,
    )


def healthy_life_expectancy(
    deaths: ArrayLike,
    person_years: ArrayLike,
    lower_age: ArrayLike,
    healthy_share: ArrayLike,
    *,
    share_variance: ArrayLike | None = None,
    mortality_variance: bool = True,
    at: float = 0,
    closing_age: float | None = None,
    fraction: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the healthy life expectancy at an age, by Sullivan's method.

    Formula, with the symbols of :func:`life_expectancy` and ``h`` the healthy share: ``e = sum h L / l``.
    Variance: ``sum L^2 var(h)``, to which the variance of mortality adds ``sum l^2 (e' + h (1-a) n)^2 q^2 (1-q) /
    deaths`` and in the open band ``h^2 l^2 / (deaths m^2)``, all over ``l^2`` at age ``at``.

    Parameters
    ----------
    deaths, person_years, lower_age, at, closing_age, fraction, level
        As in :func:`life_expectancy`.
    healthy_share : array_like, broadcastable, age bands on the last axis
        Share of the population in good health, 0 to 1. Bands that ``closing_age`` pools get the average by
        person-years.
    share_variance : array_like, broadcastable, optional
        Sampling variance of that share, e.g. ``h (1-h) / n_effective``. Without it there is no interval.
    mortality_variance : bool
        False ignores the chance in deaths, as the manual does: harmless for a country, misleading for a municipality.

    Returns
    -------
    Estimate
        Leading shape, years; nan as the module's docstring says, and where a share is missing.

    Raises
    ------
    ValueError
        As :func:`life_expectancy`, and for a share outside 0-1 or a negative variance.

    References
    ----------
    Sullivan DF (1971). HSMHA Health Reports 86: 347-354.
    Mathers C (1991). Health expectancies in Australia 1981 and 1988. AIHW (variance with mortality).
    Jagger C, Van Oyen H, Robine JM (2014). Health expectancy calculation by the Sullivan method. EHEMU.

    Examples
    --------
    >>> table = [1, 2, 40], [1000, 4000, 800], [0, 1, 65]
    >>> healthy = healthy_life_expectancy(*table, [1, 0.9, 0.5], share_variance=[0, 0.0001, 0.0004])
    >>> healthy.value.round(2).item(), healthy.lower.round(2).item()
    (67.31, 63.59)
    """
    z = intervals.z_score(level)
    starts = _rising(lower_age)
    deaths, person_years, share, spread, fraction = _by_band(
        starts,
        deaths=deaths,
        person_years=person_years,
        healthy_share=healthy_share,
        share_variance=np.nan if share_variance is None else share_variance,
        fraction=_default_fraction(starts) if fraction is None else fraction,
    )
    if (share > 1).any() or (fraction > 1).any():
        raise ValueError("healthy_share and fraction must not exceed 1")
    first = _band("at", at, starts)
    last = starts.size - 1 if closing_age is None else _band("closing_age", closing_age, starts)
    if last < first:
        raise ValueError(f"at ({at}) is above closing_age ({closing_age})")

    pool = person_years[..., last:]
    weight = quotient(pool, pool.sum(axis=-1, keepdims=True))
    # An empty band in the pool has no share (nan); its weight is 0 and it must not make the pool nan.
    share = _close(share, np.where(weight == 0, 0.0, weight * share[..., last:]))
    spread = _close(spread, np.where(weight == 0, 0.0, weight**2 * spread[..., last:]))
    deaths, person_years = _close(deaths, deaths[..., last:]), _close(person_years, pool)
    # Bands below ``at`` are not used, so missing numbers there do not matter.
    deaths, person_years, share, spread = (part[..., first:] for part in (deaths, person_years, share, spread))
    rate, width, fraction = quotient(deaths, person_years), np.diff(starts)[first:last], fraction[..., first:last]
    dying, alive, lived = _survive(rate, width, fraction)

    healthy_years = share * lived
    value = healthy_years.sum(axis=-1)
    variance = (lived**2 * spread).sum(axis=-1)
    if mortality_variance:
        years_ahead = np.cumsum(healthy_years[..., ::-1], axis=-1)[..., -2::-1]
        # Multiplied by (1 - q) here and divided by it below: without survivors e' does not exist.
        lost = (1 - dying) * alive[..., :-1] * share[..., :-1] * (1 - fraction) * width + years_ahead
        # Without deaths in a band q^2 / deaths tends to 0. Where all die in it, (1 - q) makes the term 0.
        chance = np.where(deaths[..., :-1] == 0, 0.0, quotient(dying**2, deaths[..., :-1] * (1 - dying)))
        variance = variance + np.where(dying == 1, 0.0, lost**2 * chance).sum(axis=-1)
        variance = variance + quotient(healthy_years[..., -1] ** 2, deaths[..., -1])
    return Estimate(value, value - z * np.sqrt(variance), value + z * np.sqrt(variance))


def years_of_life_lost(
    deaths: ArrayLike,
    person_years: ArrayLike,
    lower_age: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    limit: float = 75,
    per: float = 100_000,
    minimum_events: float = 10,
    empty: Empty = "drop_weight",
    level: float = 0.95,
) -> Estimate:
    """Return the years lost by death before an age limit, per person-year below it; crude or standardised.

    Formula: ``per * sum w y d/n / sum w`` with ``y = limit - middle of the band``; crude: ``w = n``, so
    ``per * sum d y / sum n``. Variance ``sum w^2 y^2 d/n^2 / (sum w)^2``: deaths are Poisson and each has the weight of
    its years squared. Limits by Dobson's method on the number of deaths, as
    :func:`triple_aim.stats.standardise.directly_standardised_rate`, with weights ``w y``.

    Parameters
    ----------
    deaths, person_years : array_like, broadcastable, age bands on the last axis
        Deaths and years at risk; bands from ``limit`` on are ignored.
    lower_age : array_like, shape (ages,)
        Lowest age of each band, rising; a band ends where the next one starts.
    weight : array_like, broadcastable, optional
        Standard population (any scale). Without it the result is crude.
    limit : float
        Age up to which a death is early, usually 70 or 75; the start of a band.
    per : float
        Person-years to which the result refers.
    minimum_events : float
        Below this number of deaths under ``limit`` the result is withheld.
    empty : {"drop_weight", "withhold"}
        Treatment of bands without person-years, as in ``standardise``; dropping them leaves a crude result as it is.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    Estimate
        Leading shape, years lost per ``per`` person-years; nan where withheld, where a band with deaths has no
        person-years and where deaths are missing.

    Raises
    ------
    ValueError
        For negative numbers, ages that do not rise or do not fit the bands, a ``limit`` that is no start of a
        band or below all of them, an unknown ``empty`` or an impossible level.

    References
    ----------
    Romeder JM, McWhinnie JR (1977). Int J Epidemiol 6: 143-151.
    Dobson AJ, Kuulasmaa K, Eberle E, Scherer J (1991). Stat Med 10: 457-462.

    Examples
    --------
    >>> lost = years_of_life_lost([4, 10, 90], [2000, 3000, 900], [0, 65, 75])   # 4 x 42.5 + 10 x 5
    >>> lost.value.round(6).item()
    4400.0
    """
    starts = _rising(lower_age)
    end = _band("limit", limit, starts)
    if end == 0:
        raise ValueError(f"limit ({limit}) leaves no band below it")
    years = limit - (starts[:end] + starts[1 : end + 1]) / 2
    parts = _by_band(
        starts, deaths=deaths, person_years=person_years, weight=person_years if weight is None else weight
    )
    deaths, person_years, shares = (part[..., :end] for part in parts)
    # In a crude result an empty band has weight 0, but deaths in it must be refused rather than ignored.
    counted = np.where(person_years == 0, 1.0, shares) if weight is None else shares
    rate = directly_standardised_rate(
        deaths, person_years, counted * years, minimum_events=minimum_events, empty=empty, level=level
    )
    scale = per * quotient((shares * years).sum(axis=-1), shares.sum(axis=-1))
    return Estimate(*(scale * part for part in (rate.value, rate.lower, rate.upper)))


def _rising(lower_age: ArrayLike) -> Floats:
    (starts,) = broadcast(lower_age=lower_age)
    if starts.ndim != 1 or starts.size == 0 or not (np.diff(starts) > 0).all() or not starts[0] >= 0:
        raise ValueError("lower_age must be one row of ages that rise from 0 or more")
    return starts


def _by_band(starts: Floats, **arrays: ArrayLike) -> tuple[Floats, ...]:
    *parts, _ = broadcast(**arrays, lower_age=starts)
    if parts[0].shape[-1] != starts.size:
        raise ValueError(f"lower_age names {starts.size} bands, the data have {parts[0].shape[-1]}")
    require_non_negative(**dict(zip(arrays, parts, strict=True)))
    return tuple(parts)


def _band(name: str, age: float, starts: Floats) -> int:
    index = np.flatnonzero(starts == age)
    if index.size == 0:
        raise ValueError(f"{name} must be the start of a band, got {age}")
    return int(index[0])


def _default_fraction(starts: Floats) -> Floats:
    fraction = np.full(starts.shape, FRACTION)
    if starts.size > 1 and starts[0] == 0 and starts[1] <= 5:
        fraction[0] = INFANT_FRACTION
    return fraction


def _close(part: Floats, pool: Floats) -> Floats:
    """Replace the upper bands by one with the sum of ``pool``."""
    below = part[..., : part.shape[-1] - pool.shape[-1]]
    return np.concatenate([below, pool.sum(axis=-1, keepdims=True)], axis=-1)


def _survive(rate: Floats, width: Floats, fraction: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the probability of dying per closed band, the survivors of one person, and the years lived per band."""
    closed = rate[..., :-1]
    dying = np.minimum(width * closed / (1 + width * (1 - fraction) * closed), 1.0)
    alive = np.cumprod(np.concatenate([np.ones_like(rate[..., :1]), 1 - dying], axis=-1), axis=-1)
    lived = width * (alive[..., 1:] + fraction * alive[..., :-1] * dying)
    return dying, alive, np.concatenate([lived, alive[..., -1:] * quotient(1.0, rate[..., -1:])], axis=-1)
