"""What holds of every indicator whatever the cube: sums, the comparator, missing data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.unit.cells import FLEVOLAND, cells, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.indicators.compute import indicator_rows

SHAPE = (2, 6, 2, 4)
steady = settings(derandomize=True, max_examples=25)
deaths = hnp.arrays(float, SHAPE, elements=st.integers(0, 500).map(float))
EMPTY = {"social_domain_panel": cells({}, (), ())}
silence = hnp.arrays(bool, SHAPE[:2])


def cube(numbers: np.ndarray, silent: np.ndarray) -> Cells:
    gone = silent[:, :, None, None]
    base = {"death_count": numbers, "resident_count": numbers + 100}
    return cells({name: np.where(gone, np.nan, array) for name, array in base.items()}, periods=(2021, 2022))


def made(numbers: np.ndarray, silent: np.ndarray) -> pd.DataFrame:
    cubes = {**EMPTY, "mortality": cube(numbers, silent)}
    rows = indicator_rows(specs()["crude_mortality"], cubes, regions(), tables())
    return rows[(rows["sex"] == "all") & (rows["age_group"] == "all")].set_index(
        ["region_type", "region_code", "period"]
    )


@steady
@given(deaths, silence)
def test_numerators_and_denominators_of_regions_add_up_to_the_country(numbers: np.ndarray, silent: np.ndarray) -> None:
    if silent.all():
        return
    sums = made(numbers, silent).groupby(["region_type", "period"])[["numerator", "denominator"]].sum()
    for kind in ("municipality", "ggd_region", "zorgkantoor_region", "province"):
        assert np.allclose(sums.loc[kind], sums.loc["nl"])


@steady
@given(deaths, silence)
def test_who_delivered_nothing_has_no_value_and_lowers_the_coverage(numbers: np.ndarray, silent: np.ndarray) -> None:
    if silent.all():
        return
    rows = made(numbers, silent)
    for number, code in enumerate(FLEVOLAND):
        for place, period in enumerate((2021, 2022)):
            if silent[:, number].all():
                assert ("municipality", code, period) not in rows.index
            elif silent[place, number]:
                row = rows.loc[("municipality", code, period)]
                assert row["status"] == "not_delivered" and pd.isna(row["value"]) and pd.isna(row["numerator"])
                assert rows.loc[("nl", "NL01", period), "coverage_share"] < 1 or silent[place].all()


@steady
@given(deaths)
def test_the_comparator_is_made_of_everyone_else(numbers: np.ndarray) -> None:
    rows = made(numbers, np.zeros(SHAPE[:2], bool))
    for number, code in enumerate(FLEVOLAND):
        others = np.delete(numbers[1], number, axis=0)
        rate = specs()["crude_mortality"].compute[0].per * others.sum() / (others + 100).sum()
        assert np.isclose(rows.loc[("municipality", code, 2022), "comparator_value"], rate)
    assert pd.isna(rows.loc[("nl", "NL01", 2022), "comparator_value"])


@steady
@given(deaths, st.floats(0.1, 50))
def test_a_rate_does_not_depend_on_how_many_there_are_of_everyone(numbers: np.ndarray, factor: float) -> None:
    quiet = np.zeros(SHAPE[:2], bool)
    base = cube(numbers, quiet)
    more = Cells(base.labels, {name: factor * array for name, array in base.sums.items()})
    one, other = (
        indicator_rows(specs()["crude_mortality"], {**EMPTY, "mortality": given_cells}, regions(), tables())["value"]
        for given_cells in (base, more)
    )
    assert np.allclose(one, other, equal_nan=True)
