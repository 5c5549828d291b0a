"""Does each member of a family rest on its own spread and its own persons, and the total on those of the total?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.cells import FLEVOLAND, cells, regions, specs, tables
from triple_aim.definitions.specs import of_member
from triple_aim.indicators.compute import indicator_rows

COUNT = "{condition}_avoidable_admission_count"


@pytest.mark.parametrize(
    ("columns", "family", "member", "column"),
    [
        (COUNT, "condition", "copd", "copd_avoidable_admission_count"),
        (COUNT, "condition", "all", "avoidable_admission_count"),
        ("user_{care_kind}_count", "care_kind", "dental", "user_dental_count"),
        ("user_{care_kind}_count", "care_kind", "all", "user_count"),
        ("cost_sumsq", "care_kind", "dental", "cost_sumsq"),
        ("cost_sumsq", None, "all", "cost_sumsq"),
    ],
)
def test_the_column_of_a_member(columns: str, family: str | None, member: str, column: str) -> None:
    assert of_member(columns, family, member) == column


def test_members_have_a_spread_and_persons_of_their_own() -> None:
    # Everybody with COPD comes twice, everybody with asthma once; the same persons have both.
    ends = ("count", "sumsq", "person_count")
    given = {"copd_": (4.0, 8.0, 2.0), "asthma_": (4.0, 4.0, 4.0), "": (8.0, 20.0, 4.0)}
    sums = {"insured_years": np.array(100.0), "insured_person_count": np.array(100.0)}
    for member, numbers in given.items():
        columns = [f"{member}avoidable_admission_{end}" for end in ends]
        sums |= {column: np.array(number) for column, number in zip(columns, numbers, strict=True)}
    cube = cells(sums, bands=("15-19", "40-44", "65-69", "90+"))
    rows = indicator_rows(specs()["avoidable_admissions"], {"claims": cube}, regions(), tables())
    here = rows[(rows["region_code"] == FLEVOLAND[0]) & (rows["sex"] == "all")].set_index("segment")
    assert here["numerator"].to_dict() == {"all": 64.0, "asthma": 32.0, "copd": 32.0}
    assert here["cases"].to_dict() == {"all": 32.0, "asthma": 32.0, "copd": 16.0}
    width = (here["upper"] - here["lower"]).to_dict()
    assert width["copd"] == pytest.approx(width["asthma"] * np.sqrt(2))
    assert width["all"] > width["copd"]
