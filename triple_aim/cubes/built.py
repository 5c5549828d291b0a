"""The fingerprint of each period of every built table: a hash of its SQL and sources, in ``meta.built``.

Not here: the decision what to rebuild (``build``), the name of a release (``triple_aim.release``).
"""

from __future__ import annotations

from triple_aim.cubes.merge import ensure_contributions
from triple_aim.warehouse import Warehouse, qualified

BUILT = ("table_name varchar", "period integer", "fingerprint varchar")


def fingerprints_of(warehouse: Warehouse, table: str) -> dict[int, str]:
    """The fingerprint of each period of a table; a table without periods has one under 0."""
    return fingerprints(warehouse).get(table, {})


def fingerprints(warehouse: Warehouse) -> dict[str, dict[int, str]]:
    """The fingerprints of every table, by table and period."""
    warehouse.ensure("meta.built", BUILT)
    ensure_contributions(warehouse)
    by_table: dict[str, dict[int, str]] = {}
    rows = warehouse.rows("select table_name, period, fingerprint from meta.built order by all")
    for table, period, fingerprint in rows:
        by_table.setdefault(table, {})[period] = fingerprint
    return by_table


def record_fingerprint(warehouse: Warehouse, table: str, period: int, fingerprint: str | None) -> None:
    """Record the fingerprint of one period of a table; None removes it."""
    warehouse.run("delete from meta.built where table_name = ? and period = ?", [table, period])
    if fingerprint:
        warehouse.run("insert into meta.built values (?, ?, ?)", [table, period, fingerprint])


def hash_rows(warehouse: Warehouse, table: str) -> str:
    """The hash of the rows of a small table, independent of their order."""
    texts = f"select cast(listed as varchar) as line from {qualified(table)} as listed"
    digest = f"select md5(string_agg(line, '|' order by line)) from ({texts})"
    return str(warehouse.value(digest))
