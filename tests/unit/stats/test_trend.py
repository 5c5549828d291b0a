"""Does the five-point trend do what its docstring says? (checked with statsmodels)"""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special

from triple_aim.stats.estimate import Estimate
from triple_aim.stats.trend import Direction, Progress, progress, recent_trend, recent_trend_of_proportion

YEARLY = {"period_length": 1, "step": 1}
Z = special.ndtri(0.975)


def series(value, error):
    value, error = np.asarray(value, float), np.asarray(error, float)
    return Estimate(value, value - Z * error, value + Z * error)


def test_slope_and_chi_square_agree_with_weighted_least_squares():
    value, error = [4.0, 4.8, 4.1, 6.0, 6.6], [0.2, 0.3, 0.25, 0.2, 0.4]
    trend = recent_trend(series(value, error), **YEARLY)
    design = sm.add_constant(np.arange(1, 6))
    fit = sm.GLM(value, design, var_weights=1 / np.square(error)).fit(scale=1.0)
    np.testing.assert_allclose([trend.slope, trend.chi2], [fit.params[1], (fit.params[1] / fit.bse[1]) ** 2])


def test_chi_square_of_proportions_is_that_of_a_score_test():
    count, n = np.array([20, 31, 28, 45, 50]), np.array([200, 210, 190, 240, 220])
    trend = recent_trend_of_proportion(count, n, **YEARLY)
    time, pooled = np.arange(5), count.sum() / n.sum()
    score = (time * (count - n * pooled)).sum()
    information = pooled * (1 - pooled) * ((n * time**2).sum() - (n * time).sum() ** 2 / n.sum())
    np.testing.assert_allclose(trend.chi2, score**2 / information)


def test_only_the_last_five_points_count():
    value = [90.0, np.nan, 1.0, 2.0, 3.0, 4.0, 5.0]
    whole = recent_trend(series(value, np.full(7, 0.1)), **YEARLY)
    assert whole.direction == Direction.INCREASING and np.isclose(whole.slope, 1)


def test_no_single_point_decides_a_trend():
    value = [5.0, 4.9, 4.8, 4.7, 9.0]
    trend = recent_trend(series(value, np.full(5, 0.1)), **YEARLY)
    assert trend.chi2 > 100 and trend.direction == Direction.NO_SIGNIFICANT_CHANGE


@pytest.mark.parametrize("missing", [[1.0, 2, 3, 4], [1.0, 2, np.nan, 4, 5]])
def test_too_few_points_or_a_gap_cannot_be_calculated(missing):
    trend = recent_trend(series(missing, np.full(len(missing), 0.1)), **YEARLY)
    assert trend.direction == Direction.CANNOT_BE_CALCULATED and np.isnan(trend.chi2)


def test_a_complete_count_without_limits_cannot_be_calculated():
    exact = Estimate(*np.tile(np.arange(1.0, 6.0), (3, 1)))
    bare = Estimate.without_limits(np.arange(1.0, 6.0))
    for estimate in (exact, bare):
        assert recent_trend(estimate, **YEARLY).direction == Direction.CANNOT_BE_CALCULATED


def test_a_proportion_of_0_or_1_cannot_be_calculated():
    for count in ([0, 5, 9, 14, 20], [5, 9, 14, 20, 25]):
        assert recent_trend_of_proportion(count, 25, **YEARLY).direction == Direction.CANNOT_BE_CALCULATED


def test_scales_undo_the_multiplier_and_keep_the_order_of_limits():
    share, error = np.array([0.1, 0.13, 0.15, 0.2, 0.26]), np.full(5, 0.01)
    plain = series(share, error)
    percent = Estimate(100 * share, 100 * plain.lower, 100 * plain.upper)
    one, hundred = (recent_trend(e, scale="logit", per=p, **YEARLY) for e, p in ((plain, 1), (percent, 100)))
    np.testing.assert_allclose(hundred.slope, one.slope)
    ratio = recent_trend(series([1.0, 2, 4, 8, 16], np.full(5, 0.01)), scale="log", **YEARLY)
    np.testing.assert_allclose(ratio.slope, np.log(2), rtol=1e-3)


def test_leading_axes_are_kept():
    value = np.stack([np.arange(5.0), -np.arange(5.0), np.zeros(5)])
    trend = recent_trend(series(value, np.full((3, 5), 0.1)), **YEARLY)
    np.testing.assert_array_equal(trend.direction, [1, -1, 0])


def test_progress_by_polarity():
    direction = np.array([1, -1, 0, -9], dtype=np.int8)
    np.testing.assert_array_equal(progress(direction, "higher_is_better"), [1, -1, 0, -9])
    np.testing.assert_array_equal(progress(direction, "no_judgement"), [Progress.NOT_JUDGED] * 4)
    with pytest.raises(ValueError, match="polarity must be one of"):
        progress(direction, "up")


@pytest.mark.parametrize(("length", "step", "message"), [(3, 1, "overlap"), (0, 1, "positive"), (1, -1, "positive")])
def test_impossible_periods_are_refused(length, step, message):
    for call in (
        lambda: recent_trend(series(np.arange(5), np.ones(5)), period_length=length, step=step),
        lambda: recent_trend_of_proportion(np.arange(5), 9, period_length=length, step=step),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_an_estimate_without_time_is_refused():
    with pytest.raises(ValueError, match="axis of time"):
        recent_trend(series(1.0, 0.1), **YEARLY)
    with pytest.raises(ValueError, match="scale must be one of"):
        recent_trend(series(np.arange(5), np.ones(5)), scale="sqrt", **YEARLY)
