"""Does growth do what its docstrings say, also around missing years and breaks?"""

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import WLS

from triple_aim.stats.growth import break_adjusted, compound, deflate, log_linear, year_on_year


def test_compound_growth_and_its_inverse_cancel():
    estimate = compound(100 * 1.03**7, 100, 7)
    assert estimate.value == pytest.approx(0.03) and np.isnan(estimate.lower)


def test_limits_are_the_delta_method_on_the_logarithm():
    estimate = compound(110.0, 100.0, 2, variance_end=16.0, variance_start=9.0)
    half = 1.959963984540054 * (16 / 110**2 + 9 / 100**2) ** 0.5
    expected = np.exp((np.log(1.1) + half * np.array([-1, 1])) / 2) - 1
    np.testing.assert_allclose([estimate.lower, estimate.upper], expected)


def test_a_missing_year_gives_two_missing_growth_rates():
    growth = year_on_year([100.0, np.nan, 121.0, 133.1]).value
    np.testing.assert_allclose(growth, [np.nan, np.nan, np.nan, 0.1])


def test_year_on_year_runs_along_any_axis():
    values = np.array([[100.0, 50.0], [110.0, 60.0]])
    along = year_on_year(values, axis=0, variance=4.0)
    np.testing.assert_allclose(along.value, [[np.nan, np.nan], [0.1, 0.2]])
    np.testing.assert_allclose(along.lower.T, year_on_year(values.T, variance=4.0).lower)


def test_deflating_by_the_same_inflation_gives_no_growth():
    index = 100 * 1.02 ** np.arange(4)
    real = deflate(500 * index, index, base=100.0)
    np.testing.assert_allclose(real.value, 50_000)
    np.testing.assert_allclose(year_on_year(real.value).value[1:], 0, atol=1e-12)


def test_break_adjusted_growth_ignores_components_with_another_definition():
    end, start = np.array([[104.0, 52.0, 70.0]]), np.array([[100.0, 50.0, 0.0]])
    assert break_adjusted(end, start, np.array([True, True, False])).value == pytest.approx(0.04)
    assert np.isnan(break_adjusted(end, start, np.array([False] * 3)).value).all()


def test_a_missing_comparable_component_is_not_zero():
    growth = break_adjusted([[np.nan, 52.0], [104.0, np.nan]], [100.0, 50.0], np.array([True, False])).value
    np.testing.assert_allclose(growth, [np.nan, 0.04])


def test_comparability_may_differ_per_period():
    value = np.array([[100.0, 10.0], [110.0, 40.0], [121.0, 44.0]])
    comparable = np.array([[True, False], [True, True]])
    growth = break_adjusted(value[1:], value[:-1], comparable).value
    np.testing.assert_allclose(growth, [0.1, 0.1])


def test_log_linear_is_least_squares_on_the_logarithm():
    rng = np.random.default_rng(4)
    value, weight, years = (
        rng.uniform(50, 90, (2, 3, 6)),
        rng.uniform(1, 9, 6),
        np.array([2016, 2017, 2018, 2020, 2021, 2023]),
    )
    growth = log_linear(value, years, weight=weight, level=0.9)
    for cell in np.ndindex(2, 3):
        fit = WLS(np.log(value[cell]), np.column_stack([np.ones(6), years - 2020.0]), weights=weight).fit()
        expected = np.expm1([fit.params[1], *fit.conf_int(0.1)[1]])
        np.testing.assert_allclose([part[cell] for part in (growth.value, growth.lower, growth.upper)], expected)


def test_log_linear_leaves_out_missing_years_and_years_without_weight():
    value, years = np.array([100.0, np.nan, 130.0, 999.0, 150.0]), np.arange(2019, 2024)
    growth = log_linear(value, years, weight=[1, 1, 1, 0, 1])
    fit = stats.linregress([2019, 2021, 2023], np.log([100, 130, 150]))
    assert growth.value == pytest.approx(np.expm1(fit.slope))
    half = stats.t.ppf(0.975, 1) * fit.stderr
    assert growth.upper == pytest.approx(np.expm1(fit.slope + half))


def test_log_linear_through_constant_growth_has_no_width():
    growth = log_linear(80 * 1.03 ** np.arange(7), np.arange(2010, 2017))
    np.testing.assert_allclose([growth.lower, growth.value, growth.upper], 0.03, rtol=1e-9)


@pytest.mark.parametrize(
    ("value", "years"),
    [
        ([100.0, np.nan, 120.0], [2019, 2020, 2021]),
        ([100.0, 0.0, 110.0, 120.0], [2019, 2020, 2021, 2022]),
        ([100.0, 105.0, 110.0], [2019, 2019, 2019]),
        ([np.nan, np.nan, np.nan], [2019, 2020, 2021]),
    ],
    ids=["two years", "a zero", "one year thrice", "nothing"],
)
def test_log_linear_is_withheld(value, years):
    growth = log_linear(value, years)
    assert np.isnan([growth.value, growth.lower, growth.upper]).all()


def test_log_linear_does_not_count_rounding_as_a_range_of_years():
    assert np.isnan(log_linear([100.0, 105.0, 110.0], 2019.0, weight=[0.1, 0.2, 0.3]).value)


@pytest.mark.parametrize(
    ("options", "message"), [({"weight": -1.0}, "weight must not be negative"), ({"level": 95}, "level")]
)
def test_log_linear_refuses_impossible_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        log_linear([1.0, 2.0, 3.0], [1, 2, 3], **options)
