"""Do the statistics have the properties that hold for any data? (Hypothesis, the same examples each run)"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from triple_aim.stats import intervals
from triple_aim.stats.rates import crude_rate, proportion
from triple_aim.stats.standardise import directly_standardised_mean, directly_standardised_rate
from triple_aim.stats.survey import StratumSums, variance_components

LEVELS = st.floats(0.5, 0.999)


def whole(shape, low, high):
    return arrays(np.int64, shape, elements=st.integers(low, high)).map(lambda x: x.astype(float))


def parts(estimate):
    return np.array([estimate.value, estimate.lower, estimate.upper])


@st.composite
def populations(draw, rows=3, strata=5):
    shape = (rows, strata)
    return draw(whole(shape, 5, 500)), draw(whole(shape, 600, 9000)), draw(whole((strata,), 1, 9000))


@given(populations(), st.sampled_from([100, 1000, 100_000]), LEVELS)
def test_per_scales_value_and_limits(population, per, level):
    one = directly_standardised_rate(*population, level=level)
    many = directly_standardised_rate(*population, per=per, level=level)
    np.testing.assert_allclose(parts(many), per * parts(one), rtol=1e-12)


@given(populations(), st.floats(0.001, 1000))
def test_the_scale_of_the_standard_does_not_matter(population, scale):
    count, person_years, weight = population
    expected = parts(directly_standardised_rate(*population))
    np.testing.assert_allclose(
        parts(directly_standardised_rate(count, person_years, weight * scale)), expected, rtol=1e-11
    )


@given(populations(), LEVELS)
def test_own_population_as_standard_gives_the_crude_rate_and_its_limits(population, level):
    count, person_years, _ = population
    own = directly_standardised_rate(count, person_years, person_years, level=level)
    crude = crude_rate(count.sum(axis=-1), person_years.sum(axis=-1), level=level)
    np.testing.assert_allclose(parts(own), parts(crude), rtol=1e-11)


@given(populations())
def test_halves_of_a_stratum_with_equal_rates_give_the_same_rate(population):
    halves = (np.repeat(part, 2, axis=-1) / 2 for part in population)
    expected = parts(directly_standardised_rate(*population))
    np.testing.assert_allclose(parts(directly_standardised_rate(*halves)), expected, rtol=1e-11)


@given(populations(), st.permutations(range(5)), st.permutations(range(3)))
def test_order_of_rows_and_strata_does_not_matter(population, strata, rows):
    shuffled = (part[..., strata] for part in population)
    count, person_years, weight = shuffled
    estimate = directly_standardised_rate(count[rows], person_years[rows], weight)
    expected = parts(directly_standardised_rate(*population))[:, rows]
    np.testing.assert_allclose(parts(estimate), expected, rtol=1e-12)


@given(populations(), st.floats(-50, 50))
def test_the_mean_moves_with_its_origin(population, shift):
    _, n, weight = population
    total, total_sq = 3 * n, 13 * n
    moved = directly_standardised_mean(total + shift * n, total_sq + 2 * shift * total + shift**2 * n, n, weight)
    expected = parts(directly_standardised_mean(total, total_sq, n, weight)) + shift
    np.testing.assert_allclose(parts(moved), expected, rtol=1e-8, atol=1e-8)


@given(whole((6,), 0, 300), LEVELS)
def test_limits_enclose_the_value_and_widen_with_the_level(count, level):
    for narrow, wide in (
        (crude_rate(count, 1000, level=level), crude_rate(count, 1000, level=0.9999)),
        (proportion(count, 300, level=level), proportion(count, 300, level=0.9999)),
    ):
        assert (narrow.lower <= narrow.value + 1e-12).all() and (narrow.value <= narrow.upper + 1e-12).all()
        assert (wide.lower <= narrow.lower + 1e-12).all() and (narrow.upper <= wide.upper + 1e-12).all()


@given(st.floats(10, 300), st.sampled_from([0.9, 0.95]))
def test_exact_limits_cover_at_least_at_their_level(expectation, level):
    count = np.arange(0, 700)
    chance = np.exp(count * np.log(expectation) - expectation - np.cumsum(np.log(np.maximum(count, 1))))
    lower, upper = intervals.exact_poisson(count, level=level)
    assert chance[(lower <= expectation) & (expectation <= upper)].sum() >= level - 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_survey_sums_add_over_cells_of_a_stratum(seed, cells):
    """Domain sums of parts of a stratum, such as age bands, may be added before the variance is computed."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.1, 5, (cells, 8))
    y = rng.integers(0, 2, (cells, 8))
    terms = (w, w * y, w**2, w**2 * y, w**2 * y**2)
    n = 8 * cells
    added = variance_components(StratumSums(n, *(term.sum(axis=1).sum(axis=0) for term in terms)))
    at_once = variance_components(StratumSums(n, *(term.ravel().sum() for term in terms)))
    np.testing.assert_allclose(added, at_once, rtol=1e-9, atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.permutations(range(4)))
def test_survey_variance_adds_over_strata_in_any_order(seed, order):
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.1, 5, (4, 6))
    y = rng.integers(0, 2, (4, 6))
    terms = [term.sum(axis=1) for term in (w, w * y, w**2, w**2 * y, w**2 * y**2)]
    whole_sum = np.sum(variance_components(StratumSums(6, *terms)), axis=1)
    one_by_one = sum(np.array(variance_components(StratumSums(6, *(t[h] for t in terms)))) for h in order)
    np.testing.assert_allclose(one_by_one, whole_sum, rtol=1e-9, atol=1e-9)
