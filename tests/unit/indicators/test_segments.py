"""Does each segment use its own squares and persons, and the total those of the total?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.cells import FLEVOLAND, cells, regions, specs, tables
from triple_aim.indicators.compute import indicator_rows
from triple_aim.indicators.numerators import part_columns
from triple_aim.vocabulary import part


@pytest.mark.parametrize(
    ("axis", "member", "name"),
    [("law", "wmo", "client_count[law=wmo]"), ("law", "all", "client_count"), (None, "all", "client_count")],
)
def test_a_part_has_a_name_and_the_total_keeps_its_own(axis: str | None, member: str, name: str) -> None:
    assert part("client_count", axis, member) == name


def test_parts_are_found_by_sum_and_axis_in_the_order_in_which_they_add_up() -> None:
    names = (
        "amount_eur",
        "amount_eur[law=wmo]",
        "amount_eur[law=jeugdwet]",
        "amount_eur[kind=wmo]",
        "x_amount_eur[law=a]",
    )
    assert list(part_columns("amount_eur", "law", cells(dict.fromkeys(names, np.array(1.0)))).items()) == [
        ("jeugdwet", "amount_eur[law=jeugdwet]"),
        ("wmo", "amount_eur[law=wmo]"),
    ]


def test_segments_have_their_own_squares_and_persons() -> None:
    # Everybody with COPD comes twice, everybody with asthma once; the same persons have both.
    ends = ("count", "sumsq", "person_count")
    given = {"copd": (4.0, 8.0, 2.0), "asthma": (4.0, 4.0, 4.0), "all": (8.0, 20.0, 4.0)}
    sums = {"insured_years": np.array(100.0), "insured_person_count": np.array(100.0)}
    for member, numbers in given.items():
        columns = [part(f"avoidable_admission_{end}", "condition", member) for end in ends]
        sums |= {column: np.array(number) for column, number in zip(columns, numbers, strict=True)}
    cube = cells(sums, bands=("15-19", "40-44", "65-69", "90+"))
    rows = indicator_rows(specs()["avoidable_admissions"], {"claims": cube}, regions(), tables())
    here = rows[(rows["region_code"] == FLEVOLAND[0]) & (rows["sex"] == "all")].set_index("segment")
    assert here["numerator"].to_dict() == {"all": 64.0, "asthma": 32.0, "copd": 32.0}
    assert here["cases"].to_dict() == {"all": 32.0, "asthma": 32.0, "copd": 16.0}
    width = (here["upper"] - here["lower"]).to_dict()
    assert width["copd"] == pytest.approx(width["asthma"] * np.sqrt(2))
    assert width["all"] > width["copd"]
