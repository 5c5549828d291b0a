"""Does growth compare the right years and the right parts of the cost?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.cells import tables
from triple_aim.indicators.methods.growth import GrowthPlan, paired


def test_a_break_may_be_one_of_several_kinds_of_care() -> None:
    years = {
        kind: tables().first_years("series_breaks", "claims", kind) for kind in ("district_nursing", "mental_health")
    }
    assert years["district_nursing"] == [2015] and {2014, 2015, 2021, 2022} == set(years["mental_health"])
    assert tables().first_years("series_breaks", "survey", "mental_health") == []


def plan(base: int | None = None, first_years: dict[str, list[int]] | None = None) -> GrowthPlan:
    index = {2013: 90.0, 2014: 95.0, 2015: 100.0, 2017: 104.0}
    years = first_years or {"hospital": [], "nursing": []}
    return GrowthPlan(np.array([2013, 2014, 2015, 2017]), base, index, np.array([3.0, 1.0]), years)


def sums(per_year: np.ndarray, parts: np.ndarray) -> dict[str, np.ndarray]:
    """One region, one sex, two bands of ten insured years each; euros by band as (period, band)."""
    total = per_year.reshape(len(per_year), 1, 1, 2)
    return {
        "total": total,
        "parts": parts.reshape(len(parts), 1, 1, 1, 2),
        "exposure": np.full_like(total, 10.0),
        "persons": np.full_like(total, 10.0),
    }


EUROS = np.array([[100.0, 300], [110, 330], [150, 350], [200, 400]])
PARTS = np.array([[400.0, 0], [440, 0], [440, 60], [500, 100]])


def grown(chosen: GrowthPlan) -> dict[str, list[float]]:
    first, _ = paired(chosen.periods, chosen.base)
    growth = chosen.growth(sums(EUROS, PARTS), sums(EUROS[first], PARTS[first]))
    return {basis: values[:, 0].tolist() for basis, values in growth.items()}


def test_a_year_is_compared_with_the_previous_year_and_a_gap_has_no_growth() -> None:
    first, years = paired(plan().periods, None)
    assert years.tolist() == [0, 1, 1, 0]
    assert first[1:3].tolist() == [0, 1]
    nominal = grown(plan())["nominal"]
    assert np.isnan(nominal[0]) and np.isnan(nominal[3])
    assert nominal[1:3] == pytest.approx([0.1, 500 / 440 - 1])


def test_since_a_base_year_growth_is_compound_and_looks_forward_only() -> None:
    nominal = grown(plan(base=2014))["nominal"]
    assert np.isnan(nominal[:2]).all()
    assert nominal[2:] == pytest.approx([500 / 440 - 1, (600 / 440) ** (1 / 3) - 1])


def test_real_growth_corrects_for_the_price_index() -> None:
    assert grown(plan())["real"][1] == pytest.approx(1.1 * 90 / 95 - 1)


def test_a_part_with_a_new_definition_between_the_years_is_left_out() -> None:
    adjusted = grown(plan(first_years={"hospital": [], "nursing": [2015]}))["break_adjusted"]
    assert adjusted[1] == pytest.approx(0.1)  # before the break all parts count
    assert adjusted[2] == pytest.approx(0.0)  # hospital alone: 440 → 440
    since = grown(plan(base=2015, first_years={"hospital": [], "nursing": [2015]}))["break_adjusted"]
    assert since[3] == pytest.approx((600 / 500) ** 0.5 - 1)  # after the new definition the part counts again


def test_standardised_growth_uses_the_same_age_weights_in_both_years() -> None:
    level = (3 * EUROS[:, 0] + EUROS[:, 1]) / 40
    assert grown(plan())["standardised"][2] == pytest.approx(level[2] / level[1] - 1)


def test_a_year_without_a_price_index_has_no_real_growth() -> None:
    bare = GrowthPlan(np.array([2023, 2024]), None, {2023: 1.0}, np.array([1.0, 1.0]), {"hospital": [], "nursing": []})
    two = sums(EUROS[:2], PARTS[:2])
    growth = bare.growth(two, sums(EUROS[[0, 0]], PARTS[[0, 0]]))
    assert np.isnan(growth["real"][1, 0]) and growth["nominal"][1, 0] == pytest.approx(0.1)
