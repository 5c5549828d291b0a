"""Does each method of a spec call its statistic, with its unit and its interval?"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from triple_aim.definitions.specs import Compute
from triple_aim.explain.report import FORMULAS
from triple_aim.indicators.compute import ROUTE_BUILDERS
from triple_aim.indicators.estimators import METHODS, Sums, estimate
from triple_aim.stats import rates
from triple_aim.vocabulary import INTERVALS, TRAITS, Method


def route(method: str, **changes: object) -> Compute:
    plain = {"method": method, "cubes": ["claims"], "numerator": "n_sum", "denominator": "d_count"}
    return Compute.model_validate({**plain, **changes})


def test_every_method_that_computes_has_a_function() -> None:
    assert set(METHODS) == set(INTERVALS) - {"growth", "decomposition", "as_published"}
    assert set(FORMULAS) == set(INTERVALS) == set(TRAITS) == set(get_args(Method))


def test_a_method_weights_its_strata_exactly_if_its_spec_needs_a_standard_on_the_plain_route() -> None:
    for method, traits in TRAITS.items():
        assert (traits.strata == "own") == (method in ROUTE_BUILDERS or method == "as_published"), method
        if traits.strata != "own":
            assert (traits.strata == "weighted") == (traits.standard == "needed"), method


def test_a_delta_interval_is_that_of_the_mean_in_units_of_exposure() -> None:
    chosen = route("ratio", per=2, sumsq="q", persons="p", interval={"method": "delta"})
    given = {"numerator": 600.0, "denominator": 80.0, "sumsq": 9000.0, "persons": 100.0}
    result = estimate(chosen, Sums({name: np.array([value]) for name, value in given.items()}))
    person = rates.mean(600.0, 9000.0, 100.0)
    assert result.value == pytest.approx(2 * 600 / 80)
    assert result.upper - result.value == pytest.approx(2 * (person.upper - person.value) * 100 / 80)


def test_persons_among_persons_vary_less_than_counts_and_not_at_all_when_all_are_cases() -> None:
    def limits(method: str, count: np.ndarray) -> np.ndarray:
        given = {"numerator": count, "denominator": np.array([40.0, 60.0])}
        chosen = route("directly_standardised_rate", standard="esp2013", interval={"method": method})
        result = estimate(chosen, Sums(given), np.array([0.3, 0.7]))
        return np.array([result.value, result.lower, result.upper])

    count = np.array([20.0, 15.0])
    plain, binomial = limits("dobson", count), limits("dobson_binomial", count)
    share, weight = count / [40, 60], np.array([0.3, 0.7])
    ratio = np.sqrt((weight**2 * share * (1 - share) / [40, 60]).sum() / (weight**2 * share / [40, 60]).sum())
    assert binomial[0] == plain[0]
    assert (binomial[1:] - binomial[0]) / (plain[1:] - plain[0]) == pytest.approx([ratio, ratio])
    everybody = limits("dobson_binomial", np.array([40.0, 60.0]))
    assert everybody == pytest.approx([1.0, 1.0, 1.0], abs=1e-6)


@pytest.mark.parametrize("interval", [None, {"method": "delta"}])
def test_without_a_spread_there_is_no_interval(interval: dict[str, str] | None) -> None:
    columns = {"sumsq": "q", "persons": "p", "interval": interval} if interval else {}
    result = estimate(route("ratio", **columns), Sums({"numerator": np.array([6.0]), "denominator": np.array([3.0])}))
    assert result.value == [2.0] and np.isnan(result.lower).all() and np.isnan(result.upper).all()


def test_the_rest_is_the_total_less_the_region_and_a_region_without_data_subtracts_nothing() -> None:
    sums = Sums({"numerator": np.array([[3.0, np.nan, 10.0]])})
    assert sums.of(2).minus(sums).parts["numerator"].tolist() == [[7.0, 10.0, 0.0]]


def test_nothing_divided_by_nothing_is_missing() -> None:
    for method in ("crude_rate", "proportion", "ratio"):
        result = estimate(route(method), Sums({"numerator": np.zeros(1), "denominator": np.zeros(1)}))
        assert np.isnan(result.value).all(), method


def test_more_cases_than_persons_are_no_share() -> None:
    given = {"numerator": np.array([3.0, 5.0]), "denominator": np.array([4.0, 4.0])}
    result = estimate(route("proportion"), Sums(given))
    assert result.value[0] == 0.75 and np.isnan([result.value[1], result.lower[1], result.upper[1]]).all()


def test_a_rest_after_changes_is_one_that_persons_can_have() -> None:
    """With noise a stratum of a region can exceed that of the country, in each of its sums."""
    country = {"numerator": 5.0, "denominator": 3.0, "persons": 4.0, "sumsq": 9.0}
    for region in ({"denominator": 4.0}, {"persons": 5.0}, {"sumsq": 10.0}, {"numerator": 6.0}):
        exact = {name: np.array([[value, region.get(name, value - 1)]]) for name, value in country.items()}
        sums = Sums(exact, {"numerator": np.array([[3.0, 3.0]])})
        rest = {name: array[0, 1] for name, array in sums.of(0).minus(sums).parts.items()}
        assert min(rest.values()) >= 0
        assert (rest["sumsq"] > 0) == (rest["numerator"] > 0), rest
        assert rest["numerator"] == 0 or rest["sumsq"] * max(rest["persons"], 1) >= rest["numerator"] ** 2
        assert rest["denominator"] > 0 or rest["numerator"] == 0
