"""Properties of roll-ups for any numbers: parts add up to the total, order and splits change nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.unit.cells import FLEVOLAND, regions
from triple_aim.cubes.cells import Cells, load_cells
from triple_aim.definitions.regions import Regions
from triple_aim.indicators.rollup import geography
from triple_aim.warehouse.connection import open_warehouse
from triple_aim.warehouse.sql_files import Query

LEVELS = ["municipality", "ggd_region", "zorgkantoor_region", "province", "nl"]
CODES = sorted(regions().names("municipality"))
SOME = CODES[::7]
counts = hnp.arrays(float, (2, len(SOME)), elements=st.integers(0, 10**9).map(float))
nonreporting_masks = hnp.arrays(bool, (2, len(SOME)))


def by_level(rolled: np.ndarray, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return {kind: rolled[:, frame["region_type"] == kind] for kind in LEVELS}


@given(counts, nonreporting_masks)
def test_the_regions_of_every_level_add_up_to_the_country(numbers: np.ndarray, nonreporting: np.ndarray) -> None:
    place = geography(regions(), LEVELS, SOME)
    levels = by_level(place.roll_up(np.where(nonreporting, np.nan, numbers)), place.frame)
    country = np.nan_to_num(levels.pop("nl")[:, 0])
    for parts in levels.values():
        assert np.array_equal(np.nansum(parts, axis=1), country)


@given(counts, nonreporting_masks)
def test_missing_is_never_zero_and_always_lowers_the_coverage(numbers: np.ndarray, nonreporting: np.ndarray) -> None:
    place = geography(regions(), LEVELS, SOME)
    known = np.where(nonreporting, np.nan, numbers + 1)[..., None]
    rolled, covered = place.roll_up(known)[..., 0], place.coverage(known, known)[..., 0]
    reported = ~nonreporting @ (place.municipal.T > 0) @ (place.within.T > 0)
    assert np.array_equal(~np.isnan(rolled), reported > 0)
    ever = ~nonreporting.all(axis=0)
    is_incomplete = (nonreporting & ever) @ (place.municipal.T > 0) @ (place.within.T > 0) > 0
    coverage = np.nan_to_num(covered, nan=1.0)
    assert (coverage[is_incomplete] < 1).all() and np.allclose(coverage[~is_incomplete], 1.0)


@given(counts, nonreporting_masks, st.integers(0, len(SOME) - 1))
def test_coverage_is_a_share(numbers: np.ndarray, nonreporting: np.ndarray, always_missing: int) -> None:
    place = geography(regions(), LEVELS, SOME)
    reported = np.where(nonreporting, np.nan, numbers)
    reported[:, always_missing] = np.nan
    covered = place.coverage(reported[..., None], numbers[..., None])
    assert ((covered >= 0) & (covered <= 1) | np.isnan(covered)).all()


@given(counts, st.floats(0.01, 0.99), st.integers(0, len(FLEVOLAND) - 1))
def test_dividing_a_municipality_changes_no_region_above_it(numbers: np.ndarray, share: float, which: int) -> None:
    """An old code divided over two municipalities of one region has the same weight in every larger region."""
    split = regions()
    heirs = {FLEVOLAND[which]: share, FLEVOLAND[(which + 1) % len(FLEVOLAND)]: 1 - share}
    divided: Regions = dataclasses.replace(split, recodings={**split.recodings, "GM8888": (2020, heirs)})
    value = numbers[:, :1]
    places = geography(split, LEVELS, [FLEVOLAND[which]]), geography(divided, LEVELS, ["GM8888"])
    whole, parts = (
        place.roll_up(value)[:, place.frame["region_type"].isin(["ggd_region", "province", "nl"])] for place in places
    )
    assert np.allclose(parts, whole, rtol=1e-12)


@given(counts, st.sets(st.sampled_from(LEVELS[:-1])))
def test_the_sums_of_a_region_are_bitwise_the_same_for_any_selection_of_levels(
    numbers: np.ndarray, levels: set[str]
) -> None:
    numbers = np.sqrt(numbers)  # fractions, which floats round
    every, some = geography(regions(), LEVELS, SOME), geography(regions(), [*levels, "nl"], SOME)
    both = every.frame["region_type"].isin([*levels, "nl"]).to_numpy()
    assert np.array_equal(every.roll_up(numbers)[:, both], some.roll_up(numbers), equal_nan=True)


@given(st.permutations(range(24)), hnp.arrays(int, 24, elements=st.integers(0, 1000)))
def test_the_order_of_rows_changes_nothing(order: list[int], numbers: np.ndarray) -> None:
    keys = [(p, c, s, b) for p in (2021, 2022) for c in FLEVOLAND[:3] for s in "FM" for b in ("00-04", "90+")]
    names = ["period", "municipality_code", "sex", "age_band"]
    rows = pd.DataFrame(keys, columns=names).assign(exclusion="none", visit_count=numbers)
    grain = (*names, "exclusion")
    query = Query("visits", "", "", grain, False, frozenset(), frozenset(), (*grain, "visit_count"))

    def read(frame: pd.DataFrame) -> Cells:
        with open_warehouse(None) as warehouse:
            warehouse.create("cube.visits", frame)
            return load_cells(warehouse, query)

    one, other = read(rows), read(rows.iloc[order])
    assert one.labels == other.labels
    assert np.array_equal(one.sums["visit_count"], other.sums["visit_count"])
    assert one.sums["visit_count"].sum() == numbers.sum()
