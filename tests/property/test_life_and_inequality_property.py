"""Do life tables and measures of inequality have the properties that hold for any data? (the same examples each run)"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from triple_aim.stats.inequality import concentration_index, gini, relative_index, slope_index
from triple_aim.stats.life_table import healthy_life_expectancy, life_expectancy, years_of_life_lost

AGES = np.array([0, 1, 15, 45, 65, 85])
CORRECTIONS = st.sampled_from([None, "erreygers", "wagstaff"])


def whole(shape, low, high):
    return arrays(np.int64, shape, elements=st.integers(low, high)).map(lambda x: x.astype(float))


def shares(shape):
    return arrays(np.float64, shape, elements=st.floats(0.01, 0.99))


def parts(estimate):
    return np.array([estimate.value, estimate.lower, estimate.upper])


TABLES = st.tuples(whole((6,), 1, 100), whole((6,), 200, 9000))
SOCIETIES = st.tuples(shares((5,)), whole((5,), 1, 9000))


@given(TABLES, st.sampled_from(AGES.tolist()))
def test_without_illness_healthy_life_expectancy_is_life_expectancy(table, at):
    healthy = healthy_life_expectancy(*table, AGES, 1, share_variance=0, at=at)
    np.testing.assert_array_equal(parts(healthy), parts(life_expectancy(*table, AGES, at=at)))
    assert healthy_life_expectancy(*table, AGES, 0, at=at).value == 0


@given(TABLES, shares((6,)))
def test_years_in_good_and_in_bad_health_add_up_to_life_expectancy(table, share):
    both = [healthy_life_expectancy(*table, AGES, part).value for part in (share, 1 - share)]
    np.testing.assert_allclose(sum(both), life_expectancy(*table, AGES).value, rtol=1e-12)


@given(whole((6,), 1, 100), whole((6,), 5000, 90_000), st.integers(0, 5), st.integers(1, 50))
def test_more_deaths_at_any_age_shorten_life(deaths, person_years, band, more):
    # Enough person-years that some always survive: where all die in a band, more deaths have no effect.
    worse = deaths + np.where(np.arange(6) == band, more, 0)
    assert life_expectancy(worse, person_years, AGES).value < life_expectancy(deaths, person_years, AGES).value


@given(TABLES, st.integers(2, 100))
def test_a_larger_population_narrows_the_limits_and_keeps_the_expectancy(table, times):
    once, more = (life_expectancy(table[0] * k, table[1] * k, AGES) for k in (1, times))
    np.testing.assert_allclose(more.value, once.value, rtol=1e-12)
    np.testing.assert_allclose((more.upper - more.value) * np.sqrt(times), once.upper - once.value, rtol=1e-9)


@given(TABLES)
def test_closing_at_the_last_band_changes_nothing(table):
    closed = life_expectancy(*table, AGES, closing_age=85)
    np.testing.assert_array_equal(parts(closed), parts(life_expectancy(*table, AGES)))


@given(TABLES, whole((6,), 1, 9000), st.floats(0.001, 1000), st.sampled_from([1, 1000]))
def test_years_lost_scale_with_their_unit_and_not_with_the_standard(table, weight, scale, per):
    options = {"limit": 65, "minimum_events": 1}
    one = years_of_life_lost(*table, AGES, weight=weight, per=1, **options)
    many = years_of_life_lost(*table, AGES, weight=weight * scale, per=per, **options)
    np.testing.assert_allclose(parts(many), per * parts(one), rtol=1e-9)
    own = years_of_life_lost(*table, AGES, weight=table[1], per=per, **options)
    np.testing.assert_allclose(parts(own), parts(years_of_life_lost(*table, AGES, per=per, **options)), rtol=1e-12)


@given(SOCIETIES, st.sampled_from([100, 100_000]), st.floats(-5, 5))
def test_slope_index_scales_with_its_unit_and_not_with_the_origin(society, per, shift):
    value, population = society
    one = slope_index(value, 0.01, population)
    for other in (slope_index(value, 0.01, population, per=per), slope_index(per * value, 0.01 * per**2, population)):
        np.testing.assert_allclose(parts(other), per * parts(one), rtol=1e-9, atol=1e-9 * per)
    np.testing.assert_allclose(parts(slope_index(value + shift, 0.01, population)), parts(one), atol=1e-9)
    ratios = [relative_index(scale * value, None, population).value for scale in (1, per)]
    np.testing.assert_allclose(*ratios, rtol=1e-7)


@given(whole((5,), 1, 9000), st.floats(-100, 100), st.floats(-100, 100))
def test_groups_on_a_straight_line_give_its_rise_for_any_split(population, bottom, rise):
    def on_the_line(sizes):
        ridit = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
        return slope_index(bottom + rise * ridit, None, sizes).value

    np.testing.assert_allclose([on_the_line(population), on_the_line(np.repeat(population, 2) / 2)], rise, atol=1e-8)


@given(SOCIETIES)
def test_the_reverse_order_reverses_the_signs(society):
    value, population = society
    turned = value[::-1], population[::-1]
    np.testing.assert_allclose(
        slope_index(turned[0], None, turned[1]).value, -slope_index(value, None, population).value, atol=1e-10
    )
    for correction in (None, "erreygers", "wagstaff"):
        there = parts(concentration_index(*society, variance=0.2, correction=correction))
        back = parts(concentration_index(*turned, variance=0.2, correction=correction))
        np.testing.assert_allclose(back, -there[[0, 2, 1]], atol=1e-9)


@given(st.floats(0.01, 0.99), whole((5,), 1, 9000), CORRECTIONS)
def test_where_all_groups_are_equal_there_is_no_inequality(value, population, correction):
    level = np.full(5, value)
    found = [
        slope_index(level, None, population).value,
        relative_index(level, None, population).value - 1,
        relative_index(level, None, population, form="mean").value,
        concentration_index(level, population, correction=correction).value,
        gini(level * population, population).value,
    ]
    np.testing.assert_allclose(found, 0, atol=1e-9)


@given(SOCIETIES, CORRECTIONS)
def test_splitting_a_group_into_equal_halves_changes_no_index_of_concentration(society, correction):
    value, population = society
    halves = np.repeat(value, 2), np.repeat(population, 2) / 2
    found, expected = (
        # The halves share the rank of their group.
        concentration_index(*groups, rank=place, variance=0.2, correction=correction)
        for groups, place in ((halves, np.repeat(np.arange(5), 2)), (society, np.arange(5)))
    )
    np.testing.assert_allclose(parts(found), parts(expected), rtol=1e-9, atol=1e-12)
    in_order = concentration_index(*halves, correction=correction).value
    np.testing.assert_allclose(in_order, expected.value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        gini(halves[0] * halves[1], halves[1]).value, gini(value * population, population).value, atol=1e-12
    )


@given(shares((12,)), whole((12,), 1, 4), st.permutations(range(12)), CORRECTIONS)
def test_order_of_rows_does_not_matter_even_with_ties(health, rank, order, correction):
    expected = concentration_index(health, 1, rank=rank, variance=0, correction=correction)
    found = concentration_index(health[order], 1, rank=rank[order], variance=0, correction=correction)
    np.testing.assert_allclose(parts(found), parts(expected), rtol=1e-7, atol=1e-12)
    # Only the order of the ranks counts, not their size.
    relabelled = concentration_index(health, 1, rank=np.exp(rank), variance=0, correction=correction)
    np.testing.assert_allclose(parts(relabelled), parts(expected), rtol=1e-12)
    np.testing.assert_allclose(gini(rank[order], 1).value, gini(rank, 1).value, atol=1e-12)


@given(SOCIETIES, CORRECTIONS.filter(bool))
def test_corrected_indices_of_health_and_illness_are_opposite(society, correction):
    value, population = society
    options = {"variance": 0.2, "correction": correction}
    healthy = parts(concentration_index(1 - value, population, **options))
    np.testing.assert_allclose(healthy, -parts(concentration_index(*society, **options))[[0, 2, 1]], atol=1e-9)


@given(SOCIETIES)
def test_the_slope_is_the_absolute_concentration_over_the_variance_of_ridits(society):
    value, population = society
    share = population / population.sum()
    spread = (share * (np.cumsum(share) - share / 2 - 0.5) ** 2).sum()
    absolute = concentration_index(*society, correction="erreygers").value / 4
    np.testing.assert_allclose(slope_index(value, None, population).value * 2 * spread, absolute, atol=1e-12)


@given(st.integers(2, 60), st.floats(0.01, 1e6))
def test_gini_when_one_of_n_has_all(n, amount):
    assert gini(np.append(np.zeros(n - 1), amount), 1).value == pytest.approx((n - 1) / n)


@given(whole((8,), 0, 100), st.floats(0.01, 1000))
def test_gini_is_between_0_and_1_and_does_not_depend_on_the_currency(amount, rate):
    amount[0] += 1
    found = gini(amount, 1).value
    assert -1e-12 <= found <= 7 / 8 + 1e-12
    np.testing.assert_allclose(gini(amount * rate, 1).value, found, rtol=1e-9, atol=1e-12)
