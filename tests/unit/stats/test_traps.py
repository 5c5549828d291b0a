"""Do we avoid the mistakes known from other implementations? Each test compares the wrong answer with ours."""

import numpy as np
import pytest
from scipy import special, stats

from triple_aim.stats import contrast, funnel, intervals, rates
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.standardise import directly_standardised_rate
from triple_aim.stats.trend import Direction, recent_trend

Z = special.ndtri(0.975)


def test_byar_is_not_the_formula_on_x_plus_a_half():
    """Some packages shift both limits by a half under Byar's name; the lower limit is then much too high."""
    count = 10.0
    shifted = [(count + 0.5) * (1 - 1 / (9 * (count + 0.5)) + s * Z / (3 * (count + 0.5) ** 0.5)) ** 3 for s in (-1, 1)]
    exact, ours = np.array(intervals.exact_poisson(count)), np.array(intervals.byar(count))
    assert np.abs(ours / exact - 1).max() < 0.002
    assert np.abs(np.array(shifted) / exact - 1).max() > 0.03


def test_wilson_is_not_wald():
    wald = 1 / 29 - Z * (1 / 29 * 28 / 29 / 29) ** 0.5
    ours = rates.proportion(1, 29)
    assert wald < 0 and round(float(ours.lower), 4) == 0.0061
    # 0 of 20: Wald's interval has width 0, as if there were no uncertainty.
    assert rates.proportion(0, 20).upper > 0.16


def test_a_difference_of_proportions_is_not_wald():
    wald_half_width = Z * (1.0 * 0.0 / 10 + 0.0 * 1.0 / 20) ** 0.5
    ours = contrast.proportion_difference(10, 10, 0, 20)
    assert wald_half_width == 0 and ours.lower < 0.68


@pytest.mark.parametrize("per", [1, 100, 1000, 100_000])
def test_funnel_limits_are_not_capped_at_a_hundred_whatever_the_multiplier(per):
    rate = funnel.poisson_funnel(50.0, 0.02, per=per)
    np.testing.assert_allclose(rate.upper, per * funnel.poisson_funnel(50.0, 0.02).upper)
    share = funnel.proportion_funnel(np.array([4.0, 400.0]), 0.9, per=per)
    np.testing.assert_allclose(share.upper[0], per)
    assert share.upper[1] < per and (share.upper > 0.9 * per).all()


def test_limits_on_a_log_scale_are_not_swapped():
    """Dividing by the factor for the upper limit (or a ratio below 1 taken for its inverse) swaps the two."""
    for ours in (
        contrast.rate_ratio(10, 1000, 40, 1000),
        contrast.rate_ratio(10, 1000, 40, 1000, interval="exact"),
        contrast.risk_ratio(10, 1000, 40, 1000),
        contrast.risk_ratio(10, 1000, 40, 1000, interval="mover"),
    ):
        assert ours.lower < ours.value < ours.upper < 1


def test_a_lower_limit_below_zero_does_not_become_positive():
    """On the square-root scale a wide lower limit is negative; squared it would increase with the spread."""
    spread = funnel.Overdispersion(np.array(1.0), np.array(0.5))
    wrong = (1 - Z * (0.25 / 4 + 0.5) ** 0.5) ** 2
    assert wrong > 0.2
    assert funnel.overdispersed_funnel([4.0], 1.0, spread).lower.item() == 0


def test_a_mean_of_few_persons_uses_t_not_z():
    amounts = np.array([100.0, 250.0, 90.0, 400.0])
    ours = rates.mean(amounts.sum(), (amounts**2).sum(), 4)
    error = stats.sem(amounts)
    with_z, with_t = (amounts.mean() + q * error for q in (Z, stats.t.ppf(0.975, 3)))
    np.testing.assert_allclose(ours.upper, with_t)
    assert ours.upper - amounts.mean() > 1.6 * (with_z - amounts.mean())


def test_a_region_is_the_rate_of_its_sums_not_the_average_of_rates():
    count, person_years = np.array([30.0, 90.0]), np.array([1000.0, 9000.0])
    averaged = rates.crude_rate(count, person_years, per=1000).value.mean()
    region = rates.crude_rate(count.sum(), person_years.sum(), per=1000)
    assert averaged == 20 and region.value == 12
    # Limits may not be averaged either: those of the region are those of its 120 events.
    np.testing.assert_allclose(region.upper, intervals.byar(120)[1] / 10)


def test_overlapping_periods_show_false_trends():
    """Constant rates, 20 000 series, 0.2 % of trends by chance: three-year pools taken as yearly find many more."""
    rng = np.random.default_rng(2013)
    yearly = rng.poisson(400, (20_000, 7)).astype(float)
    pooled = np.lib.stride_tricks.sliding_window_view(yearly, 3, axis=-1).sum(axis=-1)

    def found(count, **periods):
        lower, upper = intervals.poisson(count)
        return (
            recent_trend(Estimate(count, lower, upper), **periods).direction != Direction.NO_SIGNIFICANT_CHANGE
        ).mean()

    assert found(yearly, period_length=1, step=1) < 0.003
    assert found(pooled, period_length=1, step=1) > 0.008  # the share of trends if the overlap is ignored
    with pytest.raises(ValueError, match="overlap"):
        found(pooled, period_length=3, step=1)


def test_integers_are_divided_as_floats_and_do_not_overflow():
    one, three = np.array([1], dtype=np.int32), np.array([3], dtype=np.int32)
    assert rates.crude_rate(one, three).value.item() == 1 / 3
    count, person_years = np.array([50, 70], dtype=np.int32), np.array([400_000, 300_000], dtype=np.int32)
    with np.errstate(over="ignore"):
        assert (person_years**2 != person_years.astype(float) ** 2).all()  # in integers it overflows
    whole = directly_standardised_rate(count, person_years, np.array([3, 1], dtype=np.int32))
    exact = directly_standardised_rate(count.astype(float), person_years.astype(float), [3.0, 1.0])
    assert (whole.value, whole.lower, whole.upper) == (exact.value, exact.lower, exact.upper)
