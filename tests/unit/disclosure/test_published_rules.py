"""Do the published rules say what the printed numbers are? The audit reads no other source.

Not here: what the audit concludes from them (``tests/unit/audit``).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from triple_aim.definitions import load_programme, load_project
from triple_aim.disclosure import protection_file


@pytest.fixture(scope="module")
def stated() -> dict[str, Any]:
    (content,) = protection_file(load_programme(load_project())).values()
    rules: dict[str, Any] = json.loads(content)
    return rules


def test_numbers_that_are_no_sums_of_a_year_have_no_kind(stated: dict[str, Any]) -> None:
    kinds = {
        name: {route["numerator_kind"] for route in routes.values()} for name, routes in stated["indicators"].items()
    }
    for name in ("zvw_cost_growth", "zvw_cost_change", "zvw_cost_completed", "cost_gini"):
        assert kinds[name] == {"none"}, name
    assert kinds["zvw_cost_standardised"] == {"magnitude"}
    assert kinds["readmission_30_days"] == {"events"}
    assert kinds["polypharmacy_65_plus"] == {"persons"}


def test_sources_of_the_same_persons_are_a_family(stated: dict[str, Any]) -> None:
    sources = stated["sources"]
    assert sources["claims_case_mix"]["family"] == sources["claims"]["family"] == "claims"
    # Persons whose neighbourhood has no status are not in it, so its totals are other numbers.
    assert (sources["claims_equity"]["family"], sources["claims_equity"]["part_of"]) == ("claims_equity", "claims")


def test_an_added_sum_has_a_name_of_its_own_and_the_parts_of_others(stated: dict[str, Any]) -> None:
    route = stated["indicators"]["cross_domain_cost_per_inhabitant"]["social_domain"]
    assert route["numerator"] == "amount_eur+zvw"
    same = {alias["column"]: alias["same_as"] for alias in stated["aliases"]}
    assert same["amount_eur+zvw[law=wmo]"] == same["amount_eur[law=wmo]"] == "cost_wmo_eur"
    assert "amount_eur+zvw[law=zvw]" not in same


def test_the_noise_of_amounts_hides_the_largest_person_by_more_than_a_tenth(stated: dict[str, Any]) -> None:
    noise = stated["magnitude_noise"]
    assert noise["adds_up"] and noise["share"] * noise["bound"] > 0.1
    assert stated["reconciliation"]["least"] == 10
