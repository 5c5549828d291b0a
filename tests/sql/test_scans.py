"""Is a delivered source read once per period, for any number of cubes? The test reads the query plans."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from tests.content import queries
from tests.sql.test_sql import _below, _create_tables
from triple_aim.deliveries.staging import ensure_tables
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.sql_files import Query

QUERIES = [query for floor in ("person", "cube") for query in queries(floor).values()]
#: Two cubes use populations, which have one row per municipality, sex and age.
DENOMINATORS = {"stg.population"}


#: Two values per type around every constant in the SQL: the engine does not scan a table without possible matches.
ENDS = {"VARCHAR": ("'A'", "'zzz'"), "DATE": ("date '2000-01-01'", "date '2030-01-01'"), "BOOLEAN": ("false", "true")}
NUMBERS = ("0", "9999")


def fill(warehouse: Warehouse, table: str) -> None:
    """Two rows in a table."""
    for end in (0, 1):
        columns = [f"{ENDS.get(kind, NUMBERS)[end]} as {name}" for name, kind in warehouse.header(f"from {table}")]
        warehouse.run(f"insert into {table} by name select {', '.join(columns)}")


def scans(warehouse: Warehouse, query: Query) -> Iterator[tuple[str, list[str]]]:
    """The tables that the plan of a query scans, and the columns it reads from each."""
    nodes = json.loads(warehouse.rows(f"explain (format json) {query.sql}", {"period": 2023})[0][1])
    while nodes:
        node = nodes.pop()
        nodes += node["children"]
        facts = node["extra_info"]
        if "Table" in facts:
            columns = facts.get("Projections", [])
            yield ".".join(facts["Table"].split(".")[-2:]), [columns] if isinstance(columns, str) else columns


def test_every_delivered_source_is_read_once() -> None:
    with open_warehouse(None) as warehouse:
        ensure_tables(warehouse)
        tables = dict.fromkeys(table for query in QUERIES for table in _below(query))
        _create_tables(warehouse, tables)
        for table in tables:
            if not table.startswith("ref."):
                fill(warehouse, table)
        found = [scan for query in QUERIES for scan in scans(warehouse, query)]
    # Corrections are a second scan of the claim lines, by reference and without persons.
    lines = [table for table, columns in found if table != "stg.claims" or "person_key" in columns]
    delivered = Counter(table for table in lines if table.startswith("stg."))
    assert delivered.keys() == {table for query in QUERIES for table in query.sources("stg")}
    assert {table for table, count in delivered.items() if count > 1} <= DENOMINATORS
