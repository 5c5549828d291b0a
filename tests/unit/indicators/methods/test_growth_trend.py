"""Does the trend of a cost use complete windows of years, and municipalities that report in all of them?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import HOSPITAL, cells, ggd_of, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.indicators.compute import indicator_rows

GGD = ggd_of("GM0034")
YEARS = tuple(range(2016, 2022))
BANDS = ("00-04", "40-44", "65-69", "90+")


def claims(growth: float = 1.1, periods: tuple[int, ...] = YEARS) -> Cells:
    euros = 1000 * growth ** np.arange(len(periods)).reshape(-1, 1, 1, 1)
    return cells({"insured_person_count": 100.0, "insured_years": 95.0, HOSPITAL: euros}, periods)


def trend(cube: Cells) -> pd.DataFrame:
    cubes = {"claims": cube, "vektis_open": cells({}, (), ())}
    rows = indicator_rows(specs()["zvw_cost_growth_trend"], cubes, regions(), tables())
    return rows[rows["region_code"] == GGD] if len(rows) else rows


def test_only_complete_windows_of_five_years_have_rows() -> None:
    rows = trend(claims())
    assert sorted(set(rows["period"])) == [2020, 2021]
    assert set(rows["segment"]) == {"all", "real", "standardised"}
    assert trend(claims(periods=(2016, 2017, 2018, 2020, 2021))).empty


def test_constant_growth_has_an_interval_of_width_zero() -> None:
    row = trend(claims()).query("segment == 'all' and period == 2021").iloc[0]
    assert [row["value"], row["lower"], row["upper"]] == pytest.approx([10.0] * 3)


def test_real_growth_corrects_for_the_price_index() -> None:
    index = np.array([tables().deflators["cpi"][year] for year in YEARS[-5:]])
    slope = np.polyfit(np.arange(5), np.log(1.1 ** np.arange(5) / index), 1)[0]
    row = trend(claims()).query("segment == 'real' and period == 2021").iloc[0]
    assert row["value"] == pytest.approx(100 * np.expm1(slope))


def test_a_municipality_that_misses_a_year_is_in_no_year_of_the_window() -> None:
    cube = claims()
    cube.sums[HOSPITAL][:, 0] *= 50
    for array in cube.sums.values():
        array[-2, 0] = np.nan
    row = trend(cube).query("segment == 'all' and period == 2021").iloc[0]
    assert row["value"] == pytest.approx(10.0) and row["reason"] == "rests on 5 of 6 municipalities"
