"""Verdicts on the tables of a run, and the table ``meta.checks`` that keeps them until their table is rebuilt.

Not here: what is expected (``rules``, the suites) or what a failure stops (the assets block on it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from triple_aim.vocabulary import Severity
from triple_aim.warehouse import Warehouse

META = """
    create table if not exists meta.checks (
        check_id varchar, subject varchar, expectation varchar, severity varchar, is_passed boolean,
        checked_count bigint, unexpected_count bigint, note varchar, asset varchar
    )
"""
#: The columns of the mart ``checks`` that a verdict is read back from.
FACTS = ("check_id", "subject", "expectation", "severity", "checked_count", "unexpected_count", "note")


@dataclass(frozen=True)
class Verdict:
    """One check of one table: how many rows or groups it looked at, and how many were not as expected."""

    check_id: str
    subject: str
    expectation: str
    severity: Severity
    checked: int
    unexpected: int
    note: str = ""

    @property
    def is_passed(self) -> bool:
        return self.unexpected == 0


def as_frame(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Verdicts as rows of the mart ``checks``."""
    listed = list(verdicts)
    return pd.DataFrame(
        {
            "check_id": [verdict.check_id for verdict in listed],
            "subject": [verdict.subject for verdict in listed],
            "expectation": [verdict.expectation for verdict in listed],
            "severity": [verdict.severity for verdict in listed],
            "is_passed": [verdict.is_passed for verdict in listed],
            "checked_count": [verdict.checked for verdict in listed],
            "unexpected_count": [verdict.unexpected for verdict in listed],
            "note": [verdict.note for verdict in listed],
        }
    )


def record(warehouse: Warehouse, verdicts: Mapping[str, Sequence[Verdict]]) -> None:
    """Replace the verdicts of some assets, named as ``cube/claims``."""
    if not verdicts:
        return
    frame = as_frame(verdict for mine in verdicts.values() for verdict in mine)
    frame = frame.assign(asset=[asset for asset, mine in verdicts.items() for _ in mine])
    warehouse.run(META)
    with warehouse.named("arriving", frame):
        warehouse.run("delete from meta.checks where list_contains(?, asset)", [list(verdicts)])
        warehouse.run("insert into meta.checks by name select * from arriving")


def recall(warehouse: Warehouse, assets: Sequence[str]) -> dict[str, list[Verdict]]:
    """The recorded verdicts of assets whose tables were not rebuilt."""
    warehouse.run(META)
    rows = warehouse.rows(
        f"select asset, {', '.join(FACTS)} from meta.checks where list_contains(?, asset) order by check_id",
        [list(assets)],
    )
    recalled: dict[str, list[Verdict]] = {asset: [] for asset in assets}
    for asset, *facts in rows:
        recalled[asset].append(Verdict(*facts))
    return recalled


def existing_verdicts(warehouse: Warehouse, assets: Sequence[str]) -> pd.DataFrame:
    """The verdicts of the assets that exist now, and of no others, in the columns of the mart ``checks``."""
    warehouse.run(META)
    return warehouse.frame(
        "select * exclude (asset) from meta.checks where list_contains(?, asset) order by check_id", [list(assets)]
    )
