"""What a run tells the person at the terminal: regions by aim, the checks' verdict, the reconciliation.

Not here: files for others (``exports``) or the page in the publication (``triple_aim.release``).
"""

from __future__ import annotations

from pathlib import Path

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
NOT_AT_FIRST = ("municipality", "zorgkantoor_region", "corop_region", "province")  # too many, or much the same again
FEW = 30  # rows that fit a screen


def show_release(console: Console, release: Path, promise: Publication) -> None:
    """The newest year in which most aims have a value, for the coarsest regions that differ."""
    with open_marts(release, promise) as warehouse:
        aims = warehouse.frame("select * from mart.triple_aim")
        partly = warehouse.rows(
            """select period, max(reason) from mart.indicator_values
               where region_type = 'nl' and sex = 'all' and segment = 'all' and reason like 'rests on %'
               group by period"""
        )
        checks = warehouse.frame("select severity, is_passed, check_id, unexpected_count from mart.checks")
        reconciliation = warehouse.frame("select * from mart.reconciliation")
        indicators = warehouse.frame("select indicator_id, title_en, decimals from mart.indicators").set_index(
            "indicator_id"
        )
    shown = sum(aims[f"{aim}_status"].isin(SHOWN).astype(int) for aim in AIMS)
    best = shown.groupby(aims["period"]).sum()
    year = int(best[best == best.max()].index.max())
    ours = aims[aims["period"] == year]
    rows = ours[~ours["region_type"].isin([*NOT_AT_FIRST, "nl"])]
    rows = pd.concat([rows.head(FEW), ours[ours["region_type"] == "nl"]])
    caption = "▲ better, ▼ worse, = no demonstrable difference from the rest of the Netherlands"
    table = Table(title=f"Triple Aim, {year}", caption=caption, box=SIMPLE_HEAD)
    table.add_column("region", no_wrap=True, max_width=36)
    titles = []
    for aim in AIMS:
        table.add_column(aim, justify="right", no_wrap=True)
        named = rows[f"{aim}_indicator_id"].dropna()
        what = f"{indicators['title_en'][named.iloc[0]]}, {rows[f'{aim}_unit'].dropna().iloc[0]}" if len(named) else "-"
        titles.append(f"  [dim]{aim}: {what}[/]")
    for row in rows.to_dict("records"):
        table.add_row(str(row["region_name"]), *(_cell(row, aim, indicators) for aim in AIMS))
    console.print(table)
    console.print("\n".join(titles), highlight=False)
    _show_checks(console, checks)
    _show_ledger(console, reconciliation, checks)
    if told := dict(partly).get(year):
        console.print(f"Nederland {told.split(';')[0]}: those that were delivered.", highlight=False)


def _cell(row: dict[str, object], aim: str, indicators: pd.DataFrame) -> str:
    status = str(row[f"{aim}_status"])
    if status not in SHOWN:
        return f"[dim]{STATUS.get(status, status)}[/]"
    decimals = min(int(indicators["decimals"].get(row[f"{aim}_indicator_id"], 1)), 1)
    return f"{row[f'{aim}_value']:,.{decimals}f} {MARKS.get(str(row[f'{aim}_judgement']), ' ')}"


def _show_checks(console: Console, checks: pd.DataFrame) -> None:
    failed = checks[~checks["is_passed"]]
    critical = int((failed["severity"] == "critical").sum())
    warnings = len(failed) - critical
    verdict = "[green]passed[/]" if critical == 0 else "[red]FAILED[/]"
    console.print(f"Checks: {verdict}: {len(checks)} expectations, {critical} critical failures, {warnings} warnings")
    for row in failed.head(8).to_dict("records"):
        console.print(
            f"  [yellow]{row['severity']}[/] {row['check_id']} ({row['unexpected_count']:,})", highlight=False
        )
    if len(failed) > 8:
        console.print(f"  … and {len(failed) - 8} more in checks.html")


def _show_ledger(console: Console, reconciliation: pd.DataFrame, checks: pd.DataFrame) -> None:
    rows = reconciliation.pivot_table(index="extract", columns="stage", values="row_count", aggfunc="sum", fill_value=0)
    told = ledger(reconciliation, checks).groupby("extract")
    closes, delivered = told["adds_up"].all(), told["delivered_eur"].sum(skipna=False)
    table = Table(title="Reconciliation: every row and every euro", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("extract", "delivered", "set aside", "in cube", "excluded", "euros delivered", "closes"):
        table.add_column(name, justify="left" if name == "extract" else "right", no_wrap=True)
    for extract in rows.index:
        cells = [
            f"{int(rows.loc[extract, stage]):,}" if stage in rows else "0"
            for stage in ("delivered", "set_aside", "in_cube", "excluded")
        ]
        euros = delivered[extract]
        closed = "[green]yes[/]" if closes.get(extract, False) else "[red]NO[/]"
        table.add_row(extract, *cells, f"{euros:,.2f}" if pd.notna(euros) and euros else "-", closed)
    console.print(table)
