"""The summary that a run prints at the terminal: regions by aim, results of the checks, reconciliation.

Not here: files for readers (``exports``) or the checks page of a release (``triple_aim.release``).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from triple_aim.definitions import Publication
from triple_aim.release import ledger, open_marts
from triple_aim.vocabulary import SHOWN

MARKS = {"better": "[green]▲[/]", "worse": "[red]▼[/]", "no_demonstrable_difference": "=", "no_judgement": " "}
STATUS = {"suppressed": "hidden", "not_delivered": "-", "not_computed": "n/a"}
AIMS = ("health", "quality", "cost", "growth")
NOT_PRINTED = (
    "municipality",
    "zorgkantoor_region",
    "corop_region",
    "province",
)  # too many rows, or similar to GGD regions
MOST_ROWS = 30  # fit on a screen


def print_summary(console: Console, release: Path, promise: Publication) -> None:
    """Print the latest year in which most aims have a value, the checks and the reconciliation of a release."""
    with open_marts(release, promise) as warehouse:
        aims = warehouse.frame("select * from mart.triple_aim")
        partial_reasons = warehouse.rows(
            """select period, max(reason) from mart.indicator_values
               where region_type = 'nl' and sex = 'all' and segment = 'all' and reason like 'rests on %'
               group by period"""
        )
        checks = warehouse.frame("select severity, is_passed, check_id, unexpected_count from mart.checks")
        reconciliation = warehouse.frame("select * from mart.reconciliation")
        indicators = warehouse.frame("select indicator_id, title_en, decimals from mart.indicators").set_index(
            "indicator_id"
        )
    shown = sum((aims[f"{aim}_status"].isin(SHOWN).astype(int) for aim in AIMS), pd.Series(0, aims.index))
    best = shown.groupby(aims["period"]).sum()
    year = int(best[best == best.max()].index.max())
    of_year = aims[aims["period"] == year]
    rows = of_year[~of_year["region_type"].isin([*NOT_PRINTED, "nl"])]
    rows = pd.concat([rows.head(MOST_ROWS), of_year[of_year["region_type"] == "nl"]])
    caption = "▲ better, ▼ worse, = no demonstrable difference from the rest of the Netherlands"
    table = Table(title=f"Triple Aim, {year}", caption=caption, box=SIMPLE_HEAD)
    table.add_column("region", no_wrap=True, max_width=36)
    headlines = []
    for aim in AIMS:
        table.add_column(aim, justify="right", no_wrap=True)
        ids = rows[f"{aim}_indicator_id"].dropna()
        headline = f"{indicators['title_en'][ids.iloc[0]]}, {rows[f'{aim}_unit'].dropna().iloc[0]}" if len(ids) else "-"
        headlines.append(f"  [dim]{aim}: {headline}[/]")
    for row in rows.to_dict("records"):
        table.add_row(str(row["region_name"]), *(_cell(row, aim, indicators) for aim in AIMS))
    console.print(table)
    console.print("\n".join(headlines), highlight=False)
    _show_checks(console, checks)
    _show_ledger(console, reconciliation, checks)
    if reason := dict(partial_reasons).get(year):
        console.print(f"Nederland {reason.split(';')[0]}: those that were delivered.", highlight=False)


def _cell(row: Mapping[Hashable, Any], aim: str, indicators: pd.DataFrame) -> str:
    status = str(row[f"{aim}_status"])
    if status not in SHOWN:
        return f"[dim]{STATUS.get(status, status)}[/]"
    decimals = min(int(indicators["decimals"].get(row[f"{aim}_indicator_id"], 1)), 1)
    return f"{row[f'{aim}_value']:,.{decimals}f} {MARKS.get(str(row[f'{aim}_judgement']), ' ')}"


def _show_checks(console: Console, checks: pd.DataFrame) -> None:
    failed = checks[~checks["is_passed"]]
    critical = int((failed["severity"] == "critical").sum())
    warnings = len(failed) - critical
    result = "[green]passed[/]" if critical == 0 else "[red]FAILED[/]"
    console.print(f"Checks: {result}: {len(checks)} expectations, {critical} critical failures, {warnings} warnings")
    for row in failed.head(8).to_dict("records"):
        console.print(
            f"  [yellow]{row['severity']}[/] {row['check_id']} ({_findings(row['unexpected_count'])})", highlight=False
        )
    if len(failed) > 8:
        console.print(f"  … and {len(failed) - 8} more in checks.html")


def _findings(count: float | None) -> str:
    """A rounded number of rows or findings; numbers from 1 to 9 are not published."""
    return "1 to 9" if pd.isna(count) else f"{count:,.0f}"


def _show_ledger(console: Console, reconciliation: pd.DataFrame, checks: pd.DataFrame) -> None:
    counted = reconciliation.astype({"row_count": float}).groupby(["extract", "stage"])["row_count"]
    rows = counted.sum(min_count=1)  # small counts are empty
    lines = ledger(reconciliation, checks).groupby("extract")
    adds_up, delivered = lines["adds_up"].all(), lines["delivered_eur"].sum()
    table = Table(title="Reconciliation: every row and every euro, rounded", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("extract", "delivered", "set aside", "in cube", "excluded", "euros delivered", "adds up"):
        table.add_column(name, justify="left" if name == "extract" else "right", no_wrap=True)
    for extract in sorted(set(reconciliation["extract"])):
        stages = ("delivered", "set_aside", "in_cube", "excluded")
        cells = [_findings(rows.get((extract, stage), 0)) for stage in stages]
        euros = delivered[extract]
        verdict = "[green]yes[/]" if adds_up.get(extract, False) else "[red]NO[/]"
        table.add_row(extract, *cells, f"{euros:,.0f}" if pd.notna(euros) and euros else "-", verdict)
    console.print(table)
