"""Are cells combined correctly: filters, categories, regions, coverage?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.cells import FLEVOLAND, cells, ggd_of, regions, specs
from triple_aim.indicators.rollup import breakdown, by_category, divisible, geography, where

LEVELS = ["municipality", "ggd_region", "nl"]


def row(place, kind: str, code: str) -> int:  # type: ignore[no-untyped-def]
    frame = place.frame
    return int(np.flatnonzero((frame["region_type"] == kind) & (frame["region_code"] == code))[0])


def test_a_region_is_the_sum_of_its_municipalities_and_missing_is_not_zero() -> None:
    place = geography(regions(), LEVELS, list(FLEVOLAND))
    rolled = place.roll_up(np.array([[1.0, 2.0, 4.0, 8.0, np.nan, 0.0]]))
    ggd = row(place, "ggd_region", ggd_of("GM0034"))
    assert rolled[0, ggd] == 15
    assert rolled[0, place.country] == 15
    assert np.isnan(rolled[0, row(place, "municipality", "GM0303")])
    assert rolled[0, row(place, "municipality", "GM0995")] == 0
    assert "GM0014" not in set(place.frame["region_code"])  # the cells have no code of Groningen


def test_own_means_the_classifications_that_a_team_added() -> None:
    place = geography(regions(), ["municipality", "own", "nl"], list(FLEVOLAND))
    assert set(place.frame["region_type"]) == {"municipality", "nl"}


def test_coverage_uses_the_nearest_year_of_a_nonreporting_municipality() -> None:
    place = geography(regions(), LEVELS, list(FLEVOLAND))
    known = np.array([[60.0, 40, 0, 0, 0, 0], [np.nan, 40, 0, 0, 0, 0], [80, 40, 0, 0, 0, 0]])[..., None]
    covered = place.coverage(known, known)[:, row(place, "ggd_region", ggd_of("GM0034")), 0]
    assert covered == pytest.approx([1.0, 40 / 100, 1.0])  # 60 of the year before, not 80 of the year after
    alone = place.coverage(known, known)[:, row(place, "municipality", "GM0034"), 0]
    assert alone == pytest.approx([1.0, 0.0, 1.0])


def test_coverage_uses_the_denominator_of_municipalities_without_numerator() -> None:
    place = geography(regions(), LEVELS, list(FLEVOLAND))
    known = np.array([[70.0, 30, 0, 0, 0, 0]])[..., None]
    reported = np.where(known == 30, np.nan, known)
    assert place.coverage(reported, known)[0, place.country, 0] == pytest.approx(0.7)


def test_reporting_municipalities_are_counted_among_the_current_ones() -> None:
    place = geography(regions(), LEVELS, list(FLEVOLAND))
    reporting, municipalities = place.reporting_counts(np.array([[1.0, 2, 3, np.nan, 0, 6]]))
    ggd = row(place, "ggd_region", ggd_of("GM0034"))
    assert (reporting[0, ggd], municipalities[ggd]) == (4, 6)
    assert (reporting[0, place.country], municipalities[place.country]) == (4, 342)


def test_only_municipalities_that_reported_in_both_years_are_compared() -> None:
    place = geography(regions(), LEVELS, list(FLEVOLAND))
    now, before = np.array([[1.0, np.nan, 1, 1, 1, 1]]), np.array([[1.0, 1, np.nan, 1, 1, 1]])
    in_now, in_before = place.reporting_in_both(now, before)
    assert in_now.tolist() == [[True, False, False, True, True, True]]
    assert in_before.tolist() == [[True, False, False, True, True, True]]


def test_a_merged_municipality_is_compared_with_its_old_codes() -> None:
    # Brielle, Hellevoetsluis and Westvoorne became Voorne aan Zee (GM1992) in 2023.
    place = geography(regions(), LEVELS, ["GM0501", "GM0530", "GM0614", "GM1992"])
    now, before = np.array([[np.nan, np.nan, np.nan, 9.0]]), np.array([[1.0, 2, 3, np.nan]])
    in_now, in_before = place.reporting_in_both(now, before)
    assert in_now.tolist() == [[False, False, False, True]]
    assert in_before.tolist() == [[True, True, True, False]]


def test_an_age_filter_keeps_complete_bands_only() -> None:
    route = specs()["polypharmacy_65_plus"].compute[0]
    kept = where(cells({"senior_count": 1.0, "polypharmacy_count": 1.0}), route)
    assert kept.labels["age_band"] == ["65-69", "90+"]
    assert kept.sums["senior_count"].shape == (1, 6, 2, 2)


def test_each_cell_is_in_one_category_of_a_breakdown() -> None:
    some = cells({"n_count": np.arange(48).reshape(1, 6, 2, 4)})
    sums = some.flat("n_count")
    for dimension, labels in (
        ("none", ["all"]),
        ("sex", ["F", "M"]),
        ("age_group", ["00-19", "20-44", "65-74", "85+"]),
    ):
        split = breakdown(some, dimension)
        assert split.labels == labels
        assert by_category(sums, split.masks).sum() == sums.sum()


def test_a_cube_without_ages_cannot_be_broken_down_by_age() -> None:
    some = cells({"n_count": 1.0}, bands=("all",))
    assert divisible(some, "sex") and divisible(some, "none") and not divisible(some, "age_group")
