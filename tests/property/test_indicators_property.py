"""Properties of every indicator, for any cube: sums, the comparator, missing data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.unit.cells import FLEVOLAND, cells, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.indicators.compute import indicator_rows

SHAPE = (2, 6, 2, 4)
deaths = hnp.arrays(float, SHAPE, elements=st.integers(0, 500).map(float))
EMPTY = {"social_domain_panel": cells({}, (), ())}
nonreporting_masks = hnp.arrays(bool, SHAPE[:2])


def cube(numbers: np.ndarray, nonreporting: np.ndarray) -> Cells:
    missing = nonreporting[:, :, None, None]
    base = {"death_count": numbers, "resident_count": numbers + 100}
    return cells({name: np.where(missing, np.nan, array) for name, array in base.items()}, periods=(2021, 2022))


def total_rows(numbers: np.ndarray, nonreporting: np.ndarray) -> pd.DataFrame:
    cubes = {**EMPTY, "mortality": cube(numbers, nonreporting)}
    rows = indicator_rows(specs()["crude_mortality"], cubes, regions(), tables())
    return rows[(rows["sex"] == "all") & (rows["age_group"] == "all")].set_index(
        ["region_type", "region_code", "period"]
    )


@given(deaths, nonreporting_masks)
def test_numerators_and_denominators_of_regions_add_up_to_the_country(
    numbers: np.ndarray, nonreporting: np.ndarray
) -> None:
    if nonreporting.all():
        return
    sums = total_rows(numbers, nonreporting).groupby(["region_type", "period"])[["numerator", "denominator"]].sum()
    for kind in ("municipality", "ggd_region", "zorgkantoor_region", "province"):
        assert np.allclose(sums.loc[kind], sums.loc["nl"])


@given(deaths, nonreporting_masks)
def test_a_nonreporting_municipality_has_no_value_and_lowers_the_coverage(
    numbers: np.ndarray, nonreporting: np.ndarray
) -> None:
    if nonreporting.all():
        return
    rows = total_rows(numbers, nonreporting)
    for number, code in enumerate(FLEVOLAND):
        for place, period in enumerate((2021, 2022)):
            if nonreporting[:, number].all():
                assert ("municipality", code, period) not in rows.index
            elif nonreporting[place, number]:
                row = rows.loc[("municipality", code, period)]
                assert row["status"] == "not_delivered" and pd.isna(row["value"]) and pd.isna(row["numerator"])
                assert rows.loc[("nl", "NL01", period), "coverage_share"] < 1 or nonreporting[place].all()


@given(deaths)
def test_the_comparator_is_the_rest_of_the_country(numbers: np.ndarray) -> None:
    rows = total_rows(numbers, np.zeros(SHAPE[:2], bool))
    for number, code in enumerate(FLEVOLAND):
        others = np.delete(numbers[1], number, axis=0)
        rate = specs()["crude_mortality"].compute[0].per * others.sum() / (others + 100).sum()
        assert np.isclose(rows.loc[("municipality", code, 2022), "comparator_value"], rate)
    assert pd.isna(rows.loc[("nl", "NL01", 2022), "comparator_value"])


@given(deaths, st.floats(0.1, 50))
def test_a_rate_does_not_depend_on_the_size_of_the_population(numbers: np.ndarray, factor: float) -> None:
    all_reporting = np.zeros(SHAPE[:2], bool)
    base = cube(numbers, all_reporting)
    more = Cells(base.labels, {name: factor * array for name, array in base.sums.items()})
    one, other = (
        indicator_rows(specs()["crude_mortality"], {**EMPTY, "mortality": given_cells}, regions(), tables())["value"]
        for given_cells in (base, more)
    )
    assert np.allclose(one, other, equal_nan=True)
