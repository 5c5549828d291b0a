"""How the audit prints what it found: a table per door, the first cells behind each, and the error.

Not here: the audit (``triple_aim.audit``). Neither shows a number of a release, only widths of intervals.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table

from triple_aim.errors import DisclosureError

if TYPE_CHECKING:
    from rich.console import Console

    from triple_aim.audit import Finding, Report

#: Cells that are printed behind each door; the JSON has all.
FIRST = 5
#: Cells that the error names.
NAMED = 3


def print_report(console: Console, report: Report) -> None:
    """Print the doors, and the first cells behind those that are open."""
    summary = Table("door", "cells", title=f"{report.examined:,} withheld or small cells", title_justify="left")
    for door, count in report.by_door().items():
        summary.add_row(door, f"{count:,}" if count else "closed")
    console.print(summary)
    if report.findings:
        table = Table("door", "what a reader learns", box=SIMPLE)
        table.add_column("indicator", overflow="fold")
        for name in ("region", "period", "persons", "width", "cells"):
            table.add_column(name)
        seen: Counter[str] = Counter()
        for finding in report.findings:
            seen[finding.door] += 1
            if seen[finding.door] <= FIRST:
                table.add_row(*_cells(finding))
        console.print(table)
    if report.is_safe and report.findings:
        console.print(f"up to {report.by_chance:,} such intervals are narrow by chance, so this is no fault")
    if report.contradictions:
        console.print(f"{report.contradictions:,} groups of numbers contradict each other; sums were left out of them")


def _cells(finding: Finding) -> list[str]:
    width = "" if finding.width is None else f"{finding.width:,.1f}"
    region, period = finding.region_code, str(finding.period or "")
    return [finding.door, finding.what, finding.indicator, region, period, finding.persons, width, f"{finding.count:,}"]


def as_dictionary(report: Report) -> dict[str, object]:
    """The report for machines."""
    return {
        "releases": list(report.releases),
        "is_safe": report.is_safe,
        "examined": report.examined,
        "linear_programs": report.programs,
        "contradictions": report.contradictions,
        "by_chance": report.by_chance,
        "doors": report.by_door(),
        "findings": [asdict(finding) for finding in report.findings],
    }


def refusal(report: Report) -> DisclosureError:
    """The error for releases with an open door; it names the first cells."""
    open_doors = {door: count for door, count in report.by_door().items() if count}
    first = {finding.door: finding for finding in reversed(report.findings)}
    named = [_named(finding) for finding in sorted(first.values(), key=report.findings.index)[:NAMED]]
    return DisclosureError(
        f"a reader learns too much: {', '.join(f'{door} {count:,}' for door, count in open_doors.items())}",
        "; ".join(named),
        "withdraw the release, correct its protection and publish again; --json lists every cell",
    )


def _named(finding: Finding) -> str:
    place = "/".join(filter(None, [finding.region_type, finding.region_code, str(finding.period or "")]))
    return " ".join(filter(None, [finding.indicator, place, finding.persons.replace(" ", "/")]))
