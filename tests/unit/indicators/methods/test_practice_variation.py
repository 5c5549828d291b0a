"""Is variation computed between the current municipalities of a region, and only if there are enough?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import FLEVOLAND, cells, ggd_of, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.indicators.compute import indicator_rows
from triple_aim.stats.variation import systematic_component

GGD = ggd_of("GM0034")
ADMITTED = np.array([120.0, 80, 100, 100, 140, 60])


def claims(codes: tuple[str, ...] = FLEVOLAND) -> Cells:
    admitted = ADMITTED[: len(codes)].reshape(1, -1, 1, 1)
    sums = {"hospital_admission_count": admitted, "hospital_admission_person_count": admitted / 2}
    return cells({**sums, "insured_person_count": 1000.0, "insured_years": 1000.0}, codes=codes)


def variation_row(cube: Cells) -> pd.Series:
    rows = indicator_rows(specs()["hospital_admission_variation"], {"claims": cube}, regions(), tables())
    return rows[rows["region_code"] == GGD].iloc[0]


def test_observed_is_compared_with_national_rates_by_age_and_sex() -> None:
    row = variation_row(claims())
    assert row["value"] == pytest.approx(systematic_component(8 * ADMITTED, np.full(6, 800.0)).item())
    assert row["cases"] == pytest.approx(8 * 30) and row["persons"] == pytest.approx(8000)


def test_four_municipalities_are_too_few() -> None:
    row = variation_row(claims(FLEVOLAND[:4]))
    assert row["status"] == "not_computed" and np.isnan(row["value"])
