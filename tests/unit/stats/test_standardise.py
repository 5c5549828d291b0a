"""Do the standardised measures do what their docstrings say? (checked with a plain loop)"""

import numpy as np
import pytest
from scipy import stats

from triple_aim.stats import intervals, rates
from triple_aim.stats.standardise import (
    directly_standardised_mean,
    directly_standardised_rate,
    indirectly_standardised_rate,
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


def test_few_events_have_exact_limits_where_allowed():
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


def test_strata_outside_the_standard_do_not_count():
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


def test_ratio_accepts_a_total_and_ignores_unknown_rates_of_empty_strata():
    whole = indirectly_standardised_ratio([40], [1000, 500, 0], [0.01, 0.02, np.nan], per=100)
    assert whole.value == 200
    np.testing.assert_allclose(whole.lower, rates.crude_rate(40, 20, per=100).lower)


def test_ratio_is_unknown_where_somebody_has_no_reference_rate():
    assert np.isnan(indirectly_standardised_ratio([40], [1000, 5], [0.01, np.nan]).value)


def test_dependent_events_have_the_variance_of_persons_times_squared_frequency():
    """OHID: the variance of the rate of persons with f events counts f squared times."""
    frequency = np.array([1, 2, 3])[:, None]
    persons = RNG.poisson([[40], [8], [3]], (3, 38))
    person_years = RNG.uniform(500, 2000, 38)
    count, squares = (frequency * persons).sum(axis=0), (frequency**2 * persons).sum(axis=0)
    estimate = directly_standardised_rate(count, person_years, WEIGHT, event_sumsq=squares)
    share, events = WEIGHT / WEIGHT.sum(), count.sum()
    by_frequency = [(share**2 * p / person_years**2).sum() for p in persons]
    scale = (sum(f**2 * v for f, v in zip((1, 2, 3), by_frequency, strict=True)) / events) ** 0.5
    lower, upper = intervals.byar(events)
    np.testing.assert_allclose(estimate.value, (share * count / person_years).sum())
    np.testing.assert_allclose(
        [estimate.lower, estimate.upper], estimate.value + scale * (np.array([lower, upper]) - events)
    )


def test_shares_of_events_have_the_variance_of_a_weighted_sum_of_poisson_counts():
    """Whole and half deaths are independent: the rate varies over draws as its limits predict."""
    person_years = RNG.uniform(500, 2000, 38)
    whole, half = RNG.poisson(9, (20_000, 38)), RNG.poisson(14, (20_000, 38))
    count, squares = whole + half / 2, whole + half / 4
    assert (squares.sum(axis=-1) < count.sum(axis=-1)).all()
    drawn = directly_standardised_rate(count, person_years, WEIGHT, event_sumsq=squares)
    share = WEIGHT / WEIGHT.sum() / person_years
    variance = (share**2 * (9 + 14 / 4)).sum()
    np.testing.assert_allclose(drawn.value.var(), variance, rtol=0.05)
    lower, upper = intervals.byar(events := count.sum(axis=-1))
    used = ((drawn.upper - drawn.lower) / (upper - lower)) ** 2 * events
    np.testing.assert_allclose(used.mean(), variance, rtol=0.01)
    truth = (share * (9 + 14 / 2)).sum()
    assert ((drawn.lower < truth) & (truth < drawn.upper)).mean() == pytest.approx(0.95, abs=0.01)


def test_one_event_a_person_is_independent():
    count, person_years = RNG.poisson(9, 38), RNG.uniform(500, 2000, 38)
    plain = directly_standardised_rate(count, person_years, WEIGHT)
    dependent = directly_standardised_rate(count, person_years, WEIGHT, event_sumsq=count)
    assert (plain.lower, plain.upper) == (dependent.lower, dependent.upper)


@pytest.mark.parametrize("level", [0.95, 0.998])
def test_gamma_limits_by_chi_square_quantiles(level):
    count, person_years = RNG.poisson(2, (4, 38)), RNG.uniform(50, 200, (4, 38))
    estimate = directly_standardised_rate(count, person_years, WEIGHT, interval="gamma", level=level)
    share = WEIGHT / WEIGHT.sum() / person_years
    y, v, k = (share * count).sum(axis=1), (share**2 * count).sum(axis=1), share.max(axis=1)
    a = (1 - level) / 2
    np.testing.assert_allclose(estimate.lower, v / (2 * y) * stats.chi2.ppf(a, 2 * y**2 / v))
    raised = stats.chi2.ppf(1 - a, 2 * (y + k) ** 2 / (v + k**2))
    np.testing.assert_allclose(estimate.upper, (v + k**2) / (2 * (y + k)) * raised)


def test_gamma_limits_of_one_stratum_are_exact_and_exist_without_events():
    estimate = directly_standardised_rate([[0], [4]], 200, [1], interval="gamma", minimum_events=0)
    np.testing.assert_allclose([estimate.lower, estimate.upper], np.divide(intervals.exact_poisson([0, 4]), 200))


def test_gamma_limits_ignore_strata_outside_the_standard():
    estimate = directly_standardised_rate([20, 30, np.nan], [1000, 1000, 1e-6], [2, 1, 0], interval="gamma")
    alone = directly_standardised_rate([20, 30], [1000, 1000], [2, 1], interval="gamma")
    assert (estimate.lower, estimate.upper) == (alone.lower, alone.upper)


def test_bootstrap_of_one_stratum_is_student_t():
    sums = [50.0, 700.0, 4]
    made = directly_standardised_mean(*([s] for s in sums), [1.0], interval="bootstrap", repeats=200_000, seed=3)
    exact = rates.mean(*sums)
    np.testing.assert_allclose([made.lower, made.upper], [exact.lower, exact.upper], rtol=0.05)


def test_bootstrap_approaches_the_delta_method_with_many_persons():
    n = np.array([2000, 900, 4000])
    delta, bootstrap = (
        directly_standardised_mean(10 * n, 400 * n, n, [1, 2, 3], interval=name, repeats=20_000)
        for name in ("delta", "bootstrap")
    )
    np.testing.assert_allclose([bootstrap.lower, bootstrap.upper], [delta.lower, delta.upper], rtol=2e-3)


def test_bootstrap_of_a_cell_does_not_depend_on_its_neighbours():
    total, total_sq = np.array([[30.0, 80], [12, 44]]), np.array([[400.0, 900], [90, 600]])
    n = np.array([[10, 9], [4, 6]])
    both = directly_standardised_mean(total, total_sq, n, [1, 2], interval="bootstrap")
    for row in (0, 1):
        alone = directly_standardised_mean(total[row], total_sq[row], n[row], [1, 2], interval="bootstrap")
        assert (alone.lower, alone.upper) == (both.lower[row], both.upper[row])


def test_bootstrap_without_spread_or_with_one_person():
    sums = [[20, 30], [20, 30]], [[40, 90], [40, 900]], [[10, 10], [10, 1]]
    made = directly_standardised_mean(*sums, [1, 1], interval="bootstrap")
    np.testing.assert_array_equal([made.lower[0], made.upper[0]], [2.5, 2.5])
    assert made.value[1] == 16 and np.isnan(made.lower[1])
    unweighted = directly_standardised_mean([20, np.nan], [90, np.nan], [10, np.nan], [1, 0], interval="bootstrap")
    assert np.isfinite(unweighted.lower)


def test_indirectly_standardised_rate_is_the_ratio_times_the_crude_rate():
    arguments = ([[40, 5], [9, 9]], [[1000, 500], [800, 100]], [0.01, 0.02])
    ratio = indirectly_standardised_ratio(*arguments)
    rate = indirectly_standardised_rate(*arguments, 0.013, per=1000)
    for part in ("value", "lower", "upper"):
        np.testing.assert_allclose(getattr(rate, part), 13 * getattr(ratio, part))


def test_impossible_arguments_are_refused():
    for call, message in (
        (lambda: directly_standardised_rate([20], [9], [1], interval="wald"), "interval must be one of dobson, gamma"),
        (lambda: directly_standardised_rate([20], [9], [1], event_sumsq=[0]), "must be zero in the same"),
        (lambda: directly_standardised_rate([20, 0], [9, 9], [1, 1], event_sumsq=[20, 1]), "must be zero in the same"),
        (lambda: directly_standardised_rate([20], [9], [1], event_sumsq=[-1]), "event_sumsq must not be negative"),
        (lambda: directly_standardised_rate([9], [9], [1], event_sumsq=[9], interval="gamma"), "independent events"),
        (lambda: directly_standardised_mean([1], None, [1], [1], interval="wald"), "interval must be one of delta"),
        (lambda: directly_standardised_mean([1], None, [1], [1], repeats=20), "repeats must be at least 100"),
        (lambda: indirectly_standardised_rate([1], [1], [1], -1), "crude_reference_rate must not be negative"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("leading", [(), (3,), (2, 3)])
def test_leading_shape_is_kept(leading):
    cells = np.full((*leading, 4), 50.0)
    assert directly_standardised_rate(cells, 100, [1, 1, 1, 1]).value.shape == leading
    assert directly_standardised_mean(cells, None, cells, [1, 1, 1, 1]).upper.shape == leading
    assert indirectly_standardised_ratio(cells, cells, [1, 1, 1, 1]).upper.shape == leading
