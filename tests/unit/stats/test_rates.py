"""Do the unstandardised measures do what their docstrings say? (checked with statsmodels and scipy)"""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from triple_aim.stats import intervals, rates


@pytest.mark.parametrize("level", [0.5, 0.95, 0.998])
def test_wilson_and_clopper_pearson_agree_with_statsmodels(level):
    count, n = np.array([0, 1, 7, 20, 20]), np.array([20, 20, 20, 20, 300])
    for ours, method in ((intervals.wilson, "wilson"), (intervals.clopper_pearson, "beta")):
        theirs = [proportion_confint(x, size, alpha=1 - level, method=method) for x, size in zip(count, n, strict=True)]
        np.testing.assert_allclose(np.transpose(ours(count, n, level=level)), theirs, atol=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.998])
def test_exact_poisson_agrees_with_statsmodels(level):
    count = np.array([1, 2, 9, 10, 250])
    theirs = confint_poisson(count, 1, method="exact-c", alpha=1 - level)
    np.testing.assert_allclose(intervals.exact_poisson(count, level=level), theirs, rtol=1e-10)


def test_byar_never_goes_below_zero_even_at_an_extreme_level():
    lower, upper = intervals.byar([0, 1, 2], level=0.999999)
    assert (lower >= 0).all() and (upper > lower).all()


def test_crude_rate_changes_from_exact_to_byar_at_ten_events():
    estimate = rates.crude_rate([9, 10], 1.0)
    assert estimate.lower[0] == intervals.exact_poisson(9)[0]
    assert estimate.upper[1] == intervals.byar(10)[1]


def test_mean_from_sums_is_the_mean_of_the_persons():
    amounts = np.array([12.0, -3.0, 40.0, 0.0, 7.5])
    estimate = rates.mean(amounts.sum(), (amounts**2).sum(), amounts.size, level=0.9)
    theirs = stats.t.interval(0.9, amounts.size - 1, amounts.mean(), stats.sem(amounts))
    np.testing.assert_allclose([estimate.value, estimate.lower, estimate.upper], [amounts.mean(), *theirs])


def test_one_person_has_a_mean_but_no_interval():
    estimate = rates.mean(7.0, 49.0, 1)
    assert estimate.value == 7 and np.isnan(estimate.lower) and np.isnan(estimate.upper)


def test_equal_amounts_have_no_spread_despite_rounding():
    estimate = rates.mean(0.1 * 7, 0.01 * 7, 7)
    np.testing.assert_allclose([estimate.lower, estimate.upper], 0.1)
