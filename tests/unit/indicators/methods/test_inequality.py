"""Do indices of inequality use the sums of each group, and count the persons of the smallest group?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import FLEVOLAND, cells, ggd_of, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.indicators.compute import indicator_rows
from triple_aim.stats.inequality import concentration_index, gini

GGD = ggd_of("GM0034")
QUINTILES = ["1", "2", "3", "4", "5", "unknown"]


def groups(values: list[float]) -> np.ndarray:
    return np.array(values).reshape(1, 1, 1, 1, -1)


def equity(**sums: object) -> Cells:
    given = {
        "insured_person_count": 100.0,
        "insured_years": 100.0,
        "diabetes_person_count": groups([12.0, 10, 8, 6, 4, 50]),
        "avoidable_admission_count": groups([60.0, 50, 40, 30, 20, 90]),
        "avoidable_admission_sumsq": groups([60.0, 50, 40, 30, 20, 90]),
        "avoidable_admission_person_count": groups([6.0, 5, 4, 3, 2, 9]),
        "amount_eur": groups([3000.0, 2500, 2000, 1500, 1000, 0]),
        "amount_eur_sumsq": 1e6,
        **sums,
    }
    return cells({name: np.asarray(array, float) for name, array in given.items()}, ses_quintile=QUINTILES)


def index_row(indicator: str, cube: Cells, source: str = "claims_equity") -> pd.Series:
    rows = indicator_rows(specs()[indicator], {source: cube}, regions(), tables())
    return rows[(rows["region_code"] == GGD) & (rows["sex"] == "all")].iloc[0]


def test_persons_without_quintile_count_in_no_group() -> None:
    share = np.array([0.12, 0.10, 0.08, 0.06, 0.04])
    wanted = concentration_index(share, 100.0, variance=share * (1 - share), correction="erreygers").value
    assert index_row("diabetes_concentration", equity())["value"] == pytest.approx(wanted.item())


def test_a_gradient_of_equal_steps_is_its_slope() -> None:
    row = index_row("avoidable_admissions_slope", equity())
    # Rates 0.6 to 0.2 at ridits 0.1 to 0.9, in every stratum and so in the standard.
    assert row["value"] == pytest.approx(-0.5 * 100_000)
    assert row["lower"] < row["value"] < row["upper"] < 0


def test_an_index_counts_the_persons_of_its_smallest_group() -> None:
    row = index_row("avoidable_admissions_slope", equity())
    strata = 3 * 2 * len(FLEVOLAND)  # bands from 15, sexes, municipalities
    assert row["persons"] == pytest.approx(100 * strata)
    assert row["cases"] == pytest.approx(2 * strata)


def test_cost_concentration_has_an_interval_from_the_spread_between_persons() -> None:
    row = index_row("cost_concentration", equity())
    assert row["value"] == pytest.approx(-0.2) and row["lower"] < -0.2 < row["upper"]


def test_gini_comes_from_classes_over_the_region() -> None:
    weights = np.array([1.0, 2, 3, 4, 5, 6]).reshape(1, 6, 1, 1, 1)
    persons, euros = groups([50.0, 40, 10]) * weights, groups([0.0, 1000, 3000]) * weights
    cube = cells(
        {"insured_person_count": persons, "amount_eur": euros},
        sexes=("all",),
        bands=("all",),
        cost_class=["a", "b", "c"],
    )
    row = index_row("cost_gini", cube, "claims_cost_classes")
    assert row["value"] == pytest.approx(gini([0.0, 1000, 3000], [50, 40, 10]).value.item()) == pytest.approx(0.775)
    assert row["persons"] == pytest.approx(100 * 21)
