"""Do the price and volume indices do what their docstrings say, also with new and vanished products?"""

import numpy as np
import pytest

from triple_aim.stats.price_index import chained, fisher, laspeyres, paasche, value_ratio

# By hand: sums of p0 q0 = 130, p0 q1 = 124, p1 q0 = 160, p1 q1 = 150.
BASKET = ([10.0, 4.0], [12.0, 5.0], [5.0, 20.0], [10.0, 6.0])


@pytest.mark.parametrize(
    ("index", "of", "expected"),
    [
        (laspeyres, "price", 160 / 130),
        (laspeyres, "volume", 124 / 130),
        (paasche, "price", 150 / 124),
        (paasche, "volume", 150 / 160),
        (fisher, "price", (160 / 130 * 150 / 124) ** 0.5),
        (fisher, "volume", (124 / 130 * 150 / 160) ** 0.5),
    ],
)
def test_indices_by_hand(index, of, expected):
    assert float(index(*BASKET, of=of)) == pytest.approx(expected)


@pytest.mark.parametrize("index", [laspeyres, paasche, fisher])
@pytest.mark.parametrize("of", ["price", "volume"])
def test_new_and_vanished_products_are_withheld_or_left_out_of_both_periods(index, of):
    # A vanished product, a new one, and one that is in neither period.
    price_start, price_end = [*BASKET[0], 3.0, np.nan, np.nan], [*BASKET[1], np.nan, 8.0, np.nan]
    quantity_start, quantity_end = [*BASKET[2], 7.0, 0.0, 0.0], [*BASKET[3], 0.0, 2.0, 0.0]
    arguments = (price_start, price_end, quantity_start, quantity_end)
    assert np.isnan(index(*arguments, of=of))
    assert index(*arguments, of=of, absent="matched") == pytest.approx(index(*BASKET, of=of))


def test_the_value_ratio_is_over_the_same_products_as_the_indices():
    arguments = ([10.0, 3.0], [12.0, np.nan], [5.0, 7.0], [10.0, 0.0])
    assert np.isnan(value_ratio(*arguments)) and value_ratio(*arguments, absent="matched") == pytest.approx(2.4)


@pytest.mark.parametrize("absent", ["withhold", "matched"])
def test_a_product_in_neither_period_does_not_count(absent):
    never = ([*part, value] for part, value in zip(BASKET, (np.nan, np.nan, 0.0, 0.0), strict=True))
    assert laspeyres(*never, absent=absent) == pytest.approx(160 / 130)


@pytest.mark.parametrize(
    ("price_end", "quantity_end"),
    [([12.0, np.nan], [10.0, 6.0]), ([12.0, 5.0], [10.0, np.nan]), ([12.0, np.nan], [10.0, np.nan])],
)
def test_missing_is_neither_absent_nor_zero(price_end, quantity_end):
    assert np.isnan(fisher(BASKET[0], price_end, BASKET[2], quantity_end, absent="matched"))


def test_a_known_price_of_something_not_sold_is_used():
    assert paasche([10.0, 4.0], [12.0, 5.0], [5.0, 0.0], [5.0, 10.0]) == pytest.approx((60 + 50) / (50 + 40))


def test_nothing_bought_gives_no_index():
    assert np.isnan(laspeyres([1.0], [2.0], [0.0], [3.0]))


def test_chaining_multiplies_the_links_and_stops_at_a_gap():
    rng = np.random.default_rng(8)
    price, quantity = rng.uniform(1, 2, (2, 3, 5, 4))
    series = chained(price, quantity, index=laspeyres)
    links = [laspeyres(price[:, t], price[:, t + 1], quantity[:, t], quantity[:, t + 1]) for t in range(4)]
    np.testing.assert_allclose(series[:, -1], np.prod(links, axis=0))
    price[0, 2, 0] = np.nan
    assert np.isnan(chained(price, quantity)[0]).tolist() == [False, False, True, True, True]


def test_a_product_may_be_absent_from_links_of_a_chain():
    price = [[1.0, np.nan], [1.1, 5.0], [1.21, 6.0]]
    quantity = [[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    series = chained(price, quantity, index=paasche, absent="matched")
    np.testing.assert_allclose(series, [1, 1.1, 1.1 * 7.21 / 6.1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: laspeyres([-1.0], [1.0], [1.0], [1.0]), "price_start must not be negative"),
        (lambda: laspeyres([1.0], [1.0], [1.0], [-1.0]), "quantity_end must not be negative"),
        (lambda: laspeyres(1.0, 1.0, 1.0, 1.0), "axis of products"),
        (lambda: laspeyres(*BASKET, of="value"), "of must be"),
        (lambda: fisher(*BASKET, absent="drop"), "absent must be"),
        (lambda: chained([1.0], [1.0]), "axis of years"),
    ],
)
def test_impossible_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
