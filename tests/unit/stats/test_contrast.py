"""Do differences and ratios do what their docstrings say? (checked with scipy and statsmodels)"""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from triple_aim.stats import contrast, rates
from triple_aim.stats.estimate import Estimate

COUNT, N = np.array([1, 7, 40, 0]), np.array([20, 25, 300, 30])
OTHER, M = np.array([3, 2, 90, 4]), np.array([22, 19, 500, 25])


def parts(estimate):
    return np.array([estimate.value, estimate.lower, estimate.upper])


@pytest.mark.parametrize("level", [0.8, 0.95, 0.998])
def test_proportion_difference_agrees_with_statsmodels(level):
    ours = contrast.proportion_difference(COUNT, N, OTHER, M, level=level)
    theirs = [
        confint_proportions_2indep(*four, method="newcomb", compare="diff", alpha=1 - level)
        for four in zip(COUNT, N, OTHER, M, strict=True)
    ]
    np.testing.assert_allclose(np.transpose([ours.lower, ours.upper]), theirs, atol=1e-12)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.998])
def test_log_risk_ratio_agrees_with_scipy(level):
    ours = contrast.risk_ratio(COUNT[:3], N[:3], OTHER[:3], M[:3], level=level)
    for index, four in enumerate(zip(COUNT[:3], N[:3], OTHER[:3], M[:3], strict=True)):
        theirs = stats.contingency.relative_risk(*map(int, four))
        limits = theirs.confidence_interval(level)
        np.testing.assert_allclose(parts(ours)[:, index], [theirs.relative_risk, limits.low, limits.high])


@pytest.mark.parametrize("level", [0.8, 0.95, 0.998])
def test_exact_rate_ratio_is_the_odds_of_the_share_of_events(level):
    ours = contrast.rate_ratio([6, 0], [100.0, 50.0], [9, 4], [300.0, 80.0], interval="exact", level=level)
    for index, (events, both, years, others) in enumerate([(6, 15, 100, 300), (0, 4, 50, 80)]):
        share = stats.binomtest(events, both).proportion_ci(level, method="exact")
        odds = [p / (1 - p) * others / years for p in (share.low, share.high)]
        np.testing.assert_allclose([ours.lower[index], ours.upper[index]], odds, atol=1e-12)


def test_log_rate_ratio_by_hand():
    ours = contrast.rate_ratio(20, 1000, 30, 3000)
    spread = 1.959963984540054 * (1 / 20 + 1 / 30) ** 0.5
    np.testing.assert_allclose(parts(ours), 2 * np.exp([0, -spread, spread]))


def test_rate_difference_combines_the_limits_of_both_rates():
    ours, theirs = rates.crude_rate(30, 1000, per=100), rates.crude_rate(5, 500, per=100)
    gap = contrast.rate_difference(30, 1000, 5, 500, per=100)
    down = ((ours.value - ours.lower) ** 2 + (theirs.upper - theirs.value) ** 2) ** 0.5
    up = ((ours.upper - ours.value) ** 2 + (theirs.value - theirs.lower) ** 2) ** 0.5
    np.testing.assert_allclose(parts(gap), [2.0, 2.0 - down, 2.0 + up])


def test_relative_gap_of_symmetric_limits_is_fieller():
    """With limits ``x -+ h`` MOVER's ratio has Fieller's closed form, solved here as a quadratic."""
    a, b, h, k = 7.0, 4.0, 2.0, 1.5
    ours = contrast.relative_gap(Estimate(*np.array([a, a - h, a + h])), Estimate(*np.array([b, b - k, b + k])))
    roots = np.sort(np.roots([b**2 - k**2, -2 * a * b, a**2 - h**2]))
    np.testing.assert_allclose(parts(ours), [a / b, *roots])


def test_mover_risk_ratio_has_limits_where_nobody_has_the_characteristic():
    ours = contrast.risk_ratio(0, 30, 4, 25, interval="mover")
    assert ours.value == 0 and ours.lower == 0 and 0 < ours.upper < 10
    assert np.isnan(contrast.risk_ratio(0, 30, 4, 25).upper)


def test_everybody_in_both_populations_gives_no_limits():
    log, mover = (contrast.risk_ratio(10, 10, 10, 10, interval=interval) for interval in ("log", "mover"))
    assert log.value == mover.value == 1 and np.isnan(log.lower) and mover.lower < 0.8


@pytest.mark.parametrize("interval", ["log", "exact"])
def test_no_ratio_to_a_reference_without_events(interval):
    assert np.isnan(parts(contrast.rate_ratio(5, 100, 0, 100, interval=interval))).all()


def test_a_missing_limit_leaves_the_gap_without_that_limit():
    bare = Estimate.without_limits(np.array(3.0))
    for gap in (contrast.absolute_gap, contrast.relative_gap):
        made = gap(bare, rates.crude_rate(20, 10))
        assert np.isfinite(made.value) and np.isnan(made.lower) and np.isnan(made.upper)


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="interval must be one of log, exact"):
        contrast.rate_ratio(1, 1, 1, 1, interval="wald")
    with pytest.raises(ValueError, match="interval must be one of log, mover"):
        contrast.risk_ratio(1, 1, 1, 1, interval="wald")
    with pytest.raises(ValueError, match="estimate must not be negative"):
        contrast.relative_gap(Estimate(*np.array([-1.0, -2.0, 0.0])), rates.crude_rate(20, 10))
