"""Generates the page ``docs/reference/checks.md`` and the allowed values of mart columns, from the rules and suites.

Not here: the other pages of the reference (``pages``).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

from triple_aim import checks
from triple_aim.checks import TableExpectation
from triple_aim.definitions import MartColumn, Programme, Regions, Spec
from triple_aim.reference_docs.markdown import bound, head, table

COUNTED = {
    "deliveries": checks.extract_verdicts,
    "files": checks.delivery_verdicts,
    "ledger": checks.ledger_verdicts,
    "tables of persons": checks.person_verdicts,
    "parts of cubes": checks.part_verdicts,
    "municipalities of cubes": checks.municipality_verdicts,
    "regions": checks.region_verdicts,
}
HEADER = ("check", "what is expected", "severity", "expectation type")


def checks_page(programme: Programme, regions: Regions) -> Iterator[str]:
    """The lines of the page."""
    yield from head("Checks", "The expectations for every table of a run, and the effect of a failure.")
    yield from (
        "A critical check that fails stops the run with exit code 13, and the current release stays. A warning never",
        "stops a run; it is published. The verdict of every check is in the mart [checks](marts.md#checks) and on the",
        "page `checks.html` of a release.",
        "",
        "Below the cubes, where rows are of persons, the engine counts the rows that break a rule. From the cubes up,",
        "Great Expectations validates the tables. Its results hold counts, never a value of a row. The suites of the",
        "marts are in each release; [validate a release](../how-to/validate-a-release.md) shows how to use them.",
        "",
        "## Counted by the engine",
        "",
    )
    yield from table(("of", "what is expected"), ((of, inspect.getdoc(rule) or "") for of, rule in COUNTED.items()))
    yield from (
        "## Before a delivery is accepted",
        "",
        "A delivery with more invalid rows than its tolerance is refused.",
        "",
    )
    yield from table(
        ("extract", "rows that may be set aside", "rules across columns"),
        (
            (c.extract, f"{c.set_aside.max_share:.1%}", ", ".join(rule.id for rule in c.rules))
            for c in programme.contracts.values()
        ),
    )
    yield from ("## Cubes", "", "One suite for all tables `cube.*`; a check is named `cube/<cube>:<check>`.", "")
    yield from _suite(checks.cube_suite())
    yield from (
        "## Indicators",
        "",
        "One suite for the tables `ind.*` of an aim; a check is named `ind/<indicator>:<check>`. The spec sets the",
        "severity of a failure of range, coverage or change. `expect_parts_to_add_up` and",
        "`expect_yearly_change_to_be_at_most` are expectations of this project and are not in the release.",
        "",
    )
    yield from _suite(checks.indicator_suite(list(programme.specs.values())))
    yield from _expected(programme.specs.values())
    yield from (
        "## Behind the disclosure gate",
        "",
        "The tables `safe.*`; a check is named `safe/<table>:<check>`.",
        "",
    )
    yield from _suite(checks.gate_suite(0))
    yield from _suite(checks.reconciliation_suite())
    for suite in checks.dictionary_suites(list(programme.specs)).values():
        yield from _suite(suite)
    yield from (
        "## Marts",
        "",
        "One suite per mart, which is in the release; a check is named `mart/<mart>:<check>`.",
        "",
    )
    values = checks.closed_lists(programme, regions.types)
    for mart in programme.publication.marts:
        yield from (f"### {mart.name}", "")
        yield from _suite(checks.mart_suite(mart, values))
    yield from (
        f"The suite `{checks.RANGES}` is in the release too: the range in the spec of each indicator, for the total in",
        "`indicator_values`. A run checks the same ranges before the gate.",
        "",
    )


def _suite(suite: Iterable[TableExpectation]) -> Iterator[str]:
    """The checks of a suite, each with the types of its expectations."""
    by_check: dict[str, list[TableExpectation]] = {}
    for expectation in suite:
        by_check.setdefault(expectation.name, []).append(expectation)
    yield from table(
        HEADER,
        (
            (
                f"`{name}`",
                "; ".join(dict.fromkeys(e.words for e in expectations)),
                ", ".join(dict.fromkeys(e.severity for e in expectations)),
                ", ".join(dict.fromkeys(f"`{e.type}`" for e in expectations)),
            )
            for name, expectations in by_check.items()
        ),
    )


def _expected(specs: Iterable[Spec]) -> Iterator[str]:
    yield from ("### What each spec expects", "")
    yield from table(
        ("indicator", "range of the total", "minimum coverage", "maximum change in a year"),
        (
            (
                spec.id,
                f"{bound(spec.expect.range.min)} to {bound(spec.expect.range.max)} ({spec.expect.range.severity})",
                f"{spec.expect.coverage.min or 0:.0%} ({spec.expect.coverage.severity})",
                f"{spec.expect.change.max or 0:.0%} ({spec.expect.change.severity})" if spec.expect.change else "",
            )
            for spec in specs
        ),
    )


def allowed_values(column: MartColumn) -> str:
    """The allowed values of a mart column in words."""
    limits = column.range
    parts = {
        f"empty unless `{column.shown_by}` is published or provisional": column.shown_by,
        "then never empty" if column.shown_by else "never empty": column.required,
        f"one of the list `{column.values}`": column.values,
        f"of the form `{column.matches}`": column.matches,
        _range(column): limits is not None,
        f"not below `{column.at_least}`": column.at_least,
    }
    return "; ".join(words for words, applies in parts.items() if applies)


def _range(column: MartColumn) -> str:
    limits = column.range
    if limits is None or (limits.min is None and limits.max is None):
        return "finite"
    if limits.max is None:
        return f"at least {limits.min:g}"
    return f"at most {limits.max:g}" if limits.min is None else f"{limits.min:g} to {limits.max:g}"
