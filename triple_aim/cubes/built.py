"""What every built table was made from, as a hash for each period, in ``meta.built``.

Not here: deciding what has to be rebuilt (``build``), or the name of a release (``triple_aim.release``).
"""

from __future__ import annotations

from triple_aim.cubes.merge import ensure_contributions
from triple_aim.warehouse import Warehouse, qualified

BUILT = ("table_name varchar", "period integer", "fingerprint varchar")


def fingerprints_of(warehouse: Warehouse, table: str) -> dict[int, str]:
    """The fingerprint of each period of a table; a table without periods has it under 0."""
    return fingerprints(warehouse).get(table, {})


def fingerprints(warehouse: Warehouse) -> dict[str, dict[int, str]]:
    """The fingerprints of every table, by table and period."""
    warehouse.ensure("meta.built", BUILT)
    ensure_contributions(warehouse)
    found: dict[str, dict[int, str]] = {}
    rows = warehouse.rows("select table_name, period, fingerprint from meta.built order by all")
    for table, period, fingerprint in rows:
        found.setdefault(table, {})[period] = fingerprint
    return found


def record_fingerprint(warehouse: Warehouse, table: str, period: int, fingerprint: str | None) -> None:
    """Record what a table was made from; None removes the record."""
    warehouse.run("delete from meta.built where table_name = ? and period = ?", [table, period])
    if fingerprint:
        warehouse.run("insert into meta.built values (?, ?, ?)", [table, period, fingerprint])


def hash_rows(warehouse: Warehouse, table: str) -> str:
    """The hash of the rows of a small table, whatever their order."""
    texts = f"select cast(listed as varchar) as line from {qualified(table)} as listed"
    found = f"select md5(string_agg(line, '|' order by line)) from ({texts})"
    return str(warehouse.value(found))
