"""Decomposition: the difference between two periods, divided over the factors of a rate.

Belongs here: Kitagawa, Das Gupta and LMDI. Not here: growth itself (``triple_aim.indicators.methods``), price indices
(``price_index``) and any claim of cause: an effect is arithmetic, not an explanation.

Arguments and results are mappings by factor name; cells (age, sex, kind of care) are the last axis, regions any leading
axes. Effects go from start to end, add up to the total change and have no interval. Undefined factors: without treated
persons there is no price. The default ``"withhold"`` gives nan for the region; ``"other_period"`` uses the price of the
other period, so that the price has no effect there, but only where another factor of the cell is 0. A nan without such
a 0 is missing and remains nan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from math import comb, prod
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative
from triple_aim.stats.estimate import Floats

Factors = dict[str, Floats]
Rate = Callable[[Mapping[str, Floats]], Floats]
Undefined = Literal["withhold", "other_period"]


def sum_of_products(factors: Mapping[str, Floats]) -> Floats:
    """Return the sum over cells (last axis) of the product of all factors: the usual rate.

    Examples
    --------
    >>> sum_of_products({"share": np.array([0.5, 0.5]), "euros": np.array([100.0, 300.0])}).item()
    200.0
    """
    total: Floats = np.asarray(prod(factors.values())).sum(axis=-1)
    return total


def kitagawa(
    rate_start: ArrayLike,
    rate_end: ArrayLike,
    share_start: ArrayLike,
    share_end: ArrayLike,
    *,
    undefined: Undefined = "withhold",
) -> Factors:
    """Divide the change of a crude rate into composition and rates, without an interaction term.

    Formula: composition ``sum (s1 - s0) (r0 + r1)/2``; rate ``sum (r1 - r0) (s0 + s1)/2``.

    Parameters
    ----------
    rate_start, rate_end, share_start, share_end : array_like, broadcastable, cells on the last axis
        Rates per cell (any unit), and the part of the population in each cell (0-1, adding to 1).
    undefined : {"withhold", "other_period"}
        Treatment of rates of cells without population; see the module's docstring.

    Returns
    -------
    dict with ``composition`` and ``rate`` : ndarray, leading shape, unit of the rate

    Raises
    ------
    ValueError
        For negative shares, shares that do not add to 1, an unknown ``undefined``, or shapes that do not fit.

    References
    ----------
    Kitagawa EM (1955). Components of a difference between two rates. JASA 50: 1168-1194.

    Examples
    --------
    >>> effects = kitagawa([10.0, 50.0], [10.0, 60.0], [0.8, 0.2], [0.7, 0.3])
    >>> {name: effect.round(6).item() for name, effect in effects.items()}
    {'composition': 4.5, 'rate': 2.5}
    """
    start, end = _pair(
        {"rate": rate_start, "share": share_start}, {"rate": rate_end, "share": share_end}, undefined=undefined
    )
    for period, share in (("start", start["share"]), ("end", end["share"])):
        require_non_negative(**{f"share_{period}": share})
        # Percentages or numbers of persons would give effects that are too large by the factor of their total.
        if (np.abs(share.sum(axis=-1) - 1) > 1e-6).any():
            raise ValueError(f"share_{period} must add to 1 over the cells: divide by the total")
    return {
        "composition": ((end["share"] - start["share"]) * (start["rate"] + end["rate"]) / 2).sum(axis=-1),
        "rate": ((end["rate"] - start["rate"]) * (start["share"] + end["share"]) / 2).sum(axis=-1),
    }


def das_gupta(
    factors_start: Mapping[str, ArrayLike],
    factors_end: Mapping[str, ArrayLike],
    *,
    rate: Rate = sum_of_products,
    undefined: Undefined = "withhold",
) -> Factors:
    """Divide the change of a rate over any number of factors, symmetrically.

    Formula: effect of ``a`` = ``sum over subsets S of the other factors of w(S) [R(a1, S1, rest0) -
    R(a0, S1, rest0)]`` with ``w(S) = 1 / (n C(n-1, |S|))``; for two factors this is Kitagawa's.

    Parameters
    ----------
    factors_start, factors_end : mapping of name to array_like, broadcastable, cells on the last axis
        E.g. share of the population, users per head, units per user, price per unit. Computing time doubles with each
        factor.
    rate : callable
        From a mapping of factors to the rate (leading shape), for rates that are not a sum of products.
    undefined : {"withhold", "other_period"}
        Treatment of factors without meaning; see the module's docstring.

    Returns
    -------
    dict of ndarray
        Effect per factor, leading shape, unit of the rate.

    Raises
    ------
    ValueError
        For names that differ between the periods, no factors, no axis of cells, an unknown ``undefined``,
        or shapes that do not fit.

    References
    ----------
    Das Gupta P (1993). Standardization and decomposition of rates: a user's manual. US Bureau of the Census,
    Current Population Reports P23-186, chapters 2-4.

    Examples
    --------
    >>> effects = das_gupta({"volume": [2.0], "price": [10.0]}, {"volume": [3.0], "price": [12.0]})
    >>> {name: effect.item() for name, effect in effects.items()}
    {'volume': 11.0, 'price': 5.0}
    """
    start, end = _pair(factors_start, factors_end, undefined=undefined)
    return {name: _effect(name, start, end, rate) for name in start}


def das_gupta_series(
    factors: Mapping[str, ArrayLike], *, rate: Rate = sum_of_products, undefined: Undefined = "withhold"
) -> Factors:
    """Return standardised rates of several years, such that the effects between years are consistent.

    Computed per pair, the effects 2019-2020 and 2020-2021 do not add up to that of 2019-2021. Here they do: the effect
    of a factor between any two years is the difference of its standardised rates.
    Formula: ``a_i = mean over pairs of a_(i.j) + mean over years j of the effect of a from j to i``, where
    ``a_(i.j)`` is the rate of year i standardised on years i and j. This is Das Gupta's equation 6.11.

    Parameters
    ----------
    factors : mapping of name to array_like, broadcastable, years on the last axis but one, cells on the last
    rate, undefined
        As :func:`das_gupta`.

    Returns
    -------
    dict of ndarray
        Per factor, the rate of each year if only that factor differed between the years; leading shape and
        years. A missing year makes all years nan, because each year is part of the standard: leave such a year out.
        For the same reason a factor that is equal in two years may have a small effect between them.

    Raises
    ------
    ValueError
        As :func:`das_gupta`, or for fewer than two years.

    References
    ----------
    Das Gupta P (1993). P23-186, chapter 6.

    Examples
    --------
    >>> series = das_gupta_series({"volume": [[2.0], [3.0], [3.0]], "price": [[10.0], [10.0], [20.0]]})
    >>> {name: standardised.round(6).tolist() for name, standardised in series.items()}
    {'volume': [27.5, 39.166667, 40.833333], 'price': [27.5, 25.833333, 54.166667]}
    """
    arrays = dict(zip(factors, broadcast(**factors), strict=True))
    if not arrays or min(array.ndim for array in arrays.values()) < 2:
        raise ValueError("factors need an axis of years and an axis of cells")
    years = next(iter(arrays.values())).shape[-2]
    if years < 2:
        raise ValueError("a series needs at least two years")
    own, other = _pair(
        {name: array[..., :, None, :] for name, array in arrays.items()},
        {name: array[..., None, :, :] for name, array in arrays.items()},
        undefined=undefined,
    )
    # A year paired with itself gives its crude rate, which is not standardised and stays out of the mean.
    pairs = ~np.eye(years, dtype=bool)
    standardised = {}
    for name in arrays:
        rates = sum(weight * rate({**mixed, name: own[name]}) for weight, mixed in _mixtures(name, own, other))
        # A row has one year and the years it is compared with: the effects from each of those.
        effect = _effect(name, other, own, rate).mean(axis=-1)
        standardised[name] = np.asarray(rates)[..., pairs].mean(axis=-1)[..., None] + effect
    return standardised


def cross_classified(
    rate_start: ArrayLike,
    rate_end: ArrayLike,
    count_start: ArrayLike,
    count_end: ArrayLike,
    *,
    dimensions: Sequence[str],
    undefined: Undefined = "withhold",
) -> Factors:
    """Divide the change of a crude rate over rates and each dimension of the population, e.g. age and sex.

    Formula: rate effect as :func:`kitagawa`. A cell's share is the product of one part per dimension ``d``,
    ``prod over subsets S of the other dimensions of (N_(S+d) / N_S)^w(S)`` with ``N`` the population summed
    over the dimensions not named and ``w`` as in :func:`das_gupta`, which divides the composition effect.

    Parameters
    ----------
    rate_start, rate_end, count_start, count_end : array_like, broadcastable, one last axis per dimension
        Rates per cell, and persons (or person-years) per cell.
    dimensions : sequence of str
        Names of the last axes, in their order.
    undefined : {"withhold", "other_period"}
        Treatment of rates of cells without population; see the module's docstring.

    Returns
    -------
    dict with ``rate`` and each dimension : ndarray, leading shape, unit of the rate

    Raises
    ------
    ValueError
        For a negative count, fewer axes than dimensions, an unknown ``undefined``, or shapes that do not fit.

    References
    ----------
    Das Gupta P (1993). P23-186, chapter 5.

    Examples
    --------
    >>> rate = [[10.0, 20.0], [30.0, 40.0]]                       # two ages by two sexes
    >>> effects = cross_classified(rate, rate, [[4, 4], [1, 1]], [[3, 3], [2, 2]], dimensions=("age", "sex"))
    >>> {name: effect.round(6).item() for name, effect in effects.items()}
    {'rate': 0.0, 'age': 4.0, 'sex': 0.0}
    """
    start, end = _pair(
        {"rate": rate_start, "count": count_start}, {"rate": rate_end, "count": count_end}, undefined=undefined
    )
    require_non_negative(count_start=start["count"], count_end=end["count"])
    if not 0 < len(dimensions) <= start["count"].ndim:
        raise ValueError(f"counts of shape {start['count'].shape} cannot have the dimensions {tuple(dimensions)}")
    cells = (*start["count"].shape[: -len(dimensions)], -1)
    parts = [
        {name: part.reshape(cells) for name, part in _parts_of_share(period["count"], dimensions).items()}
        for period in (start, end)
    ]
    share = [np.asarray(prod(part.values())) for part in parts]
    rates = [period["rate"].reshape(cells) for period in (start, end)]
    mean_rate = (rates[0] + rates[1]) / 2
    effects = das_gupta(*parts, rate=lambda mixed: sum_of_products({**mixed, "mean rate": mean_rate}))
    return {"rate": ((rates[1] - rates[0]) * (share[0] + share[1]) / 2).sum(axis=-1), **effects}


def lmdi(
    factors_start: Mapping[str, ArrayLike],
    factors_end: Mapping[str, ArrayLike],
    *,
    undefined: Undefined = "withhold",
) -> Factors:
    """Divide the change of a sum of products over its factors by the logarithmic mean (additive LMDI-I).

    Formula: effect of ``a`` = ``sum over cells of L(V1, V0) ln(a1 / a0)`` with ``V`` the product of the cell
    and ``L(x, y) = (x - y) / ln(x / y)``. Zeros take the limit: the whole change of a cell that is 0 in one period goes
    to the factor that is 0 there (in equal parts if there are several); a cell that is 0 in both has no effect.

    Parameters
    ----------
    factors_start, factors_end : mapping of name to array_like, broadcastable, cells on the last axis
        Zero or positive.
    undefined : {"withhold", "other_period"}
        Treatment of factors without meaning; see the module's docstring.

    Returns
    -------
    dict of ndarray
        Effect per factor, leading shape, unit of the product.

    Raises
    ------
    ValueError
        For a negative factor, and as :func:`das_gupta`.

    References
    ----------
    Ang BW (2005). The LMDI approach to decomposition analysis: a practical guide. Energy Policy 33: 867-871.
    Wood R, Lenzen M (2006). Zero-value problems of the LMDI method. Energy Policy 34: 1326-1331.

    Examples
    --------
    >>> effects = lmdi({"volume": [2.0], "price": [10.0]}, {"volume": [4.0], "price": [20.0]})
    >>> {name: effect.round(6).item() for name, effect in effects.items()}
    {'volume': 30.0, 'price': 30.0}
    """
    start, end = _pair(factors_start, factors_end, undefined=undefined)
    require_non_negative(**{f"{name} at the start": part for name, part in start.items()})
    require_non_negative(**{f"{name} at the end": part for name, part in end.items()})
    before, after = np.asarray(prod(start.values())), np.asarray(prod(end.values()))
    positive = (before > 0) & (after > 0)
    safe = {name: [np.where(positive, part[name], 1.0) for part in (start, end)] for name in start}
    weight = _logarithmic_mean(np.where(positive, before, 1.0), np.where(positive, after, 1.0))
    emptied = sum(((start[name] == 0) != (end[name] == 0)).astype(float) for name in start)
    effects = {}
    for name, (first, last) in safe.items():
        limit = (after - before) * quotient((start[name] == 0) != (end[name] == 0), emptied)
        by_cell = np.where(positive, weight * (np.log(last) - np.log(first)), np.where(after == before, 0.0, limit))
        effects[name] = by_cell.sum(axis=-1)
    return effects


def _logarithmic_mean(x: Floats, y: Floats) -> Floats:
    """Return ``(x - y) / ln(x / y)``, or x where the two are equal; both positive."""
    growth = (x - y) / y
    # log1p is precise where the two are nearly equal; a difference of logarithms is not.
    close = np.abs(growth) < 0.5
    logarithm = np.where(close, np.log1p(np.where(close, growth, 0.0)), np.log(x) - np.log(y))
    return np.where(logarithm == 0, x, quotient(x - y, logarithm))


def _pair(
    start: Mapping[str, ArrayLike], end: Mapping[str, ArrayLike], *, undefined: Undefined
) -> tuple[Factors, Factors]:
    """Broadcast the factors of both periods to one shape, with undefined ones borrowed where asked."""
    if undefined not in ("withhold", "other_period"):
        raise ValueError(f'undefined must be "withhold" or "other_period", got {undefined!r}')
    if not start or start.keys() != end.keys():
        raise ValueError("start and end must name the same factors, at least one")
    shaped = broadcast(
        **{f"{name} at the start": part for name, part in start.items()},
        **{f"{name} at the end": end[name] for name in start},
    )
    if shaped[0].ndim == 0:
        raise ValueError("factors need an axis of cells")
    first = dict(zip(start, shaped[: len(start)], strict=True))
    last = dict(zip(start, shaped[len(start) :], strict=True))
    if undefined == "withhold":
        return first, last
    return _borrow(first, last), _borrow(last, first)


def _borrow(own: Factors, other: Factors) -> Factors:
    """Take undefined factors from the other period: those that are nan because another factor is 0."""
    empty = np.any([part == 0 for part in own.values()], axis=0)
    # Where one factor is 0 in both periods, every mixture of the periods is 0.
    never = np.any([(own[name] == 0) & (other[name] == 0) for name in own], axis=0)
    borrowed = {name: np.where(never & np.isnan(part), 0.0, part) for name, part in other.items()}
    return {name: np.where(empty & np.isnan(part), borrowed[name], part) for name, part in own.items()}


def _mixtures(name: str, own: Factors, other: Factors) -> Iterator[tuple[float, Factors]]:
    """Yield each mixture of the two periods in the factors other than ``name``, with Das Gupta's weight."""
    rest = [factor for factor in own if factor != name]
    for size in range(len(rest) + 1):
        for taken in combinations(rest, size):
            mixed = {factor: other[factor] if factor in taken else own[factor] for factor in own}
            yield 1 / (len(own) * comb(len(rest), size)), mixed


def _effect(name: str, start: Factors, end: Factors, rate: Rate) -> Floats:
    # Subtracted mixture by mixture, so that a factor that did not change has an effect of exactly 0.
    effects = [
        weight * (rate({**mixed, name: end[name]}) - rate({**mixed, name: start[name]}))
        for weight, mixed in _mixtures(name, start, end)
    ]
    return np.asarray(sum(effects))


def _parts_of_share(count: Floats, dimensions: Sequence[str]) -> Factors:
    """Write each cell's share of the population as a product of one part per dimension."""
    axes = range(-len(dimensions), 0)

    def margin(kept: tuple[int, ...]) -> Floats:
        return np.asarray(count.sum(axis=tuple(axis for axis in axes if axis not in kept), keepdims=True))

    parts = {}
    for axis, name in zip(axes, dimensions, strict=True):
        rest = [other for other in axes if other != axis]
        part = np.ones_like(count)
        for size in range(len(dimensions)):
            exponent = 1 / (len(dimensions) * comb(len(rest), size))
            for kept in combinations(rest, size):
                part = part * quotient(margin((*kept, axis)), margin(kept)) ** exponent
        # An empty row of the table has no proportions (0/0), but its cells have a share of 0.
        parts[name] = np.where((count == 0) & (margin(()) > 0), 0.0, part)
    return parts
