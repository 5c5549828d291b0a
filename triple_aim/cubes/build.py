"""stg → person → cube, and the cube as dense arrays of sums: the waist of the hourglass.

Not here: regions (``triple_aim.definitions``) and statistics (``triple_aim.indicators``). Nothing above this module
reads a person-level row, be it of ``stg`` or of ``person``.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping

from triple_aim.cubes.columns import MEASURES, column_type
from triple_aim.cubes.fingerprints import _fingerprint, built, remember
from triple_aim.cubes.merge import merge, merged_periods
from triple_aim.warehouse import Query, Warehouse, of_some, qualified, quoted

log = logging.getLogger(__name__)

LARGEST_PART = 2_000_000  # persons


class InWarehouse:
    """What runs the SQL of a cube or a person table: the warehouse itself. A cluster beside it does the same."""

    def kind(self, query: Query) -> str:
        """What the table is in the warehouse."""
        return "BASE TABLE"

    def start(self, warehouse: Warehouse, query: Query, typed: str) -> None:
        """Let the table stand without a row; ``typed`` is a select of its columns."""
        warehouse.drop(query.table)
        warehouse.run(f"create table {qualified(query.table)} as {typed}", {"period": 0})

    def replace(
        self, warehouse: Warehouse, query: Query, period: int, content: str | None, made_of: Mapping[str, str]
    ) -> None:
        """Make the rows of one period anew; without content there are none."""
        warehouse.run(f"delete from {qualified(query.table)} where period = ?", [period])
        for statement in _parts(warehouse, query, period) if content else ():
            warehouse.run(f"insert into {qualified(query.table)} by name {statement}", {"period": period})

    def finish(self, warehouse: Warehouse, query: Query, contents: Mapping[int, str]) -> None:
        """Nothing is left to do once every period was made."""

    def name(self) -> str:
        """What a person would call it."""
        return "DuckDB, in this process"


def build_table(
    warehouse: Warehouse, query: Query, periods: Iterable[int], builder: InWarehouse | None = None
) -> list[int]:
    """Rebuild the periods of a cube or a person table for which what it reads, or its SQL, changed; these periods."""
    builder = builder or InWarehouse()
    table, sources = query.table, [*query.sources("stg"), *query.sources("person")]
    there = built(warehouse, table)
    if not _stands(warehouse, query, builder):
        columns = ", ".join(
            f"cast({quoted(name)} as {kind}) as {quoted(name)}" if (kind := column_type(name)) else quoted(name)
            for name in query.columns
        )
        warehouse.run("delete from meta.built where table_name = ?", [table])
        builder.start(warehouse, query, f"select {columns} from ({query.sql}\n) limit 0")
        there = {}
    contents: dict[int, dict[str, str]] = {}
    for period, source, content in warehouse.rows(
        """select period, 'stg.' || extract as source,
               string_agg(delivery || content || supplier, ',' order by supplier) as content
           from meta.staged group by all having list_contains($sources, source)
           union all
           select period, table_name, content from meta.built where list_contains($sources, table_name)
           union all
           select period, contributor, content from meta.contributed where table_name = $table
           order by all""",
        {"sources": sources, "table": table},
    ):
        contents.setdefault(period, {})[source] = content
    reference = {name: _fingerprint(warehouse, name) for name in query.sources("ref")}
    rebuilt = []
    merged = merged_periods(warehouse, table)
    for period in sorted({*periods, *merged}):
        found = contents.get(period, {})
        count = len(found.keys() & set(sources))
        enough = count > 0 if query.any_source else count == len(sources)
        made = hashlib.sha256(f"{query.hash}{found}{reference}".encode()).hexdigest()
        own, content = made if enough else None, made if enough or period in merged else None
        if there.get(period) == content:
            continue
        with warehouse.transaction():
            builder.replace(warehouse, query, period, own, {name: found.get(name, "") for name in sources} | reference)
            if period in merged:
                merge(warehouse, query, period, [name for name in query.columns if name.endswith(MEASURES)])
            remember(warehouse, table, period, content)
        rebuilt.append(period)
    builder.finish(warehouse, query, built(warehouse, table))
    return rebuilt


def _parts(warehouse: Warehouse, query: Query, period: int) -> list[str]:
    """The statement, or one for each part of the persons where all of them at once would not fit in memory."""
    if not query.in_parts:
        return [query.sql]
    read = [table for table in query.sources("person") if "person_number" in dict(_header(warehouse, table))]
    last = "select coalesce(max(person_number), 0) from {} where period = ?"
    persons = max(int(warehouse.value(last.format(qualified(table)), [period])) for table in read)
    if persons < LARGEST_PART:
        return [query.sql]
    return [of_some(query, read, first, LARGEST_PART) for first in range(0, persons + 1, LARGEST_PART)]


def _header(warehouse: Warehouse, table: str) -> list[tuple[str, str]]:
    return warehouse.header(f"select * from {qualified(table)}")


def _stands(warehouse: Warehouse, query: Query, builder: InWarehouse) -> bool:
    """Whether the table stands as its SQL would make it now, and where the builder keeps it; a new one does not."""
    if warehouse.kind(query.table) != builder.kind(query):
        return False
    there = dict(_header(warehouse, query.table))
    return tuple(there) == query.columns and all(column_type(name) in (None, kind) for name, kind in there.items())
