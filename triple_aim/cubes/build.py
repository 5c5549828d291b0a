"""Builds person tables and cubes, and only the periods whose SQL or sources changed.

Not here: the cells as arrays (``cells``), other parties' sums (``merge``), regions and statistics
(``triple_aim.indicators``). No room above this one reads rows of persons, in ``stg`` or ``person``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from typing import Protocol

from triple_aim.cubes.built import fingerprints_of, hash_rows, record_fingerprint
from triple_aim.cubes.columns import column_type, measures_of
from triple_aim.cubes.merge import merge, merged_periods
from triple_aim.warehouse import Query, Warehouse, qualified, quoted, restrict_to_persons

LARGEST_PART = 2_000_000  # persons


class TableBuilder(Protocol):
    """Runs the SQL of a person table or a cube, on one engine."""

    def kind(self, query: Query) -> str:
        """The kind of the table in the warehouse: ``BASE TABLE`` or ``VIEW``."""

    def start(self, warehouse: Warehouse, query: Query, typed: str) -> None:
        """Create the table without rows; ``typed`` is a select with its columns and types."""

    def replace(
        self, warehouse: Warehouse, query: Query, period: int, fingerprint: str | None, made_of: Mapping[str, str]
    ) -> None:
        """Replace the rows of one period; without a fingerprint the period gets no rows.

        ``made_of`` are the fingerprints of the tables that the SQL reads.
        """

    def finish(self, warehouse: Warehouse, query: Query, fingerprints: Mapping[int, str]) -> None:
        """Complete the table after its last period."""

    def name(self) -> str:
        """The engine and its version, for messages."""


class DuckDBBuilder:
    """Builds tables in the warehouse itself."""

    def kind(self, query: Query) -> str:
        return "BASE TABLE"

    def start(self, warehouse: Warehouse, query: Query, typed: str) -> None:
        warehouse.drop(query.table)
        warehouse.run(f"create table {qualified(query.table)} as {typed}", {"period": 0})

    def replace(
        self, warehouse: Warehouse, query: Query, period: int, fingerprint: str | None, made_of: Mapping[str, str]
    ) -> None:
        warehouse.run(f"delete from {qualified(query.table)} where period = ?", [period])
        for statement in _parts(warehouse, query, period) if fingerprint else ():
            warehouse.run(f"insert into {qualified(query.table)} by name {statement}", {"period": period})

    def finish(self, warehouse: Warehouse, query: Query, fingerprints: Mapping[int, str]) -> None:
        """Do nothing: each period is complete after ``replace``."""

    def name(self) -> str:
        return "DuckDB, in this process"


def in_reading_order(queries: Iterable[Query]) -> list[Query]:
    """The queries in an order in which each follows the queries whose tables it reads or splits."""
    known = {query.table: query for query in queries}
    inner = {table: [below for below in query.below if below in known] for table, query in known.items()}
    return [known[table] for table in TopologicalSorter(inner).static_order()]


def build_table(
    warehouse: Warehouse, query: Query, periods: Iterable[int], builder: TableBuilder | None = None
) -> list[int]:
    """Rebuild the periods whose SQL or sources changed, and return these periods.

    A period is empty unless its sources were delivered: all of them, or one if the header says ``-- needs: any``.
    """
    builder = builder or DuckDBBuilder()
    table, sources = query.table, [*query.sources("stg"), *query.sources("person")]
    recorded = fingerprints_of(warehouse, table)
    if not _has_current_schema(warehouse, query, builder):
        columns = ", ".join(
            f"cast({quoted(name)} as {kind}) as {quoted(name)}" if (kind := column_type(name)) else quoted(name)
            for name in query.columns
        )
        warehouse.run("delete from meta.built where table_name = ?", [table])
        builder.start(warehouse, query, f"select {columns} from ({query.sql}\n) limit 0")
        recorded = {}
    read = _source_fingerprints(warehouse, table, sources)
    reference = {name: hash_rows(warehouse, name) for name in query.sources("ref")}
    rebuilt = []
    merged = merged_periods(warehouse, table)
    for period in sorted({*periods, *merged}):
        current = read.get(period, {})
        count = len(current.keys() & set(sources))
        has_sources = count > 0 if query.any_source else count == len(sources)
        made_of = hashlib.sha256(f"{query.hash}{current}{reference}".encode()).hexdigest()
        own = made_of if has_sources else None
        fingerprint = made_of if has_sources or period in merged else None
        if recorded.get(period) == fingerprint:
            continue
        with warehouse.transaction():
            tables = {name: current.get(name, "") for name in sources} | reference
            builder.replace(warehouse, query, period, own, tables)
            if period in merged:
                merge(warehouse, query, period, measures_of(query.columns))
            record_fingerprint(warehouse, table, period, fingerprint)
        rebuilt.append(period)
    builder.finish(warehouse, query, fingerprints_of(warehouse, table))
    return rebuilt


def _source_fingerprints(warehouse: Warehouse, table: str, sources: list[str]) -> dict[int, dict[str, str]]:
    """Per period, the fingerprint of each source of a table and of each contribution to it."""
    fingerprints: dict[int, dict[str, str]] = {}
    for period, source, fingerprint in warehouse.rows(
        """select period, 'stg.' || extract as source,
               string_agg(delivery || fingerprint || supplier, ',' order by supplier) as fingerprint
           from meta.staged group by all having list_contains($sources, source)
           union all
           select period, table_name, fingerprint from meta.built where list_contains($sources, table_name)
           union all
           select period, contributor, fingerprint from meta.contributed where table_name = $table
           order by all""",
        {"sources": sources, "table": table},
    ):
        fingerprints.setdefault(period, {})[source] = fingerprint
    return fingerprints


def _parts(warehouse: Warehouse, query: Query, period: int) -> list[str]:
    """The statement, or one per range of persons if all persons do not fit in memory."""
    if not query.in_parts:
        return [query.sql]
    read = [table for table in query.sources("person") if "person_number" in dict(_header(warehouse, table))]
    last = "select coalesce(max(person_number), 0) from {} where period = ?"
    persons = max(int(warehouse.value(last.format(qualified(table)), [period])) for table in read)
    if persons < LARGEST_PART:
        return [query.sql]
    return [restrict_to_persons(query, read, first, LARGEST_PART) for first in range(0, persons + 1, LARGEST_PART)]


def _header(warehouse: Warehouse, table: str) -> list[tuple[str, str]]:
    return warehouse.header(f"select * from {qualified(table)}")


def _has_current_schema(warehouse: Warehouse, query: Query, builder: TableBuilder) -> bool:
    """Whether the table exists as the builder creates it, with the columns of its SQL."""
    if warehouse.kind(query.table) != builder.kind(query):
        return False
    columns = dict(_header(warehouse, query.table))
    return tuple(columns) == query.columns and all(column_type(name) in (None, kind) for name, kind in columns.items())
