"""Do our limits reproduce printed tables?"""

import numpy as np
import pytest

from triple_aim.stats import intervals, rates


@pytest.mark.parametrize(
    ("count", "n", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_newcombe_1998_table_1_method_3(count, n, lower, upper):
    """Newcombe RG (1998). Stat Med 17: 857-872, table I, score method without continuity correction."""
    estimate = rates.proportion(count, n)
    assert (round(float(estimate.lower), 4), round(float(estimate.upper), 4)) == (lower, upper)


@pytest.mark.parametrize(
    ("count", "lower", "upper"),
    [(1, 0.02532, 5.57164), (2, 0.12110, 3.61234), (5, 0.32470, 2.33367), (10, 0.47954, 1.83904)],
)
def test_factors_of_us_vital_statistics(count, lower, upper):
    """National Vital Statistics Reports, technical notes: 95 % limit factors for 1 through 99 deaths."""
    limits = intervals.exact_poisson(count)
    assert tuple(round(float(limit) / count, 5) for limit in limits) == (lower, upper)


def test_byar_is_within_two_per_mille_of_exact_from_ten_events():
    """Public Health England (2018). Technical guide: confidence intervals, appendix 1 (95 % intervals)."""
    count = np.arange(10, 5000)
    for approximate, exact in zip(intervals.byar(count), intervals.exact_poisson(count), strict=True):
        assert np.abs(approximate / exact - 1).max() < 0.002
