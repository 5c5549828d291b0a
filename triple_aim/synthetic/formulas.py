"""Formulas of indicators that are not a ratio of two sums, implemented a second time from their sources.

Not here: the sums they use (``true_values``). The code shares nothing with the monitor, so that a comparison finds
errors in either. Ages, groups or cells are on the last axis of an array.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient; nan where the denominator is not positive."""
    missing = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    quotient: Floats = np.divide(numerator, denominator, out=missing, where=denominator > 0)
    return quotient


def life_expectancy(deaths: Floats, person_years: Floats, ages: Floats, healthy: Floats | float = 1.0) -> Floats:
    """Chiang's abridged life table from the first age on (1968), with Sullivan's share of good health (1971).

    Deaths occur at a tenth of the band 0-4 and halfway the other bands; the last band is open.
    """
    rate = divide(deaths, person_years)
    width = np.diff(ages)
    fraction_lived = np.where((ages[:-1] == 0) & (width == 5), 0.1, 0.5)
    closed = rate[..., :-1]
    dying = np.minimum(width * closed / (1 + width * (1 - fraction_lived) * closed), 1)
    survivors = np.concatenate([np.ones_like(rate[..., :1]), np.cumprod(1 - dying, axis=-1)], axis=-1)
    lived = width * (survivors[..., 1:] + fraction_lived * (survivors[..., :-1] - survivors[..., 1:]))
    lived_in_last = divide(survivors[..., -1:], rate[..., -1:])
    total: Floats = (np.concatenate([lived, lived_in_last], axis=-1) * healthy).sum(axis=-1)
    return total


def fitted_ends(value: Floats, population: Floats) -> tuple[Floats, Floats]:
    """Values at rank 0 and rank 1 of the line through the groups, which are ordered from worst off to best off.

    Least squares on midpoint ranks, weighted by population (Mackenbach and Kunst 1997).
    """
    share, rank = _shares_and_ranks(population)
    mean = (share * value).sum(axis=-1)
    leverage = share * (rank - 0.5)
    slope = divide((leverage * (value - mean[..., None])).sum(axis=-1), (leverage * (rank - 0.5)).sum(axis=-1))
    return mean - slope / 2, mean + slope / 2


def concentration(value: Floats, population: Floats) -> Floats:
    """Twice the covariance of value and rank, divided by the mean (Kakwani et al. 1997)."""
    share, rank = _shares_and_ranks(population)
    mean = (share * value).sum(axis=-1)
    return divide(2 * (share * (value - mean[..., None]) * (rank - 0.5)).sum(axis=-1), mean)


def erreygers(value: Floats, population: Floats) -> Floats:
    """The concentration index of a variable from 0 to 1, times four times its mean (Erreygers 2009)."""
    share, _ = _shares_and_ranks(population)
    index: Floats = 4 * (share * value).sum(axis=-1) * concentration(value, population)
    return index


def systematic_variation(observed: Floats, expected: Floats) -> Floats:
    """Variance of observed / expected around 1, minus the variance by chance; at least 0 (McPherson et al. 1982)."""
    excess = (divide(observed, expected) - 1) ** 2 - divide(np.ones(()), expected)
    component: Floats = np.maximum(excess.mean(axis=-1), 0)
    return component


def factor_contribution(name: str, before: Mapping[str, Floats], after: Mapping[str, Floats]) -> Floats:
    """The contribution of one factor to the change of a sum of products: the mean over all orders of changing factors.

    Das Gupta (1993). A factor that is undefined in one year, because nobody was treated, takes the value of the other.
    """
    ends = [{each: _fill_missing(a[each], b[each]) for each in before} for a, b in ((before, after), (after, before))]

    def level(changed: tuple[str, ...]) -> Floats:
        product = np.ones(())
        for each in before:
            product = product * ends[each in changed][each]
        total: Floats = product.sum(axis=-1)
        return total

    orders = list(permutations(before))
    steps = [(order[: order.index(name)], order[: order.index(name) + 1]) for order in orders]
    change: Floats = sum((level(with_it) - level(without) for without, with_it in steps), np.zeros(())) / len(orders)
    return change


def _shares_and_ranks(population: Floats) -> tuple[Floats, Floats]:
    """Shares of the population and midpoint ranks, from worst off to best off."""
    share = divide(population, population.sum(axis=-1, keepdims=True))
    return share, share.cumsum(axis=-1) - share / 2


def _fill_missing(own: Floats, other: Floats) -> Floats:
    filled: Floats = np.where(np.isnan(own), np.nan_to_num(other), own)
    return filled
