"""What is expected of indicators, ``ind.*``: one suite for the tables of all of them, generated from their specs.

Not here: running it (``validation``). One table for all indicators takes a fraction of the time of a table each: an
expectation costs milliseconds, however few rows it looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import pandas as pd

from triple_aim.checks.suites import (
    PUBLISHED,
    TableExpectation,
    Where,
    at_least,
    complete_key,
    empty_in_key,
    in_range,
    in_set,
    not_null,
    unique,
)
from triple_aim.checks.validation import Finding, validate
from triple_aim.checks.verdicts import Verdict
from triple_aim.definitions import Spec
from triple_aim.indicators import TOO_FEW
from triple_aim.vocabulary import ALL, STATUSES, Severity
from triple_aim.warehouse import Warehouse, quoted

BY = "indicator_id"
KEY = ["source", "region_type", "region_code", "period", "sex", "age_group", "segment_type", "segment"]
COLUMNS = [*KEY, "value", "lower", "upper", "numerator", "status", "reason"]
#: Rows that expectations of range and change are about: the total, and its rows by sex and by age group.
UNSEGMENTED: Where = {"segment": (ALL,)}
#: A limit may be this much on the wrong side of its value: 100 percent is not always the same double twice.
ROUNDING = 1e-9


@dataclass(frozen=True)
class IndicatorRule:
    """One check of each indicator; ``words`` and ``severity`` say it of one spec, ``applies`` of which specs it is."""

    name: str
    words: Callable[[Spec], str]
    expectations: Callable[[Sequence[Spec], Where], list[TableExpectation]]
    severity: Callable[[Spec], Severity] = lambda spec: "critical"
    applies: Callable[[Spec], bool] = lambda spec: True


def indicator_verdicts(warehouse: Warehouse, specs: Sequence[Spec]) -> dict[str, list[Verdict]]:
    """Range, coverage, change, interval, status, uniqueness and additivity of indicators, by their ids."""
    if not specs:
        return {}
    rows = _rows(warehouse, specs)
    present = set(rows[BY].unique())
    with_rows = [spec for spec in specs if spec.id in present]
    findings = validate(rows, indicator_suite(with_rows), BY) if with_rows else []
    return {
        spec.id: [
            verdict
            for rule in RULES
            if rule.applies(spec)
            for verdict in _verdict(spec, rule, [f for f in findings if f.expectation.name == rule.name])
        ]
        if spec.id in present
        else [_no_source(spec)]
        for spec in specs
    }


def indicator_suite(specs: Sequence[Spec]) -> list[TableExpectation]:
    """The expectations of the tables of these indicators, laid one under the other."""
    suite = []
    for rule in RULES:
        for severity in get_args(Severity):
            chosen = [spec for spec in specs if rule.applies(spec) and rule.severity(spec) == severity]
            if not chosen:
                continue
            among: Where = {} if len(chosen) == len(specs) else {BY: [spec.id for spec in chosen]}
            for expectation in rule.expectations(chosen, among):
                suite.append(_part_of(expectation, rule.name, severity))
    return suite


def _part_of(expectation: TableExpectation, check: str, severity: Severity) -> TableExpectation:
    return TableExpectation(
        id=f"{check}:{severity}:{expectation.id}",
        type=expectation.type,
        words=expectation.words,
        severity=severity,
        arguments=expectation.arguments,
        where=expectation.where,
        check=check,
    )


def _rows(warehouse: Warehouse, specs: Sequence[Spec]) -> pd.DataFrame:
    """The rows of these indicators as their tables hold them, with the range that is expected of each."""
    columns = ", ".join(COLUMNS)
    selects = [f"select ? as {BY}, {columns}, {empty_in_key(KEY)} from ind.{quoted(spec.id)}" for spec in specs]
    rows = warehouse.frame(" union all ".join(selects), [spec.id for spec in specs])
    for end in ("min", "max"):
        limits = {spec.id: getattr(spec.expect.range, end) for spec in specs}
        rows[f"expected_{end}"] = rows[BY].map(limits).astype(float)
    return rows.assign(lowest=rows["lower"] - ROUNDING, highest=rows["upper"] + ROUNDING)


def _verdict(spec: Spec, rule: IndicatorRule, findings: Sequence[Finding]) -> list[Verdict]:
    """The verdict of one rule on one indicator, over the expectations it is made of; none where nothing is compared."""
    groups = [finding.groups[spec.id] for finding in findings if spec.id in finding.groups]
    if not groups and rule.name in PARTS:
        return []  # no total of it has parts
    subject = f"ind/{spec.id}"
    return [
        Verdict(
            f"{subject}:{rule.name}",
            subject,
            rule.words(spec),
            rule.severity(spec),
            max((checked for checked, _ in groups), default=0),
            sum(unexpected for _, unexpected in groups),
            next((finding.note for finding in findings if finding.note), ""),
        )
    ]


def _no_source(spec: Spec) -> Verdict:
    subject = f"ind/{spec.id}"
    return Verdict(f"{subject}:has_rows", subject, "at least one source was delivered", "warning", 0, 0, "no source")


def _change(specs: Sequence[Spec], among: Where) -> list[TableExpectation]:
    breaks = {spec.id: [item.from_ for item in spec.breaks if not item.comparable] for spec in specs}
    return [
        TableExpectation(
            "year",
            "expect_yearly_change_to_be_at_most",
            "no value without a segment changes in a year by more than its indicator expects",
            arguments={
                "column": "value",
                "period": "period",
                "series": [BY, *(name for name in KEY if name != "period")],
                "by": BY,
                "limits": {spec.id: _largest_change(spec) for spec in specs},
                "breaks": {name: years for name, years in breaks.items() if years},
            },
            where={**UNSEGMENTED, **among},
        )
    ]


def _largest_change(spec: Spec) -> float:
    """The largest change in a year that is expected; 0 where a spec expects nothing of it, which no rule reads."""
    return spec.expect.change.max or 0.0 if spec.expect.change else 0.0


def _parts(dimension: str, other: str) -> Callable[[Sequence[Spec], Where], list[TableExpectation]]:
    def expectations(specs: Sequence[Spec], among: Where) -> list[TableExpectation]:
        return [
            TableExpectation(
                "sum",
                "expect_parts_to_add_up",
                f"numerators by {dimension} add up to the total",
                arguments={
                    "column": "numerator",
                    "dimension": dimension,
                    "within": [BY, "source", "region_type", "region_code", "period"],
                    "others": [other, "segment"],
                    "by": BY,
                },
                where=among,
            )
        ]

    return expectations


PARTS = ("parts_by_sex", "parts_by_age_group")
RULES = (
    IndicatorRule(
        "unique",
        lambda spec: f"one row per {', '.join(KEY)}",
        lambda specs, among: [unique([BY, *KEY], where=among)],
    ),
    IndicatorRule(
        "key_is_complete",
        lambda spec: f"none of {', '.join(KEY)} is empty",
        lambda specs, among: [complete_key(f"none of {', '.join(KEY)} is empty")],
    ),
    IndicatorRule(
        "status",
        lambda spec: "every row has a status of the list",
        lambda specs, among: [in_set("status", STATUSES, where=among), not_null("status", where=among)],
    ),
    IndicatorRule(
        "value_when_published",
        lambda spec: "a published row has a value",
        lambda specs, among: [not_null("value", "a published row has a value", where={**PUBLISHED, **among})],
    ),
    IndicatorRule(
        "interval_holds_value",
        lambda spec: "the interval holds the value",
        lambda specs, among: [
            at_least("value", "lowest", "the value is not below its interval", where=among),
            at_least("highest", "value", "the value is not above its interval", where=among),
        ],
    ),
    IndicatorRule(
        "finite",
        lambda spec: "values are finite",
        lambda specs, among: [in_range("value", None, None, where=among)],
    ),
    IndicatorRule(
        "range",
        lambda spec: f"every value without a segment is between {spec.expect.range.min} and {spec.expect.range.max}",
        lambda specs, among: [
            at_least("value", "expected_min", "no value is below its range", where={**UNSEGMENTED, **among}),
            at_least("expected_max", "value", "no value is above its range", where={**UNSEGMENTED, **among}),
        ],
        lambda spec: spec.expect.range.severity,
    ),
    IndicatorRule(
        "coverage",
        lambda spec: f"at least {spec.expect.coverage.min:.0%} was delivered",
        lambda specs, among: [
            TableExpectation(
                "reason",
                "expect_column_values_to_not_match_regex",
                "no row is left out because too few municipalities delivered",
                arguments={"column": "reason", "regex": f"^{TOO_FEW}"},
                where=among,
            )
        ],
        lambda spec: spec.expect.coverage.severity,
        lambda spec: spec.expect.coverage.min is not None,
    ),
    IndicatorRule(
        "change",
        lambda spec: f"no value without a segment changes by a factor over {1 + _largest_change(spec):g} in a year",
        _change,
        lambda spec: spec.expect.change.severity if spec.expect.change else "warning",
        lambda spec: spec.expect.change is not None and spec.expect.change.max is not None,
    ),
    IndicatorRule(
        "parts_by_sex",
        lambda spec: "numerators by sex add up to the total",
        _parts("sex", "age_group"),
        applies=lambda spec: "sex" in spec.breakdowns,
    ),
    IndicatorRule(
        "parts_by_age_group",
        lambda spec: "numerators by age_group add up to the total",
        _parts("age_group", "sex"),
        applies=lambda spec: "age_group" in spec.breakdowns,
    ),
)
