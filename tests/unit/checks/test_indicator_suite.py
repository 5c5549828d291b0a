"""Does each expectation of indicators fail when a table is wrong, and for the indicator that is wrong alone?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import specs
from triple_aim.checks.indicator_suite import RULES, indicator_suite, indicator_verdicts
from triple_aim.checks.verdicts import Verdict
from triple_aim.definitions.specs import Expectation, Spec
from triple_aim.indicators.rows import NO_ROWS, TOO_FEW
from triple_aim.warehouse.connection import open_warehouse

SPEC, OTHER = "wmo_use", "municipal_cost_per_inhabitant"


def rows(**changes: object) -> pd.DataFrame:
    """Two years of one region, by sex, by age group and in total."""
    groups = [("all", "all", 200.0), ("F", "all", 100.0), ("M", "all", 100.0), ("all", "00-19", 20.0)]
    groups += [("all", "20-44", 180.0)]
    sound = pd.DataFrame(
        [
            {
                "source": "mortality", "region_type": "nl", "region_code": "NL01", "period": period, "sex": sex,
                "age_group": age_group, "segment_type": "none", "segment": "all", "value": 400.0, "lower": 380.0,
                "upper": 420.0, "numerator": numerator, "status": "published", "reason": "",
            }
            for period in (2021, 2022) for sex, age_group, numerator in groups
        ]
    )  # fmt: skip
    for column, value in changes.items():
        sound[column] = sound[column].astype(object) if value is None else sound[column]
        sound.loc[0, column] = value
    return sound


def verdicts(tables: dict[str, pd.DataFrame], asked: Sequence[Spec] | None = None) -> dict[str, list[Verdict]]:
    with open_warehouse(None) as warehouse:
        for name, table in tables.items():
            warehouse.create(f"ind.{name}", table)
        return indicator_verdicts(warehouse, asked or [specs()[name] for name in tables])


def failing(found: list[Verdict]) -> dict[str, int]:
    return {v.check_id.split(":")[-1]: v.unexpected for v in found if not v.is_passed}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, {}),
        ({"period": 2022}, {"unique": 2}),
        ({"region_code": None}, {"key_is_complete": 1}),
        ({"status": "fine"}, {"status": 1}),
        ({"status": None}, {"status": 1}),
        ({"value": np.nan}, {"value_when_published": 1}),
        ({"value": 430.0}, {"interval_holds_value": 1}),
        ({"value": 370.0}, {"interval_holds_value": 1}),
        ({"value": np.inf, "upper": np.inf}, {"finite": 1, "range": 1}),
        ({"value": 9e9, "upper": 9e9}, {"range": 1}),
        ({"value": -1.0, "lower": -1.0}, {"range": 1}),
        ({"status": "not_computed", "reason": TOO_FEW, "value": np.nan}, {"coverage": 1}),
        ({"numerator": 190.0}, {"parts_by_sex": 1, "parts_by_age_group": 1}),
    ],
)
def test_an_expectation_fails_for_the_indicator_that_is_wrong(
    changes: dict[str, object], broken: dict[str, int]
) -> None:
    found = verdicts({OTHER: rows(), SPEC: rows(**changes)})
    assert failing(found[OTHER]) == {}
    assert failing(found[SPEC]) == broken


def test_a_hundred_percent_may_differ_from_its_limit_by_a_rounding() -> None:
    close = rows(value=100.0, lower=90.0, upper=100.0 - 1e-12)
    assert "interval_holds_value" not in failing(verdicts({SPEC: close})[SPEC])


def test_every_check_says_how_many_rows_it_looked_at() -> None:
    found = {v.check_id.split(":")[-1]: v.checked for v in verdicts({SPEC: rows(value=np.nan, lower=np.nan)})[SPEC]}
    assert found["unique"] == found["status"] == found["value_when_published"] == 10
    assert found["interval_holds_value"] == found["finite"] == found["range"] == 9
    assert found["parts_by_sex"] == 2


def test_a_jump_between_years_fails_unless_a_break_was_declared() -> None:
    spec = specs()["zvw_cost_standardised"]
    assert spec.expect.change and 2022 in {item.from_ for item in spec.breaks if not item.comparable}
    jump = rows().query("sex == 'all' and age_group == 'all'").assign(value=[4000.0, 6000.0], lower=0.0, upper=1e4)
    declared, others = jump, jump.assign(period=[2017, 2018])
    fall = others.assign(value=[6000.0, 4000.0])
    gap = others.assign(period=[2017, 2019])
    assert "change" not in failing(verdicts({spec.id: declared})[spec.id])
    assert failing(verdicts({spec.id: others})[spec.id])["change"] == 1
    assert failing(verdicts({spec.id: fall})[spec.id])["change"] == 1
    assert "change" not in failing(verdicts({spec.id: gap})[spec.id])


def test_a_spec_decides_how_grave_a_value_out_of_range_is() -> None:
    spec = specs()[SPEC]
    strict = {"range": Expectation(max=1, severity="critical")}
    grave = spec.model_copy(update={"expect": spec.expect.model_copy(update=strict)})
    found = verdicts({SPEC: rows(), OTHER: rows(value=9e9, upper=9e9)}, [grave, specs()[OTHER]])
    assert [(v.severity, v.unexpected) for v in found[SPEC] if not v.is_passed] == [("critical", 10)]
    assert [(v.severity, v.unexpected) for v in found[OTHER] if not v.is_passed] == [("warning", 1)]


def test_a_range_is_of_every_row_without_a_segment_as_its_words_say() -> None:
    women = rows()
    women.loc[women["sex"].eq("F") & women["period"].eq(2021), ["value", "upper"]] = 9e9
    (in_range,) = (v for v in verdicts({SPEC: women})[SPEC] if v.check_id.endswith(":range"))
    assert in_range.unexpected == 1 and "every value without a segment" in in_range.expectation
    of_segment = women.assign(segment_type="law", segment=np.where(women["value"] > 1e9, "wmo", "all"))
    assert "range" not in failing(verdicts({SPEC: of_segment})[SPEC])


def test_an_indicator_nobody_delivered_is_a_remark_not_a_failure() -> None:
    found = verdicts({"smoking": NO_ROWS, SPEC: rows()})
    (remark,) = found["smoking"]
    assert (remark.severity, remark.unexpected, remark.note) == ("warning", 0, "no source")
    assert len(found[SPEC]) > 5
    (alone,) = verdicts({"smoking": NO_ROWS})["smoking"]
    assert alone == remark


def test_verdicts_do_not_depend_on_the_indicators_beside_them() -> None:
    wrong = rows(value=9e9, upper=9e9, numerator=1.0)
    assert verdicts({SPEC: wrong})[SPEC] == verdicts({OTHER: rows(), SPEC: wrong})[SPEC]


def test_ids_are_unique_and_severities_single() -> None:
    suite = indicator_suite(list(specs().values()))
    assert len({expectation.id for expectation in suite}) == len(suite)
    assert {expectation.name for expectation in suite} <= {rule.name for rule in RULES}
