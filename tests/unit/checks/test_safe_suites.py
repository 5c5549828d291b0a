"""Does a row that is lost, doubled or shown although it is withheld fail behind the gate?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.cells import regions, specs
from triple_aim.checks.safe_suites import dictionary_verdicts, gate_verdicts, reconciliation_verdicts
from triple_aim.checks.verdicts import Verdict
from triple_aim.definitions.contracts import load_publication
from triple_aim.release.dictionary import dictionary_rows, headline_rows, region_rows
from triple_aim.warehouse.connection import Warehouse, open_warehouse

ROOT = Path(__file__).parents[3]


def failing(found: list[Verdict]) -> dict[str, int]:
    return {v.check_id.split(":", 1)[-1]: v.unexpected for v in found if not v.is_passed}


def protected(**changes: object) -> pd.DataFrame:
    """A published and a withheld row; ``changes`` are of the withheld one."""
    row = {
        "indicator_id": "mortality", "source": "mortality", "region_type": "nl", "region_code": "NL01", "period": 2022,
        "sex": "all", "age_group": "all", "segment_type": "none", "segment": "all", "value": 400.0, "lower": 380.0,
        "upper": 420.0, "numerator": 10.0, "denominator": 100.0, "comparator_value": 1.0, "comparator_lower": 1.0,
        "comparator_upper": 1.0, "status": "published", "reason": "",
    }  # fmt: skip
    withheld = {name: None if isinstance(value, float) else value for name, value in row.items()}
    withheld |= {"region_code": "GG1", "status": "suppressed", "reason": "too few"}
    return pd.DataFrame([row, {**withheld, **changes}])


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse(None) as opened:
        opened.create("ind.mortality", pd.DataFrame({"value": [1.0, 2.0]}))
        yield opened


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, {}),
        ({"value": 3.0}, {"withheld": 1}),
        ({"comparator_upper": 3.0}, {"withheld": 1}),
        ({"status": "hidden", "numerator": 3.0}, {"status": 1}),
        ({"reason": ""}, {"reason": 1}),
        ({"region_code": "NL01"}, {"grain": 2}),
        ({"sex": None}, {"key_is_complete": 1}),
    ],
)
def test_the_gate_is_held_to_what_it_withholds(
    warehouse: Warehouse, changes: dict[str, object], broken: dict[str, int]
) -> None:
    warehouse.create("safe.indicator_values", protected(**changes))
    assert failing(gate_verdicts(warehouse, {"mortality": specs()["mortality"]})) == broken


def test_a_row_that_did_not_reach_the_other_side_of_the_gate_is_missed(warehouse: Warehouse) -> None:
    warehouse.create("safe.indicator_values", protected().iloc[:1])
    assert failing(gate_verdicts(warehouse, {"mortality": specs()["mortality"]})) == {"rows": 1}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, {}),
        ({"stage": "lost"}, {"stage:values": 1}),
        ({"row_count": -1}, {"row_count:range": 1}),
        ({"reason": None}, {"key_is_complete": 1}),
        ({"stage": "staged"}, {"grain": 2}),
    ],
)
def test_the_ledger_is_held_to_its_grain_and_its_stages(
    warehouse: Warehouse, changes: dict[str, object], broken: dict[str, int]
) -> None:
    row = {"extract": "claims", "period": 2022, "supplier": "", "stage": "delivered", "reason": "all", "row_count": 5}
    warehouse.create("safe.reconciliation", pd.DataFrame([{**row, **changes}, {**row, "stage": "staged"}]))
    assert failing(reconciliation_verdicts(warehouse)) == broken


def test_the_dictionary_has_each_indicator_headline_and_region_once(warehouse: Warehouse) -> None:
    indicators, areas = dictionary_rows(specs()), region_rows(regions())
    warehouse.create("safe.indicators", indicators)
    warehouse.create("safe.headlines", headline_rows(load_publication(ROOT / "contracts")))
    warehouse.create("safe.regions", areas)
    assert failing(dictionary_verdicts(warehouse, specs())) == {}
    warehouse.create("safe.indicators", pd.concat([indicators, indicators.iloc[:1]]))
    warehouse.create("safe.headlines", pd.DataFrame({"headline": ["health"], "indicator_id": ["gone"]}))
    warehouse.create("safe.regions", pd.concat([areas, areas.iloc[:1]]))
    found = failing(dictionary_verdicts(warehouse, specs()))
    assert found == {"rows": 1, "indicators_grain": 2, "headlines": 1, "regions_grain": 2}
    warehouse.run("delete from safe.regions")
    assert failing(dictionary_verdicts(warehouse, specs()))["has_rows"] == 1
