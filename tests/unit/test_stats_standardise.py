"""Do the standardised measures do what their docstrings say? (a plain loop as second opinion)"""

import numpy as np
import pytest

from triple_aim.stats import intervals, rates
from triple_aim.stats.standardise import (
    directly_standardised_mean,
    directly_standardised_rate,
    indirectly_standardised_ratio,
)

RNG = np.random.default_rng(20130101)
WEIGHT = RNG.integers(1000, 7000, 38)


def dobson_by_hand(count, person_years, weight, z=1.959963984540054):
    """Follow Dobson et al. term by term, in plain Python."""
    share = [w / sum(weight) for w in weight]
    rate = sum(s * o / n for s, o, n in zip(share, count, person_years, strict=True))
    variance = sum(s**2 * o / n**2 for s, o, n in zip(share, count, person_years, strict=True))
    events = sum(count)
    lower = events * (1 - 1 / (9 * events) - z / (3 * events**0.5)) ** 3
    upper = (events + 1) * (1 - 1 / (9 * (events + 1)) + z / (3 * (events + 1) ** 0.5)) ** 3
    scale = (variance / events) ** 0.5
    return rate, rate + scale * (lower - events), rate + scale * (upper - events)


def test_rate_agrees_with_a_loop_over_rows_and_strata():
    person_years = RNG.uniform(50, 2000, (6, 38))
    count = RNG.poisson(person_years * 0.01)
    estimate = directly_standardised_rate(count, person_years, WEIGHT)
    by_hand = [dobson_by_hand(o, n, WEIGHT) for o, n in zip(count.tolist(), person_years.tolist(), strict=True)]
    np.testing.assert_allclose(np.transpose([estimate.value, estimate.lower, estimate.upper]), by_hand, rtol=1e-12)


def test_rate_is_withheld_below_ten_events():
    estimate = directly_standardised_rate([[4, 5], [5, 5]], 100, [1, 1])
    np.testing.assert_array_equal(np.isnan([estimate.value, estimate.lower, estimate.upper]), [[True, False]] * 3)


def test_few_events_get_exact_limits_when_asked_for():
    estimate = directly_standardised_rate([4, 0], [100, 100], [1, 1], minimum_events=1)
    lower, upper = intervals.exact_poisson(4)
    # One stratum holds all events: the rate is w O/n, and so are its limits.
    np.testing.assert_allclose([estimate.lower, estimate.upper], [lower / 200, upper / 200])


def test_empty_stratum_drops_its_weight_or_withholds():
    arguments = ([20, 30, 0], [1000, 1000, 0], [2, 1, 5])
    dropped = directly_standardised_rate(*arguments)
    alone = directly_standardised_rate([20, 30], [1000, 1000], [2, 1])
    assert (dropped.value, dropped.upper) == (alone.value, alone.upper)
    assert np.isnan(directly_standardised_rate(*arguments, empty="withhold").value)


def test_events_without_person_years_withhold():
    assert np.isnan(directly_standardised_rate([20, 1], [1000, 0], [1, 1]).value)


def test_strata_outside_the_standard_play_no_part():
    estimate = directly_standardised_rate([20, 30, np.nan], [1000, 1000, 0], [2, 1, 0])
    alone = directly_standardised_rate([20, 30], [1000, 1000], [2, 1])
    assert (estimate.value, estimate.lower) == (alone.value, alone.lower)


def test_mean_from_sums_is_the_weighted_mean_of_the_persons():
    persons = [RNG.normal(mean, 3, size) for mean, size in ((10, 12), (30, 40))]
    sums = np.array([[x.sum(), (x**2).sum(), x.size] for x in persons]).T
    estimate = directly_standardised_mean(*sums, [3, 1])
    value = 0.75 * persons[0].mean() + 0.25 * persons[1].mean()
    error = (0.75**2 * persons[0].var(ddof=1) / 12 + 0.25**2 * persons[1].var(ddof=1) / 40) ** 0.5
    np.testing.assert_allclose(
        [estimate.value, estimate.lower, estimate.upper],
        value + error * intervals.z_score(0.95) * np.array([0, -1, 1]),
    )


def test_mean_per_insured_year_divides_by_exposure():
    whole = directly_standardised_mean([30, 80], [400, 900], [10, 10], [1, 1])
    half = directly_standardised_mean([30, 80], [400, 900], [10, 10], [1, 1], exposure=[5, 5])
    np.testing.assert_allclose(
        [half.value, half.lower, half.upper], 2 * np.array([whole.value, whole.lower, whole.upper])
    )


def test_mean_of_one_person_in_a_stratum_has_no_interval():
    estimate = directly_standardised_mean([30, 8], [400, 64], [10, 1], [1, 1])
    assert estimate.value == 5.5 and np.isnan(estimate.lower)


def test_ratio_of_euros_has_limits_only_with_a_variance():
    arguments = ([900.0, 300.0], [10, 5], [60.0, 80.0])
    bare = indirectly_standardised_ratio(*arguments, is_count=False)
    known = indirectly_standardised_ratio(*arguments, is_count=False, variance=100.0**2)
    assert bare.value == known.value == 1.2 and np.isnan(bare.upper)
    np.testing.assert_allclose(known.upper, 1.2 + intervals.z_score(0.95) * 0.1)


def test_ratio_accepts_a_total_and_ignores_unknown_rates_of_nobody():
    whole = indirectly_standardised_ratio([40], [1000, 500, 0], [0.01, 0.02, np.nan], per=100)
    assert whole.value == 200
    np.testing.assert_allclose(whole.lower, rates.crude_rate(40, 20, per=100).lower)


def test_ratio_is_unknown_where_somebody_has_no_reference_rate():
    assert np.isnan(indirectly_standardised_ratio([40], [1000, 5], [0.01, np.nan]).value)


@pytest.mark.parametrize("leading", [(), (3,), (2, 3)])
def test_leading_shape_is_kept(leading):
    cells = np.full((*leading, 4), 50.0)
    assert directly_standardised_rate(cells, 100, [1, 1, 1, 1]).value.shape == leading
    assert directly_standardised_mean(cells, None, cells, [1, 1, 1, 1]).upper.shape == leading
    assert indirectly_standardised_ratio(cells, cells, [1, 1, 1, 1]).upper.shape == leading
