"""Do contrasts, funnels, trends and control charts have their general properties? (the same examples each run)"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from triple_aim.stats import contrast, funnel, intervals, variation
from triple_aim.stats.compare import outside_limits
from triple_aim.stats.control_chart import special_causes, xmr_limits
from triple_aim.stats.control_chart import variation as icons
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.rates import crude_rate
from triple_aim.stats.standardise import directly_standardised_rate
from triple_aim.stats.trend import Direction, recent_trend, recent_trend_of_proportion

LEVELS = st.floats(0.5, 0.999)
PER = st.sampled_from([100, 1000, 100_000])


def whole(shape, low, high):
    return arrays(np.int64, shape, elements=st.integers(low, high)).map(lambda x: x.astype(float))


def parts(estimate):
    return np.array([estimate.value, estimate.lower, estimate.upper])


@given(whole(6, 1, 400), whole(6, 1, 400), LEVELS)
def test_swapped_populations_negate_the_gap_and_invert_the_ratio(count, other, level):
    ours, theirs = crude_rate(count, 900, level=level), crude_rate(other, 700, level=level)
    there, back = contrast.absolute_gap(ours, theirs), contrast.absolute_gap(theirs, ours)
    np.testing.assert_allclose(parts(back), -parts(there)[[0, 2, 1]], atol=1e-12)
    for one, two in (
        (contrast.relative_gap(ours, theirs), contrast.relative_gap(theirs, ours)),
        *(
            (
                contrast.rate_ratio(count, 900, other, 700, interval=interval, level=level),
                contrast.rate_ratio(other, 700, count, 900, interval=interval, level=level),
            )
            for interval in ("log", "exact")
        ),
    ):
        np.testing.assert_allclose(parts(two), 1 / parts(one)[[0, 2, 1]], rtol=1e-6)


@given(whole(6, 1, 400), LEVELS)
def test_equal_populations_have_no_gap(count, level):
    ours = crude_rate(count, 900, level=level)
    none, one = contrast.absolute_gap(ours, ours), contrast.relative_gap(ours, ours)
    assert (none.value == 0).all() and (none.lower < 0).all() and (none.upper > 0).all()
    assert (one.value == 1).all() and (one.lower < 1).all() and (one.upper > 1).all()


@given(arrays(float, 8, elements=st.floats(0.01, 1e5)), st.floats(0.001, 0.9), LEVELS, PER)
def test_funnels_enclose_the_target_scale_and_widen_with_the_level(size, target, level, per):
    for make in (funnel.poisson_funnel, funnel.proportion_funnel):
        narrow, wide = make(size, target, level=level), make(size, target, level=0.9999)
        np.testing.assert_allclose(parts(make(size, target, per=per, level=level)), per * parts(narrow), rtol=1e-12)
        assert (narrow.lower < target).all() and (narrow.upper > target).all()
        assert (wide.lower <= narrow.lower).all() and (narrow.upper <= wide.upper).all()


@given(arrays(float, 8, elements=st.floats(0.1, 1e4)), st.floats(0.01, 0.9))
def test_a_larger_region_has_a_narrower_funnel(size, target):
    for make in (funnel.poisson_funnel, funnel.proportion_funnel):
        limits = make(np.sort(size), target)
        assert (np.diff(limits.lower) >= -1e-9).all() and (np.diff(limits.upper) <= 1e-9).all()


@given(whole(12, 0, 300), whole(12, 1, 300), st.permutations(range(12)))
def test_the_order_of_regions_does_not_matter(observed, expected, order):
    spread, shuffled = (funnel.overdispersion(observed[i], expected[i], 1.0) for i in (slice(None), order))
    np.testing.assert_allclose([shuffled.phi, shuffled.tau2], [spread.phi, spread.tau2], rtol=1e-9, atol=1e-12)
    for measure in (variation.systematic_component, lambda o, e: variation.coefficient_of_variation(o / e, e)):
        np.testing.assert_allclose(
            measure(observed[order], expected[order]), measure(observed, expected), rtol=1e-9, atol=1e-9
        )
    np.testing.assert_array_equal(
        variation.quantile_groups(observed[order], 5), variation.quantile_groups(observed, 5)[order]
    )


@given(whole(15, 0, 30), st.integers(2, 6), st.integers(0, 14))
def test_groups_follow_the_values_and_a_missing_region_has_no_rank(value, groups, gap):
    made = variation.quantile_groups(value, groups)
    order = np.argsort(value, kind="stable")
    assert (np.diff(made[order]) >= 0).all()
    assert (made[order][1:][np.diff(value[order]) == 0] == made[order][:-1][np.diff(value[order]) == 0]).all()
    np.testing.assert_array_equal(variation.quantile_groups(np.exp(value / 30), groups), made)
    missing = np.insert(value, gap, np.nan)
    np.testing.assert_array_equal(np.delete(variation.quantile_groups(missing, groups), gap), made)


@given(st.permutations(range(30)), st.sampled_from([2, 3, 5, 6, 10]))
def test_groups_of_distinct_values_are_equal_in_number(value, groups):
    made = variation.quantile_groups(value, groups)
    assert (np.unique(made, return_counts=True)[1] == 30 // groups).all()


@given(arrays(float, 9, elements=st.floats(1, 100)), st.floats(0.01, 100))
def test_relative_measures_have_no_unit(value, factor):
    for measure in (variation.extremal_quotient, variation.coefficient_of_variation):
        np.testing.assert_allclose(measure(value * factor), measure(value), rtol=1e-9, atol=1e-12)


@given(whole((3, 5), 20, 400), st.floats(0.1, 50))
def test_a_trend_reverses_with_time_and_has_no_unit(count, factor):
    lower, upper = intervals.poisson(count)
    ahead = recent_trend(Estimate(count, lower, upper), period_length=1, step=1)
    reverse = recent_trend(Estimate(count[:, ::-1], lower[:, ::-1], upper[:, ::-1]), period_length=1, step=1)
    np.testing.assert_array_equal(reverse.direction, -ahead.direction)
    scaled = recent_trend(Estimate(*(factor * part for part in (count, lower, upper))), period_length=1, step=1)
    np.testing.assert_allclose(scaled.chi2, ahead.chi2, rtol=1e-6, atol=1e-9)


@given(whole(5, 1, 499))
def test_the_trend_of_the_complement_is_the_opposite(count):
    ours, others = (recent_trend_of_proportion(x, 500, period_length=1, step=1) for x in (count, 500 - count))
    np.testing.assert_allclose(others.chi2, ours.chi2, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(others.direction, -ours.direction)


@given(whole(7, 20, 400), st.integers(2, 6))
def test_a_missing_period_gives_no_trend(count, gap):
    lower, upper = intervals.poisson(count)
    broken = Estimate(*(np.where(np.arange(7) == gap, np.nan, part) for part in (count, lower, upper)))
    assert recent_trend(broken, period_length=1, step=1).direction == Direction.CANNOT_BE_CALCULATED


@given(whole((2, 16), -40, 40), st.integers(-9, 9), st.integers(1, 9))
def test_a_control_chart_follows_its_origin_and_unit(series, shift, factor):
    limits = xmr_limits(series)
    np.testing.assert_allclose(
        parts(xmr_limits(factor * series + shift)), factor * parts(limits) + shift, rtol=1e-9, atol=1e-9
    )


@given(whole(16, -40, 40))
def test_a_control_chart_is_symmetric_in_sign_and_in_time(series):
    limits = Estimate(*np.array([[0.5], [-20.25], [21.25]]))  # limits that are not integers
    mirrored = Estimate(-limits.value, -limits.upper, -limits.lower)
    causes = special_causes(series, limits)
    np.testing.assert_array_equal(special_causes(series[::-1], limits).any[::-1], causes.any)
    opposite = special_causes(-series, mirrored)
    np.testing.assert_array_equal(opposite.any, causes.any)
    np.testing.assert_array_equal(
        icons(-series, mirrored, opposite, "lower_is_better"), icons(series, limits, causes, "higher_is_better")
    )


@given(whole((3, 4), 5, 300), whole((3, 4), 600, 9000), LEVELS)
def test_gamma_limits_on_the_own_population_are_exact(count, person_years, level):
    own = directly_standardised_rate(count, person_years, person_years, interval="gamma", level=level)
    lower, upper = intervals.exact_poisson(count.sum(axis=-1), level=level)
    years = person_years.sum(axis=-1)
    np.testing.assert_allclose([own.lower, own.upper], [lower / years, upper / years], rtol=1e-8)


@given(whole((3, 4), 5, 300), whole((3, 4), 0, 300))
def test_repeated_events_of_one_person_widen_the_limits(count, surplus):
    plain = directly_standardised_rate(count, 5000, [1, 2, 3, 4])
    wide = directly_standardised_rate(count, 5000, [1, 2, 3, 4], event_sumsq=count + surplus)
    np.testing.assert_array_equal(wide.value, plain.value)
    assert (wide.lower <= plain.lower).all() and (wide.upper >= plain.upper).all()


@given(whole(6, 0, 60), st.floats(1, 40))
def test_far_outside_implies_outside(count, expected):
    inner, outer = (funnel.poisson_funnel(expected, level=level) for level in (0.95, 0.998))
    verdict = outside_limits(count / expected, inner, outer)
    np.testing.assert_array_equal(verdict > 0, count / expected > inner.upper)
    np.testing.assert_array_equal(verdict < 0, count / expected < inner.lower)
    assert (np.sign(verdict[np.abs(verdict) == 2]) == np.sign(count / expected - 1)[np.abs(verdict) == 2]).all()
