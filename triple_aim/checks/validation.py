"""Running a suite on a table with Great Expectations: per expectation, how many rows were checked and how many failed.

Not here: which expectations there are, or where verdicts are kept. A result never holds a value: expectations answer
yes or no first, and those that fail run again for a count of rows, or of rows by group, such as an indicator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from triple_aim.checks.suites import TableExpectation
from triple_aim.checks.verdicts import Verdict

NOT_EVALUATED = "could not be evaluated"
YES_OR_NO = {"result_format": "BOOLEAN_ONLY"}
COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}


@dataclass(frozen=True)
class Finding:
    """What Great Expectations found of one expectation; ``groups`` has checked and unexpected of each group."""

    expectation: TableExpectation
    checked: int
    unexpected: int
    groups: Mapping[str, tuple[int, int]]
    note: str = ""


def validate(table: pd.DataFrame, expectations: Sequence[TableExpectation], by: str = "") -> list[Finding]:
    """Run expectations on a table; with ``by``, a column that names groups, also per group."""
    # An expectation about rows holds for a table without any; that there are rows is an expectation about the table.
    asked = [expectation for expectation in expectations if len(table) or expectation.is_about_table]
    run = _runner(table)
    answers = run([e for e in asked if not e.is_our_own], YES_OR_NO)
    counted = [e for e in asked if e.is_our_own or not answers.get(e.id, {}).get("success")]
    counts = run(counted, _counts_of(by) if by else COUNTS)
    in_question = {expectation.id for expectation in counted}
    findings = []
    for expectation in expectations:
        result = counts.get(expectation.id, {})
        if expectation.id not in in_question:
            findings.append(_met(table, expectation, by))
        elif not result.get("is_evaluated"):
            findings.append(_not_evaluated(table, expectation, by))
        else:
            findings.append(_counted(table, expectation, result, by))
    return findings


def table_verdicts(subject: str, table: pd.DataFrame, expectations: Sequence[TableExpectation]) -> list[Verdict]:
    """The verdicts on one table, one a check; where a check is several expectations, the note names the columns."""
    checks: dict[str, list[Finding]] = {}
    for finding in validate(table, expectations):
        checks.setdefault(finding.expectation.name, []).append(finding)
    return [_verdict(subject, name, findings) for name, findings in checks.items()]


def _verdict(subject: str, name: str, findings: Sequence[Finding]) -> Verdict:
    first, failed = findings[0].expectation, [finding for finding in findings if finding.unexpected]
    notes = [finding.note for finding in failed if finding.note][:1]
    if len(findings) > 1:
        notes += [", ".join(str(finding.expectation.arguments["column"]) for finding in failed)]
    return Verdict(
        f"{subject}:{name}",
        subject,
        first.words,
        first.severity,
        max(finding.checked for finding in findings),
        sum(finding.unexpected for finding in findings),
        ": ".join(filter(None, notes)),
    )


def _counts_of(by: str) -> dict[str, Any]:
    """A format that lists the group of each row that failed, and neither its values nor its place."""
    return {
        "result_format": "COMPLETE",
        "partial_unexpected_count": 0,
        "include_unexpected_rows": False,
        "return_unexpected_index_query": False,
        "exclude_unexpected_values": True,
        "unexpected_index_column_names": [by],
    }


def _runner(table: pd.DataFrame) -> Callable[[Sequence[TableExpectation], Mapping[str, Any]], dict[str, Any]]:
    """What runs expectations on one table and gives the result of each by its id."""
    from great_expectations import ExpectationSuite
    from great_expectations.validator.v1_validator import Validator

    # One validator, as a batch makes one for each suite: it reads the table, and takes a hash of it, once.
    validator = Validator(batch_definition=_batches(), batch_parameters={"dataframe": table})

    def run(expectations: Sequence[TableExpectation], result_format: Mapping[str, Any]) -> dict[str, Any]:
        if not expectations:
            return {}
        suite = ExpectationSuite(name="table", expectations=[e.configuration() for e in expectations])
        if len(suite.expectations) != len(expectations):  # it logs one that it cannot read, and goes on without it
            raise ValueError("Great Expectations refuses the configuration of an expectation")
        validator.result_format = dict(result_format)
        return {
            result.expectation_config.id: {
                "success": bool(result.success),
                "is_evaluated": not _raised(result.exception_info),
                **(result.result or {}),
            }
            for result in validator.validate_expectation_suite(suite).results
        }

    return run


def _raised(information: Mapping[str, Any] | None) -> bool:
    """Whether an expectation raised; its message may quote a value, so nobody reads it."""
    if not information:
        return False
    if "raised_exception" in information:
        return bool(information["raised_exception"])
    return any(entry.get("raised_exception") for entry in information.values())


def _met(table: pd.DataFrame, expectation: TableExpectation, by: str) -> Finding:
    """An expectation that holds for every row it is about."""
    if expectation.is_about_table:
        return Finding(expectation, 1, 0, {})
    mask = expectation.mask(table) if len(table) else np.zeros(0, dtype=bool)
    groups = {name: (size, 0) for name, size in _sizes(table.loc[mask, by]).items()} if by else {}
    return Finding(expectation, int(mask.sum()), 0, groups)


def _counted(table: pd.DataFrame, expectation: TableExpectation, result: Mapping[str, Any], by: str) -> Finding:
    """An expectation with its counts, over all rows and by group."""
    if expectation.is_about_table:
        return Finding(expectation, 1, 1, {})
    if expectation.is_our_own:
        groups = {name: (checked, off) for name, (checked, off) in result["by_group"].items()}
        return Finding(expectation, result["element_count"], result["unexpected_count"], groups)
    unexpected = int(result.get("unexpected_count") or 0)
    if not unexpected:  # it does not hold, and cannot say for how many rows
        return _not_evaluated(table, expectation, by)
    mask, groups = expectation.mask(table), {}
    if by:
        off = Counter(name for listed in result["unexpected_index_list"] for name in listed[by])
        groups = {name: (size, off[name]) for name, size in _sizes(table.loc[mask, by]).items()}
    return Finding(expectation, int(mask.sum()), unexpected, groups)


def _not_evaluated(table: pd.DataFrame, expectation: TableExpectation, by: str) -> Finding:
    """An expectation that cannot be evaluated holds for nothing."""
    groups = {name: (count, count) for name, count in _sizes(table[by]).items()} if by else {}
    return Finding(expectation, max(len(table), 1), max(len(table), 1), groups, NOT_EVALUATED)


def _sizes(groups: pd.Series[str]) -> dict[str, int]:
    return {str(name): int(count) for name, count in groups.value_counts().items()}


@lru_cache(maxsize=1)
def _batches() -> Any:
    """Where Great Expectations finds a table; made once a process, for making it costs more than a suite does."""
    import great_expectations as gx

    from triple_aim.checks import named_expectations  # noqa: F401  (registers them)

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("whole")
