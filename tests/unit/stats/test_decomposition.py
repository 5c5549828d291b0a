"""Do the decompositions do what their docstrings say, also around zeros and gaps?"""

from itertools import permutations

import numpy as np
import pytest
from scipy.integrate import quad

from triple_aim.stats.decomposition import cross_classified, das_gupta, das_gupta_series, kitagawa, lmdi

START = {"share": [0.5, 0.3, 0.2], "users": [0.2, 0.4, 0.9], "units": [3.0, 2.0, 7.0], "price": [10.0, 12.0, 9.0]}
END = {"share": [0.4, 0.3, 0.3], "users": [0.3, 0.4, 0.8], "units": [3.5, 1.0, 8.0], "price": [11.0, 14.0, 9.0]}


def values(effects):
    return np.array(list(effects.values()))


def test_das_gupta_is_the_average_over_all_orders_of_replacing_the_factors():
    orders = list(permutations(START))
    expected = dict.fromkeys(START, 0.0)
    for order in orders:
        now = {name: np.array(part) for name, part in START.items()}
        for name in order:
            before = np.prod(list(now.values()), axis=0).sum()
            now[name] = np.array(END[name])
            expected[name] += (np.prod(list(now.values()), axis=0).sum() - before) / len(orders)
    effects = das_gupta(START, END)
    assert {name: float(effect) for name, effect in effects.items()} == pytest.approx(expected)


def test_lmdi_is_the_line_integral_along_constant_growth():
    start, end = ({name: np.array(part) for name, part in period.items()} for period in (START, END))
    before, after = (np.prod(list(period.values()), axis=0) for period in (start, end))
    area = [quad(lambda t, a=a, b=b: a ** (1 - t) * b**t, 0, 1)[0] for a, b in zip(before, after, strict=True)]
    expected = [(area * np.log(end[name] / start[name])).sum() for name in start]
    np.testing.assert_allclose(values(lmdi(START, END)), expected)


@pytest.mark.parametrize("method", [das_gupta, lmdi])
def test_regions_keep_their_shape_and_a_missing_region_does_not_affect_others(method):
    price = np.array([[10.0, 12.0, 9.0], [10.0, np.nan, 9.0]])
    effects = method({**START, "price": price}, END)
    alone = method(START, END)
    for name in START:
        assert effects[name].shape == (2,) and np.isnan(effects[name][1])
        np.testing.assert_allclose(effects[name][0], alone[name])


@pytest.mark.parametrize("method", [das_gupta, lmdi])
def test_a_factor_per_region_combines_with_factors_per_cell(method):
    start, end = {"persons": [100.0], "euros": [1.0, 2.0]}, {"persons": [120.0], "euros": [1.5, 2.0]}
    assert sum(method(start, end).values()) == pytest.approx(120 * 3.5 - 100 * 3)


@pytest.mark.parametrize("method", [das_gupta, lmdi])
def test_a_price_without_volume_is_withheld_or_borrowed(method):
    start, end = {"volume": [0.0, 2.0], "price": [np.nan, 5.0]}, {"volume": [3.0, 2.0], "price": [7.0, 6.0]}
    assert np.isnan(values(method(start, end))).all()
    effects = method(start, end, undefined="other_period")
    assert {name: float(effect) for name, effect in effects.items()} == pytest.approx({"volume": 21, "price": 2})


@pytest.mark.parametrize("method", [das_gupta, lmdi])
def test_a_missing_price_of_something_sold_is_never_borrowed(method):
    effects = method({"volume": [1.0], "price": [np.nan]}, {"volume": [3.0], "price": [7.0]}, undefined="other_period")
    assert np.isnan(values(effects)).all()


@pytest.mark.parametrize("method", [das_gupta, lmdi])
def test_a_cell_that_is_empty_in_both_periods_has_no_effect(method):
    never = {"volume": [0.0], "price": [np.nan]}
    assert (values(method(never, never, undefined="other_period")) == 0).all()


def test_das_gupta_withholds_where_a_mixture_of_periods_needs_an_unknown_price():
    start = {"share": [0.0], "volume": [2.0], "price": [np.nan]}
    end = {"share": [0.1], "volume": [0.0], "price": [np.nan]}
    assert np.isnan(values(das_gupta(start, end, undefined="other_period"))).all()


def test_lmdi_takes_the_limit_at_zero():
    start, end = (
        {"volume": [0.0, 2.0, 0.0], "price": [5.0, 4.0, 0.0]},
        {"volume": [3.0, 2.0, 6.0], "price": [7.0, 0, 5]},
    )
    exact = lmdi(start, end)
    # Cell 1 is new by volume (21), cell 2 lost its price (-8), cell 3 was 0 in both (30, divided equally).
    assert {name: float(effect) for name, effect in exact.items()} == {"volume": 36.0, "price": 7.0}
    # Convergence to the limit is logarithmic, so the replacement is extreme and the tolerance wide.
    nearly = [{name: np.maximum(part, 1e-150) for name, part in period.items()} for period in (start, end)]
    np.testing.assert_allclose(values(lmdi(*nearly)), values(exact), rtol=0.02)


def test_das_gupta_accepts_a_rate_that_is_not_a_product():
    effects = das_gupta(
        {"births": [19.4], "deaths": [10.8]},
        {"births": [23.7], "deaths": [9.5]},
        rate=lambda factors: (factors["births"] - factors["deaths"]).sum(axis=-1),
    )
    assert {name: float(effect) for name, effect in effects.items()} == pytest.approx({"births": 4.3, "deaths": 1.3})


def test_a_series_of_two_years_is_the_plain_decomposition():
    series = das_gupta_series({name: [START[name], END[name]] for name in START})
    np.testing.assert_allclose([part[1] - part[0] for part in series.values()], values(das_gupta(START, END)))


def test_regions_of_a_series_are_separate_and_a_missing_year_affects_one():
    rng = np.random.default_rng(3)
    factors = {name: rng.uniform(1, 2, (2, 4, 3)) for name in ("volume", "price")}
    alone = das_gupta_series({name: part[0] for name, part in factors.items()})
    factors["price"][1, 2, 0] = np.nan
    for name, part in das_gupta_series(factors).items():
        np.testing.assert_allclose(part[0], alone[name])
        assert np.isnan(part[1]).all()


def test_cross_classified_by_one_dimension_is_kitagawa():
    counts = np.array([50.0, 30, 20]), np.array([60.0, 50, 40])
    plain = kitagawa(START["units"], END["units"], counts[0] / 100, counts[1] / 150)
    crossed = cross_classified(START["units"], END["units"], *counts, dimensions=("age",))
    assert crossed["rate"] == pytest.approx(plain["rate"]) and crossed["age"] == pytest.approx(plain["composition"])


def test_cross_classified_by_three_dimensions_adds_up_with_an_empty_row():
    rng = np.random.default_rng(5)
    counts = rng.integers(1, 50, (2, 4, 3, 2, 2)).astype(float)
    counts[0, :, 1] = 0
    rates = rng.uniform(0, 9, counts.shape)
    effects = cross_classified(*rates, *counts, dimensions=("age", "sex", "segment"))
    crude = (rates * counts).sum(axis=(-3, -2, -1)) / counts.sum(axis=(-3, -2, -1))
    assert list(effects) == ["rate", "age", "sex", "segment"]
    np.testing.assert_allclose(sum(effects.values()), crude[1] - crude[0])


@pytest.mark.parametrize("counts", [[[4.0, 4.0], [0.0, np.nan]], [[0.0, 0.0], [0.0, 0.0]]], ids=["missing", "nobody"])
def test_cross_classified_has_no_shares_of_an_unknown_or_empty_population(counts):
    assert np.isnan(values(cross_classified([[1, 2], [3, 4]], 1.0, counts, 1.0, dimensions=("age", "sex")))).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kitagawa(1.0, 2.0, [50.0, 50.0], [40.0, 60.0]), "share_start must add to 1"),
        (lambda: kitagawa(1.0, 2.0, [0.5, 0.5], [0.4, 0.5]), "share_end must add to 1"),
        (lambda: kitagawa(1.0, 2.0, [1.5, -0.5], [0.4, 0.6]), "share_start must not be negative"),
        (lambda: das_gupta({"a": [1.0]}, {"b": [1.0]}), "must name the same factors"),
        (lambda: das_gupta({}, {}), "at least one"),
        (lambda: das_gupta({"a": 1.0}, {"a": 2.0}), "axis of cells"),
        (lambda: das_gupta({"a": [np.inf]}, {"a": [1.0]}), "infinite"),
        (lambda: das_gupta({"a": [1.0]}, {"a": [1.0]}, undefined="zero"), "undefined must be"),
        (lambda: das_gupta_series({"a": [1.0, 2.0]}), "axis of years"),
        (lambda: das_gupta_series({"a": [[1.0, 2.0]]}), "at least two years"),
        (
            lambda: cross_classified([1.0], [1.0], [-1.0], [1.0], dimensions=("age",)),
            "count_start must not be negative",
        ),
        (lambda: cross_classified([1.0], [1.0], [1.0], [1.0], dimensions=("age", "sex")), "cannot have the dimensions"),
        (lambda: lmdi({"a": [1.0]}, {"a": [-1.0]}), "a at the end must not be negative"),
    ],
)
def test_impossible_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
