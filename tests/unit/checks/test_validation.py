"""Does Great Expectations answer without a value, and does what it cannot evaluate fail?"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from triple_aim.checks.suites import (
    TableExpectation,
    at_least,
    in_range,
    in_set,
    like,
    not_null,
    null,
    row_count,
    some_rows,
    unique,
)
from triple_aim.checks.validation import COUNTS, NOT_EVALUATED, YES_OR_NO, _counts_of, _runner, table_verdicts, validate

CANARY, NUMBER = "CANARY", 987654.321


def sound() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": ["a", "a", "b", "b"],
            "key": ["1", "2", "1", "2"],
            "status": ["published", "suppressed", "published", "published"],
            "value": [1.0, np.nan, 3.0, 4.0],
            "upper": [2.0, np.nan, 3.0, np.nan],
            "age": ["65-69", "90+", "all", "00-04"],
        }
    )


SHOWN = {"status": ["published"]}
SUITE = [
    unique(["group", "key"]),
    in_set("status", ["published", "suppressed"]),
    not_null("value", where=SHOWN),
    null("value", "withheld rows are empty", where={"status": ["suppressed"]}),
    in_range("value", 0, 10),
    at_least("upper", "value"),
    like("age", r"^(?:all|[0-9]{2}-[0-9]{2}|[0-9]{2}\+)$"),
    row_count(4),
    some_rows(),
    TableExpectation(
        "value:type",
        "expect_column_values_to_be_of_type",
        "value is a number",
        arguments={"column": "value", "type_": "float64"},
    ),
    TableExpectation(
        "columns",
        "expect_table_columns_to_match_ordered_list",
        "the columns are these",
        arguments={"column_list": list(sound().columns)},
    ),
]


def broken(**changes: list[Any]) -> pd.DataFrame:
    return sound().assign(**changes)


DAMAGE = [
    ("grain", broken(key=[CANARY, CANARY, "1", "2"]), 2),
    ("status:values", broken(status=["published", "suppressed", CANARY, "published"]), 1),
    ("value:required", broken(value=[1.0, np.nan, np.nan, 4.0]), 1),
    ("value:withheld", broken(value=[1.0, NUMBER, 3.0, 4.0], upper=[2.0, NUMBER, 3.0, 4.0]), 1),
    ("value:range", broken(value=[-NUMBER, np.nan, 3.0, 4.0]), 1),
    ("value:range", broken(value=[1.0, np.nan, np.inf, 4.0], upper=[2.0, np.nan, np.inf, 4.0]), 1),
    ("upper:at_least_value", broken(value=[2.5, np.nan, 3.0, 4.0]), 1),
    ("age:matches", broken(age=[CANARY, "90+", "all", "00-04"]), 1),
    ("rows", sound().iloc[:3], 1),
    ("has_rows", sound().iloc[:0], 1),
    ("value:type", broken(value=["1", "2", "3", "4"]), 1),
    ("columns", sound()[["key", "group", "status", "value", "upper", "age"]], 1),
]


def test_a_sound_table_meets_every_expectation() -> None:
    findings = validate(sound(), SUITE)
    assert {finding.expectation.id: finding.unexpected for finding in findings if finding.unexpected} == {}
    checked = {finding.expectation.id: finding.checked for finding in findings}
    assert (checked["grain"], checked["value:required"], checked["value:range"]) == (4, 3, 3)
    assert (checked["upper:at_least_value"], checked["value:withheld"], checked["rows"]) == (2, 1, 1)


@pytest.mark.parametrize(("name", "table", "count"), DAMAGE, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(DAMAGE)])
def test_each_kind_of_expectation_fails_on_a_table_that_is_wrong(name: str, table: pd.DataFrame, count: int) -> None:
    found = {finding.expectation.id: finding for finding in validate(table, SUITE)}
    assert found[name].unexpected == count


@pytest.mark.parametrize(("name", "table", "count"), DAMAGE, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(DAMAGE)])
def test_no_result_holds_a_value_of_a_row(name: str, table: pd.DataFrame, count: int) -> None:
    run = _runner(table)
    suite = [expectation for expectation in SUITE if len(table) or expectation.is_about_table]
    for result_format in (YES_OR_NO, COUNTS, _counts_of("group")):
        kept = {k: v for k, v in run(suite, result_format).items() if not k.endswith(("columns", "rows", "type"))}
        text = json.dumps(kept, default=str)
        assert CANARY not in text and str(NUMBER) not in text
        assert "exception" not in text


def test_counts_by_group_name_the_group_that_is_wrong_and_no_other() -> None:
    table = broken(status=[CANARY, "suppressed", CANARY, CANARY])
    (finding,) = validate(table, [in_set("status", ["published", "suppressed"])], by="group")
    assert finding.groups == {"a": (2, 1), "b": (2, 2)}
    (conditional,) = validate(broken(value=[1.0, np.nan, np.nan, 4.0]), [not_null("value", where=SHOWN)], by="group")
    assert conditional.groups == {"a": (1, 0), "b": (2, 1)}


def test_the_rows_we_count_are_those_that_great_expectations_counts() -> None:
    for expectation in SUITE:
        if expectation.is_about_table or "column_B" in expectation.arguments:  # of a pair it counts empty rows, too
            continue
        result = _runner(sound())([expectation], COUNTS)[expectation.id]
        skipped = 0 if expectation.type.endswith("_null") else result.get("missing_count", 0)
        assert int(expectation.mask(sound()).sum()) == result["element_count"] - skipped, expectation.id


def test_what_cannot_be_evaluated_fails_for_every_row_and_every_group() -> None:
    (finding,) = validate(sound(), [in_range("absent", 0, 1)], by="group")
    assert (finding.unexpected, finding.note) == (4, NOT_EVALUATED)
    assert finding.groups == {"a": (2, 2), "b": (2, 2)}
    (text,) = validate(broken(value=["x", "y", CANARY, "z"]), [in_range("value", 0, 1)])
    assert (text.unexpected, text.note) == (4, NOT_EVALUATED)


def test_a_configuration_that_is_refused_is_no_success() -> None:
    wrong = TableExpectation("odd", "expect_column_values_to_be_fine", "unknown", arguments={"column": "value"})
    with pytest.raises(Exception, match=r"expect_column_values_to_be_fine|refuses"):
        validate(sound(), [wrong])


def test_expectations_that_share_a_check_are_one_verdict_that_names_the_column() -> None:
    suite = [not_null("group", "no key is empty", check="key"), not_null("key", "no key is empty", check="key")]
    (verdict,) = table_verdicts("mart/x", broken(key=["1", None, None, "2"]), suite)
    assert (verdict.check_id, verdict.unexpected, verdict.note) == ("mart/x:key", 2, "key")
    assert verdict.expectation == "no key is empty" and verdict.severity == "critical"
