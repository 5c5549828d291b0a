"""Do decompositions, indices and run-off have the properties that hold for any data? (Hypothesis, derandomised)"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from triple_aim.stats import price_index
from triple_aim.stats.decomposition import cross_classified, das_gupta, das_gupta_series, kitagawa, lmdi
from triple_aim.stats.growth import log_linear
from triple_aim.stats.run_off import complete, complete_total

METHODS = pytest.mark.parametrize("method", [das_gupta, lmdi])
SHAPE = (2, 4)  # regions, cells


def amounts(shape, low=0.01, high=100.0):
    return arrays(np.float64, shape, elements=st.floats(low, high))


@st.composite
def changes(draw, low=0.01):
    """Two periods of two to four factors; whole zeros occur if ``low`` is 0."""
    names = ["share", "users", "units", "price"][: draw(st.integers(2, 4))]
    elements = amounts(SHAPE) if low else arrays(np.float64, SHAPE, elements=st.sampled_from([0.0, 0.5, 2.0, 30.0]))
    return tuple({name: draw(elements) for name in names} for _ in range(2))


def total(factors):
    return np.prod(list(factors.values()), axis=0).sum(axis=-1)


def same(effects, expected, scale):
    """Compare effects relative to the level of the rate: a small change of a large rate is less precise."""
    assert effects.keys() == expected.keys()
    for name, effect in effects.items():
        np.testing.assert_allclose(effect / scale, expected[name] / scale, rtol=1e-9, atol=1e-9)


@METHODS
@given(change=st.one_of(changes(), changes(low=0)))
def test_effects_add_up_to_the_change_and_change_sign_with_the_periods(method, change):
    start, end = change
    effects, back = method(start, end), method(end, start)
    level = total(start) + total(end) + 1e-300
    np.testing.assert_allclose(sum(effects.values()) / level, (total(end) - total(start)) / level, atol=1e-12)
    same(back, {name: -effect for name, effect in effects.items()}, level)


@METHODS
@given(change=st.one_of(changes(), changes(low=0)))
def test_a_factor_that_did_not_change_has_no_effect(method, change):
    start, end = change
    assert (method(start, {**end, "share": start["share"]})["share"] == 0).all()


@METHODS
@given(change=changes(), cells=st.permutations(range(4)), data=st.data())
def test_order_of_cells_and_factors_does_not_matter(method, change, cells, data):
    start, end = change
    names = data.draw(st.permutations(list(start)))
    moved = method(*({name: part[name][:, cells] for name in names} for part in change))
    level = total(start) + total(end)
    same({name: moved[name] for name in start}, method(start, end), level)


@METHODS
@given(change=changes(), scale=st.floats(0.001, 1000))
def test_another_unit_of_one_factor_scales_every_effect(method, change, scale):
    scaled = method(*({**part, "share": part["share"] * scale} for part in change))
    expected = {name: scale * effect for name, effect in method(*change).items()}
    same(scaled, expected, scale * (total(change[0]) + total(change[1])))


@METHODS
@given(change=changes())
def test_halves_of_cells_with_equal_rates_give_the_same_effects(method, change):
    halves = []
    for part in change:
        twice = {name: np.repeat(factor, 2, axis=-1) for name, factor in part.items()}
        halves.append({**twice, "share": twice["share"] / 2})
    same(method(*halves), method(*change), total(change[0]) + total(change[1]))


@METHODS
@given(change=changes(low=0), data=st.data())
def test_missing_is_never_zero(method, change, data):
    period, name = data.draw(st.sampled_from([0, 1])), data.draw(st.sampled_from(list(change[0])))
    change[period][name][1, data.draw(st.integers(0, 3))] = np.nan
    for effect in method(*change).values():
        assert np.isnan(effect).tolist() == [False, True]


@given(rates=amounts((2, *SHAPE)), counts=amounts((2, *SHAPE)))
def test_kitagawa_is_das_gupta_with_two_factors(rates, counts):
    shares = counts / counts.sum(axis=-1, keepdims=True)
    two = das_gupta(*({"composition": share, "rate": rate} for share, rate in zip(shares, rates, strict=True)))
    same(kitagawa(*rates, *shares), two, rates.max())


@given(change=st.lists(changes().map(lambda change: change[0]), min_size=2, max_size=5))
def test_a_series_adds_over_factors_and_years(change):
    names = ["share", "users"]
    factors = {name: np.stack([year[name] for year in change], axis=-2) for name in names}
    crude = (factors["share"] * factors["users"]).sum(axis=-1)
    series = das_gupta_series(factors)
    level = np.max(crude)
    # Differences between standardised rates always add up over years; over factors they must equal the change.
    both = sum(series.values())
    np.testing.assert_allclose(np.diff(both, axis=-1) / level, np.diff(crude, axis=-1) / level, atol=1e-12)
    backwards = das_gupta_series({name: part[:, ::-1] for name, part in factors.items()})
    same({name: part[:, ::-1] for name, part in backwards.items()}, series, level)


@given(rates=amounts((2, 2, 3, 2)), counts=arrays(np.int64, (2, 2, 3, 2), elements=st.integers(1, 99)))
def test_cross_classified_parts_add_and_follow_their_dimension(rates, counts):
    effects = cross_classified(*rates, *counts, dimensions=("age", "sex"))
    crude = (rates * counts).sum(axis=(-2, -1)) / counts.sum(axis=(-2, -1))
    level = rates.max()
    np.testing.assert_allclose(sum(effects.values()) / level, (crude[1] - crude[0]) / level, atol=1e-12)
    swapped = cross_classified(*np.swapaxes(rates, -1, -2), *np.swapaxes(counts, -1, -2), dimensions=("sex", "age"))
    same({name: swapped[name] for name in effects}, effects, level)


@given(price=amounts((2, *SHAPE)), quantity=amounts((2, *SHAPE)), inflation=st.floats(0.1, 10))
def test_indices_share_the_value_ratio_and_follow_pure_inflation(price, quantity, inflation):
    basket = (*price, *quantity)
    value = price_index.value_ratio(*basket)
    for one, other in (
        (price_index.laspeyres, price_index.paasche),
        (price_index.paasche, price_index.laspeyres),
        (price_index.fisher, price_index.fisher),
    ):
        np.testing.assert_allclose(one(*basket) * other(*basket, of="volume"), value, rtol=1e-12)
        np.testing.assert_allclose(one(price[0], inflation * price[0], *quantity), inflation, rtol=1e-12)
    back = price_index.fisher(*price[::-1], *quantity[::-1])
    np.testing.assert_allclose(price_index.fisher(*basket) * back, 1, rtol=1e-12)


@given(price=amounts((5, 4)), quantity=amounts((5, 4)))
def test_chained_fisher_price_and_volume_share_the_value_ratio(price, quantity):
    product = price_index.chained(price, quantity) * price_index.chained(price, quantity, of="volume")
    value = (price * quantity).sum(axis=-1)
    np.testing.assert_allclose(product, value / value[0], rtol=1e-11)


@given(booked=amounts((5, 4), low=1.0), scale=st.floats(0.001, 1000))
def test_run_off_scales_and_its_total_is_the_sum_with_a_wider_error_than_independence(booked, scale):
    booked[np.add.outer(np.arange(5), np.arange(4)) > 4] = np.nan
    final, total_final = complete(booked), complete_total(booked)
    np.testing.assert_allclose(complete(scale * booked).upper, scale * final.upper, rtol=1e-9)
    np.testing.assert_allclose(total_final.value, final.value.sum(), rtol=1e-12)
    independent = np.sqrt(((final.upper - final.value) ** 2).sum())
    assert total_final.upper - total_final.value >= independent * (1 - 1e-12)


@given(value=amounts((3, 6), low=1.0), scale=st.floats(0.001, 1000), shift=st.integers(-2000, 2000))
def test_log_linear_growth_does_not_depend_on_unit_or_calendar(value, scale, shift):
    years = np.arange(2015, 2021)
    growth, moved = log_linear(value, years), log_linear(scale * value, years + shift)
    for part in ("value", "lower", "upper"):
        np.testing.assert_allclose(getattr(moved, part), getattr(growth, part), rtol=1e-8, atol=1e-9)
