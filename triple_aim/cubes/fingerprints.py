"""What every built table was made from, as a hash for each period, in ``meta.built``.

Not here: deciding what has to be rebuilt (``build``), or fingerprints of releases (``triple_aim.release``).
"""

from __future__ import annotations

from triple_aim.cubes.merge import META
from triple_aim.warehouse import Warehouse, qualified


def built(warehouse: Warehouse, table: str) -> dict[int, str]:
    """What each period of a table was made from, as a hash; a table without periods has it under 0."""
    return all_built(warehouse).get(table, {})


def all_built(warehouse: Warehouse) -> dict[str, dict[int, str]]:
    """The same of every table there is."""
    warehouse.run("create table if not exists meta.built (table_name varchar, period integer, content varchar)")
    warehouse.run(META)
    found: dict[str, dict[int, str]] = {}
    for table, period, content in warehouse.rows("select table_name, period, content from meta.built order by all"):
        found.setdefault(table, {})[period] = content
    return found


def remember(warehouse: Warehouse, table: str, period: int, content: str | None) -> None:
    """Put down what a table was made from, or forget it."""
    warehouse.run("delete from meta.built where table_name = ? and period = ?", [table, period])
    if content:
        warehouse.run("insert into meta.built values (?, ?, ?)", [table, period, content])


def _fingerprint(warehouse: Warehouse, table: str) -> str:
    """What a small table holds, as a hash, whatever the order of its rows."""
    texts = f"select cast(listed as varchar) as line from {qualified(table)} as listed"
    found = f"select md5(string_agg(line, '|' order by line)) from ({texts})"
    return str(warehouse.value(found))
