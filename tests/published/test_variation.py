"""Do funnels, trends and control charts reproduce published figures?"""

import numpy as np
import pytest

from triple_aim.stats.compare import Significance, outside_limits
from triple_aim.stats.control_chart import special_causes, variation, xmr_limits
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.funnel import poisson_funnel, proportion_funnel
from triple_aim.stats.trend import Direction, recent_trend, recent_trend_of_proportion

YEARLY = {"period_length": 1, "step": 1}

# R package PHEindicatormethods, tests/testthat/testdata_funnel_ratio_outputs.csv: observed count, expected count at
# which it is on a limit, and the ratio (x 100) there: lower 95 %, upper 95 %, lower 99.8 %, upper 99.8 %.
RATIO = [
    (1, 5.571644585, 17.94802207, 0.025317898, 3949.774946, 9.233410143, 10.83023482, 0.001000547, 99945.32721),
    (10, 18.39035799, 54.3763205, 4.795387629, 208.5337156, 24.13397235, 41.43536693, 2.960519925, 337.778507),
    (100, 121.6268111, 82.21871402, 81.36400699, 122.9044681, 134.9243187, 74.11562345, 71.92139974, 139.0406755),
    (716, 770.4222128, 92.93605352, 664.5083011, 107.7488421, 802.60414, 89.20960712, 636.1521174, 112.5516964),
]
# The same, testdata_funnel_rate_outputs.csv, baseline 116.1720835 per 100 000 over five years of data.
RATE = [
    (10, 5276.757672, 63.17010446, 1375.943768, 242.2579623),
    (1360, 411529.9259, 110.158048, 369759.5622, 122.6021934),
]
# The same, testdata_funnel_prop_outputs.csv, baseline 80.642448 %.
PROPORTION = [
    (1, 3.204264, 100, 0, 100),
    (18, 62.390093, 98.894803, 51.864359, 100),
    (102, 72.974925, 88.309971, 68.553233, 92.731663),
    (110000, 80.408963, 80.875933, 80.274317, 81.010578),
]


@pytest.mark.parametrize("row", RATIO)
def test_ratio_funnel_of_pheindicatormethods(row):
    for level, (low_at, low, high_at, high) in ((0.95, row[1:5]), (0.998, row[5:9])):
        np.testing.assert_allclose(poisson_funnel(low_at, per=100, level=level).lower, low, rtol=1e-5)
        np.testing.assert_allclose(poisson_funnel(high_at, per=100, level=level).upper, high, rtol=1e-3)


@pytest.mark.parametrize(("events", "low_at", "low", "high_at", "high"), RATE)
def test_rate_funnel_of_pheindicatormethods(events, low_at, low, high_at, high):
    target = 116.1720835 / 100_000
    limits = poisson_funnel(np.array([low_at, high_at]) * 3, target, per=100_000)
    np.testing.assert_allclose([limits.lower[0], limits.upper[1]], [low, high], rtol=1e-6)


@pytest.mark.parametrize(("n", "low", "high", "far_low", "far_high"), PROPORTION)
def test_proportion_funnel_of_pheindicatormethods(n, low, high, far_low, far_high):
    inner, outer = (proportion_funnel(n, 0.80642448, per=100, level=level) for level in (0.95, 0.998))
    np.testing.assert_allclose(
        [inner.lower, inner.upper, outer.lower, outer.upper], [low, high, far_low, far_high], atol=2e-5
    )


def test_proportion_significance_of_pheindicatormethods():
    """testdata_funnel_prop_inputs.csv, a selection of one area per verdict, against the same baseline."""
    count = [35078.488, 33698.3088, 30277.5312, 26789.238, 50050.7443]
    n = [41980, 42484, 37828, 33012, 61921]
    inner, outer = (proportion_funnel(n, 0.80642448, level=level) for level in (0.95, 0.998))
    np.testing.assert_array_equal(
        outside_limits(np.divide(count, n), inner, outer),
        [Significance.FAR_ABOVE, Significance.FAR_BELOW, Significance.BELOW, Significance.ABOVE, Significance.WITHIN],
    )


# Published code of Fingertips (github.com/ukhsa-collaboration/fingertips-open, TrendMarkerCalculatorTest, and its
# successor dhsc-govuk/FingertipsNext, TrendMarkerCalculatorTests), earliest year first.
SERIES = {
    "set 1": (
        [24.67, 24.6, 28.0, 30.2, 30.6],
        [23.16, 23.15, 26.44, 28.63, 28.98],
        [26.25, 26.19, 29.64, 31.9, 32.25],
        Direction.INCREASING,
    ),
    "set 2": (
        [20.5506, 19.5952, 19.0349, 21.3966, 18.4372],
        [18.1803, 17.3444, 16.8421, 19.0918, 16.2925],
        [23.1427, 22.0602, 21.4394, 23.8975, 20.7941],
        Direction.NO_SIGNIFICANT_CHANGE,
    ),
    "diabetic eye disease": (
        [2.935, 1.93028, 2.7567, 2.8701, 3.0121],
        [2.7841, 1.8085, 2.6113, 2.7225, 2.8616],
        [3.0919, 2.058, 2.9082, 3.0237, 3.1683],
        Direction.INCREASING,
    ),
}


@pytest.mark.parametrize("case", SERIES)
def test_trend_of_values_of_fingertips(case):
    value, lower, upper, direction = SERIES[case]
    trend = recent_trend(Estimate(*np.array([value, lower, upper])), **YEARLY)
    assert trend.direction == direction


def test_chi_square_of_fingertips():
    value, lower, upper, _ = SERIES["set 1"]
    # Fingertips divides the width of an interval by 3.92, which is 2 z to two decimals: so the tolerance is wide.
    np.testing.assert_allclose(
        recent_trend(Estimate(*np.array([value, lower, upper])), **YEARLY).chi2, 46.77, atol=0.01
    )
    # The same five years as counts: the chi-square for trend in proportions.
    counts, persons = [994, 1023, 1199, 1332, 1367], [40299, 41527, 42811, 44064, 44701]
    trend = recent_trend_of_proportion(counts, persons, **YEARLY)
    assert round(float(trend.chi2), 1) == 47.9 and trend.direction == Direction.INCREASING


@pytest.mark.parametrize(
    ("count", "n", "direction"),
    [
        (
            [3455176, 3491868, 3625401, 3774801, 3938080],
            [48783947, 49122259, 49956777, 50649129, 51441896],
            Direction.INCREASING,
        ),
        ([57274, 55865, 53681, 51767, 53185], [61834, 60511, 59074, 57508, 59028], Direction.DECREASING),
    ],
)
def test_trend_of_proportions_of_fingertips(count, n, direction):
    assert recent_trend_of_proportion(count, n, **YEARLY).direction == direction


# R package NHSRplotthedots, tests/testthat/_snaps/ptd_spc_standard.md: twenty values and their limits as printed.
DOTS = [-0.560, -0.230, 1.56, 0.0705, 0.129, 1.72, 0.461, -1.27, -0.687, -0.446]
DOTS += [1.22, 0.360, 0.401, 0.111, -0.556, 1.79, 0.498, -1.97, 0.701, -0.473]


def test_xmr_limits_of_nhsrplotthedots():
    limits = xmr_limits(DOTS)
    ours = [part.item() for part in (limits.value, limits.lower, limits.upper)]
    np.testing.assert_allclose(ours, [0.142, -3.01, 3.29], atol=0.01)


def test_two_points_near_opposite_limits_are_common_cause_as_in_nhsrplotthedots():
    """The same package, test-ptd_spc_standard.R: two neighbours near opposite limits."""
    series = np.array([1.0, -1.0] * 7 + [5.5, -5.5])
    limits = xmr_limits(series)
    icons = variation(series, limits, special_causes(series, limits), "higher_is_better")
    np.testing.assert_array_equal(icons[-2:], [0, 0])
