"""Formulas of indicators that are no ratio of two sums, written out once more from their sources.

Not here: the sums that go in (``truth``). Nothing of the monitor's own is used, so that a slip in one of the two shows.
Arrays have ages, groups or cells on the last axis and any others before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def over(above: Floats, below: Floats) -> Floats:
    """A quotient, and nan where there is nothing below."""
    quotient: Floats = np.divide(above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=below > 0)
    return quotient


def years_to_live(deaths: Floats, person_years: Floats, ages: Floats, healthy: Floats | float = 1.0) -> Floats:
    """Chiang's abridged life table from the first age on (1968), with Sullivan's share of good health (1971).

    Who dies below five does so after a tenth of it, others halfway a band; the last band is open.
    """
    rate = over(deaths, person_years)
    width = np.diff(ages)
    lived_of_last = np.where((ages[:-1] == 0) & (width == 5), 0.1, 0.5)
    closed = rate[..., :-1]
    dying = np.minimum(width * closed / (1 + width * (1 - lived_of_last) * closed), 1)
    survivors = np.concatenate([np.ones_like(rate[..., :1]), np.cumprod(1 - dying, axis=-1)], axis=-1)
    lived = width * (survivors[..., 1:] + lived_of_last * (survivors[..., :-1] - survivors[..., 1:]))
    beyond = over(survivors[..., -1:], rate[..., -1:])
    total: Floats = (np.concatenate([lived, beyond], axis=-1) * healthy).sum(axis=-1)
    return total


def fitted_ends(value: Floats, population: Floats) -> tuple[Floats, Floats]:
    """Lowest and highest point of the line through the groups, at the middle of their places from 0 to 1.

    Least squares weighed by population, the worst off first (Mackenbach and Kunst 1997).
    """
    share, place = _shares(population)
    mean = (share * value).sum(axis=-1)
    lever = share * (place - 0.5)
    slope = over((lever * (value - mean[..., None])).sum(axis=-1), (lever * (place - 0.5)).sum(axis=-1))
    return mean - slope / 2, mean + slope / 2


def concentration(value: Floats, population: Floats) -> Floats:
    """Twice the covariance of the value and the place in the order, over the mean (Kakwani et al. 1997)."""
    share, place = _shares(population)
    mean = (share * value).sum(axis=-1)
    return over(2 * (share * (value - mean[..., None]) * (place - 0.5)).sum(axis=-1), mean)


def erreygers(value: Floats, population: Floats) -> Floats:
    """The concentration of a share, which lies between 0 and 1, times four times its mean (Erreygers 2009)."""
    share, _ = _shares(population)
    index: Floats = 4 * (share * value).sum(axis=-1) * concentration(value, population)
    return index


def systematic_variation(observed: Floats, expected: Floats) -> Floats:
    """Mean squared departure of observed over expected, less that of chance; never below 0 (McPherson et al. 1982)."""
    departures = (over(observed, expected) - 1) ** 2 - over(np.ones(()), expected)
    component: Floats = np.maximum(departures.mean(axis=-1), 0)
    return component


def contribution(name: str, before: Mapping[str, Floats], after: Mapping[str, Floats]) -> Floats:
    """What one factor adds to a change of the sum of their products: the mean over all orders of changing them.

    That is Das Gupta's (1993). A factor without meaning in one year, for nobody was treated, has that of the other.
    """
    ends = [{each: _meant(a[each], b[each]) for each in before} for a, b in ((before, after), (after, before))]

    def level(changed: tuple[str, ...]) -> Floats:
        product = np.ones(())
        for each in before:
            product = product * ends[each in changed][each]
        total: Floats = product.sum(axis=-1)
        return total

    orders = list(permutations(before))
    cuts = [(order[: order.index(name)], order[: order.index(name) + 1]) for order in orders]
    change: Floats = sum((level(then) - level(first) for first, then in cuts), np.zeros(())) / len(orders)
    return change


def _shares(population: Floats) -> tuple[Floats, Floats]:
    """Parts of the population, and the middle of each on the line from the worst off to the best off."""
    share = over(population, population.sum(axis=-1, keepdims=True))
    return share, share.cumsum(axis=-1) - share / 2


def _meant(own: Floats, other: Floats) -> Floats:
    meant: Floats = np.where(np.isnan(own), np.nan_to_num(other), own)
    return meant
