"""Are the suites that ship made of what the contract promises, and of nothing but Great Expectations' own types?"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from great_expectations import expectations as gxe
from great_expectations.util import camel_to_snake

from tests.unit.cells import specs
from triple_aim import vocabulary
from triple_aim.checks.mart_suite import closed_lists, mart_suite, mart_verdicts, range_suite, suite_files
from triple_aim.checks.safe_suites import STAGES
from triple_aim.checks.verdicts import Verdict
from triple_aim.definitions.contracts import Mart
from triple_aim.definitions.programme import Programme, load_programme
from triple_aim.definitions.settings import load_project
from triple_aim.periods import FIRST_PERIOD
from triple_aim.warehouse.connection import open_warehouse

OWN_TYPES = {camel_to_snake(name) for name in dir(gxe) if name.startswith("Expect")}
ROW: dict[str, Any] = {
    "indicator_id": "mortality", "indicator_version": "2.0.0", "aim": "health", "source": "mortality",
    "region_type": "nl", "region_code": "NL01", "region_name": "Nederland", "division_year": 2024, "period": 2022,
    "sex": "all", "age_group": "all", "segment_type": "none", "segment": "all", "population": "residents",
    "value": 400.0, "lower": 380.0, "upper": 420.0, "numerator": 40.0, "denominator": 10000.0, "unit": "per 100,000",
    "status": "published", "reason": "", "coverage_share": 1.0, "comparator_value": 390.0, "comparator_lower": 385.0,
    "comparator_upper": 395.0, "difference": "not_compared", "judgement": "not_compared", "trend": "not_tested",
}  # fmt: skip
NUMBERS = [name for name, value in ROW.items() if isinstance(value, float) and name != "coverage_share"]


@lru_cache(maxsize=1)
def programme() -> Programme:
    return load_programme(load_project())


def mart(name: str) -> Mart:
    return next(mart for mart in programme().publication.marts if mart.name == name)


def values(**changes: object) -> pd.DataFrame:
    """A published and a withheld row of ``indicator_values``; ``changes`` are of the published one."""
    withheld = {**ROW, **dict.fromkeys(NUMBERS, np.nan), "region_code": "GG1", "status": "suppressed", "reason": "few"}
    return pd.DataFrame([{**ROW, **changes}, withheld])


def found(table: pd.DataFrame, rows: int | None = None) -> list[Verdict]:
    with open_warehouse(None) as warehouse:
        if rows is not None:
            warehouse.run(f"create table safe.indicator_values as select * from range({rows})")
        lists = closed_lists(programme(), programme().regions().types)
        return mart_verdicts(warehouse, mart("indicator_values"), table, lists)


def failing(verdicts: list[Verdict]) -> dict[str, int]:
    return {v.check_id.split(":", 1)[-1]: v.unexpected for v in verdicts if not v.is_passed}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, {}),
        ({"status": "hidden"}, {"status:values": 1}),
        ({"status": None}, {"status:required": 1}),
        ({"value": np.nan}, {"value:required": 1}),
        ({"status": "suppressed"}, {f"{name}:withheld": 1 for name in NUMBERS}),
        ({"indicator_id": "unheard_of"}, {"indicator_id:values": 1}),
        ({"indicator_version": "2"}, {"indicator_version:matches": 1}),
        ({"age_group": "old"}, {"age_group:matches": 1}),
        ({"period": 1980}, {"period:range": 1}),
        ({"coverage_share": 1.5}, {"coverage_share:range": 1}),
        ({"denominator": -1.0}, {"denominator:range": 1}),
        ({"value": np.inf, "upper": np.inf}, {"value:range": 1}),
        ({"value": 379.0}, {"value:at_least_lower": 1}),
        ({"value": 421.0}, {"upper:at_least_value": 1}),
        ({"region_code": "GG1"}, {"grain": 2}),
        ({"sex": "V"}, {}),
        ({"period": "2022"}, {"period:type": 1, "period:range": 2}),
    ],
)
def test_a_mart_is_held_to_what_its_contract_promises(changes: dict[str, object], broken: dict[str, int]) -> None:
    assert failing(found(values(**changes))) == broken


def test_a_mart_is_held_to_its_columns_and_to_the_rows_behind_the_gate() -> None:
    assert failing(found(values(), rows=2)) == {}
    assert failing(found(values(), rows=3)) == {"rows": 1}
    swapped = values()[[*list(ROW)[1:], "indicator_id"]]
    assert failing(found(swapped)) == {"columns": 1}
    assert failing(found(values().astype({"period": float}))) == {"period:type": 1}
    assert failing(found(values().iloc[:0]))["has_rows"] == 1


def test_what_is_only_likely_never_stops_a_publication() -> None:
    severities = {v.check_id.split(":", 1)[-1]: v.severity for v in found(values())}
    warnings = {name for name, severity in severities.items() if severity == "warning"}
    assert warnings == {name for name in severities if ":at_least_" in name}
    assert {expectation.severity for expectation in range_suite(specs().values())} == {"warning"}


def test_a_range_of_a_spec_is_about_the_totals_of_its_indicator() -> None:
    (expectation,) = range_suite([specs()["mortality"]])
    limits = specs()["mortality"].expect.range
    assert (expectation.arguments["min_value"], expectation.arguments["max_value"]) == (limits.min, limits.max)
    table = pd.concat([values(), values(indicator_id="other"), values(segment="part")], ignore_index=True)
    assert table[expectation.mask(table)]["indicator_id"].tolist() == ["mortality"]


def test_suites_that_ship_hold_nothing_of_ours_and_nothing_of_this_moment() -> None:
    rows = {mart.name: 5 for mart in programme().publication.marts}
    files = suite_files(programme(), rows)
    assert files == suite_files(programme(), rows)
    assert set(files) == {f"expectations/{name}.json" for name in [*rows, "indicator_ranges"]}
    for name, content in files.items():
        suite = json.loads(content)
        assert {e["type"] for e in suite["expectations"]} <= OWN_TYPES, name
        ids = [e["id"] for e in suite["expectations"]]
        assert len(set(ids)) == len(ids) and all(e["description"] and e["severity"] for e in suite["expectations"])
        assert suite["meta"] == {} and b"great_expectations_version" not in content


def test_every_column_of_every_mart_is_looked_at() -> None:
    lists = closed_lists(programme(), programme().regions().types)
    for each in programme().publication.marts:
        text = {e.arguments.get("column") for e in mart_suite(each, lists, 1)}
        unseen = {column.name for column in each.columns if column.type != "text"} - text
        assert not unseen, each.name


def test_the_closed_lists_of_the_contract_are_those_of_the_engine() -> None:
    lists = programme().publication.value_lists
    for name in ("Aim", "Polarity", "Population", "Severity", "Status", "Trend"):
        assert lists[name.lower()] == list(get_args(getattr(vocabulary, name))), name
    assert lists["stage"] == list(STAGES)
    period = next(column for column in mart("indicator_values").columns if column.name == "period")
    assert period.range and period.range.min == FIRST_PERIOD
