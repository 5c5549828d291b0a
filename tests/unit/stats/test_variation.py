"""Do funnels, quantiles and measures of variation do what their docstrings say? (checked with loops)"""

import numpy as np
import pytest
from scipy import special, stats

from triple_aim.stats import funnel, intervals, variation
from triple_aim.stats.compare import outside_limits
from triple_aim.stats.estimate import Estimate

RNG = np.random.default_rng(300)
EXPECTED = RNG.uniform(5, 400, 40)
OBSERVED = RNG.poisson(EXPECTED * RNG.lognormal(0, 0.3, 40)).astype(float)


@pytest.mark.parametrize("level", [0.95, 0.998])
def test_a_count_is_outside_the_funnel_if_and_only_if_its_exact_interval_misses_the_target(level):
    """For any whole number of events and any expectation, small ones included."""
    expected = np.array([1e-6, 0.001, 0.02, 0.5, 1, 3.7, 20, 150, 3000])[:, None]
    count = np.arange(0.0, 3500.0)
    limits = funnel.poisson_funnel(expected, level=level)
    lower, upper = intervals.exact_poisson(count, level=level)
    np.testing.assert_array_equal(count / expected > limits.upper, lower > expected)
    np.testing.assert_array_equal(count / expected < limits.lower, upper < expected)


def test_a_proportion_is_outside_the_funnel_if_and_only_if_its_wilson_interval_misses_the_target():
    n = np.array([3, 20, 117, 1000])[:, None]
    count = np.minimum(np.arange(0, 1001), n)
    limits = funnel.proportion_funnel(n, 0.37, level=0.998)
    lower, upper = intervals.wilson(count, n, level=0.998)
    np.testing.assert_array_equal(count / n > limits.upper, lower > 0.37)
    np.testing.assert_array_equal(count / n < limits.lower, upper < 0.37)


def overdispersion_by_loop(y, centre, error, share=0.1):
    z = [(a - b) / s for a, b, s in zip(y, centre, error, strict=True)]
    low, high = np.quantile(z, [share, 1 - share])
    squares = sum(min(max(one, low), high) ** 2 for one in z)
    weights = [1 / s**2 for s in error]
    surplus = squares - (len(z) - 1)
    return squares / len(z), max(0, surplus / (sum(weights) - sum(w**2 for w in weights) / sum(weights)))


def test_overdispersion_of_ratios_agrees_with_a_loop():
    spread = funnel.overdispersion(OBSERVED, EXPECTED, 1.0)
    by_hand = overdispersion_by_loop(np.sqrt(OBSERVED / EXPECTED), np.ones(40), 0.5 / np.sqrt(EXPECTED))
    np.testing.assert_allclose([spread.phi, spread.tau2], by_hand)
    assert spread.tau2 > 0


def test_overdispersion_of_proportions_agrees_with_a_loop():
    n, target = np.round(EXPECTED) + 50, 0.3
    count = RNG.binomial(n.astype(int), RNG.uniform(0.1, 0.5, 40))
    spread = funnel.overdispersion(count, n, target, family="binomial", winsorise=0.05)
    by_hand = overdispersion_by_loop(
        np.arcsin(np.sqrt(count / n)), np.full(40, np.arcsin(np.sqrt(target))), 0.5 / np.sqrt(n), 0.05
    )
    np.testing.assert_allclose([spread.phi, spread.tau2], by_hand)


def test_unknown_and_empty_regions_do_not_change_the_overdispersion():
    plain = funnel.overdispersion(OBSERVED, EXPECTED, 1.0)
    more = funnel.overdispersion([np.nan, *OBSERVED, 0], [10, *EXPECTED, 0], 1.0)
    np.testing.assert_allclose([more.phi, more.tau2], [plain.phi, plain.tau2], rtol=1e-12)
    assert np.isnan(funnel.overdispersion([5, np.nan], [5, 5], 1.0).phi)


def test_overdispersion_keeps_leading_axes_with_a_target_each():
    both = funnel.overdispersion(np.stack([OBSERVED, 2 * OBSERVED]), EXPECTED, [1.0, 2.0])
    assert both.phi.shape == (2,)
    np.testing.assert_allclose(both.phi[0], funnel.overdispersion(OBSERVED, EXPECTED, 1.0).phi)
    limits = funnel.overdispersed_funnel(EXPECTED, [1.0, 2.0], both)
    assert limits.upper.shape == (2, 40)


@pytest.mark.parametrize(("family", "target"), [("poisson", 1.0), ("binomial", 0.3)])
def test_both_models_of_overdispersion_by_hand(family, target):
    spread = funnel.Overdispersion(np.array(4.0), np.array(0.01))
    error, centre = 0.5 / np.sqrt([16.0, 400.0]), 1.0 if family == "poisson" else np.arcsin(np.sqrt(target))
    for model, wider in (("additive", np.sqrt(error**2 + 0.01)), ("multiplicative", 2 * error)):
        limits = funnel.overdispersed_funnel([16, 400], target, spread, family=family, model=model, per=100)
        ends = [centre + side * special.ndtri(0.975) * wider for side in (-1, 1)]
        back = [np.maximum(end, 0) ** 2 if family == "poisson" else np.sin(np.clip(end, 0, 9)) ** 2 for end in ends]
        np.testing.assert_allclose([limits.lower, limits.upper], 100 * np.array(back))


def test_underdispersion_never_narrows_the_multiplicative_funnel():
    spread = funnel.Overdispersion(np.array(0.2), np.array(0.0))
    multiplicative, additive = (
        funnel.overdispersed_funnel(EXPECTED, 1.0, spread, model=model) for model in ("multiplicative", "additive")
    )
    np.testing.assert_array_equal(multiplicative.upper, additive.upper)


def test_quantile_groups_follow_the_published_formula():
    value = np.round(RNG.normal(size=(3, 57)), 1)
    value[1, ::5] = np.nan
    for groups in (2, 5, 10):
        made = variation.quantile_groups(value, groups)
        for row, ours in zip(value, made, strict=True):
            known = ~np.isnan(row)
            rank, n = stats.rankdata(row[known], method="min"), known.sum()
            np.testing.assert_array_equal(ours[known], groups + 1 - np.ceil(((n + 1) - rank) * groups / n))
            assert np.isnan(ours[~known]).all()


def test_fewer_regions_than_groups_have_no_groups():
    assert np.isnan(variation.quantile_groups([1.0, 2.0, np.nan, np.nan], 3)).all()


def test_extremal_quotient_needs_two_values_and_a_lowest_above_zero():
    quotients = variation.extremal_quotient([[1.0, np.nan], [0.0, 4.0], [8.0, 2.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(quotients, [np.nan, np.nan, 4.0, np.nan])
    value = np.arange(1.0, 102.0)
    assert variation.extremal_quotient(value, tail=0.05) == 96 / 6


def test_coefficient_of_variation_agrees_with_scipy():
    value = RNG.uniform(1, 5, (2, 12))
    np.testing.assert_allclose(variation.coefficient_of_variation(value), stats.variation(value, axis=-1, ddof=1))
    # Integer weights are repetitions (with divisor n).
    weight = np.array([1, 2, 3])
    np.testing.assert_allclose(
        variation.coefficient_of_variation([2.0, 5.0, 9.0], weight), stats.variation(np.repeat([2.0, 5.0, 9.0], weight))
    )


def test_systematic_component_is_the_variance_beyond_chance():
    observed, expected = np.array([30.0, 55.0, 12.0, np.nan]), np.array([40.0, 50.0, 10.0, 9.0])
    terms = [(o - e) ** 2 / e**2 - 1 / e for o, e in zip(observed[:3], expected[:3], strict=True)]
    np.testing.assert_allclose(variation.systematic_component(observed, expected), max(0, 100 * sum(terms) / 3))
    assert variation.systematic_component([10, 10], [10, 10]) == 0
    assert np.isnan(variation.systematic_component([10], [10]))


def test_systematic_component_recovers_a_known_variance():
    expected = np.full(20_000, 50.0)
    relative = RNG.gamma(1 / 0.04, 0.04, 20_000)  # mean 1, variance 0.04
    assert abs(variation.systematic_component(RNG.poisson(expected * relative), expected) - 4) < 0.2


def test_impossible_arguments_are_refused():
    limits = Estimate(*np.array([1.0, 0.9, 1.1])), Estimate(*np.array([1.0, 0.8, 1.2]))
    for call, message in (
        (lambda: funnel.proportion_funnel(10, 80, per=100), "between 0 and 1, whatever the multiplier"),
        (lambda: funnel.overdispersion(OBSERVED, EXPECTED, 1.0, winsorise=0.5), "winsorise must be"),
        (lambda: funnel.overdispersion([5], [4], 0.5, family="binomial"), "count must not exceed"),
        (lambda: funnel.overdispersion([5], [4], 0.5, family="normal"), "family must be one of"),
        (lambda: variation.quantile_groups([1.0], 1), "groups must be 2 or more"),
        (lambda: variation.quantile_groups(1.0, 2), "axis of regions"),
        (lambda: variation.extremal_quotient([1.0, 2.0], tail=0.5), "tail must be"),
        (lambda: outside_limits(1.0, limits[1], limits[0]), "pass the lower level first"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
