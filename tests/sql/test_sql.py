"""Does each query give the expected rows? Runs every ``tests/sql/<floor>/<query>.yaml`` in memory.

A given row names the columns that matter; ``defaults`` of the file fill the others, and ``repeat: n`` writes the row
n times, with ``{n}`` in a text as its number. The test compares all rows, but only the columns of the first expected
row. Persons are compared by key, not by number. A person table that a case does not give is built from the tables
that it gives. Every result is also checked for its grain and for the ledger of its contracts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.content import queries
from triple_aim.cubes.build import build_table
from triple_aim.definitions.contracts import Ledger, load_contracts
from triple_aim.definitions.yaml_reader import read_yaml
from triple_aim.deliveries.staging import ensure_tables
from triple_aim.deliveries.validation import SQL_TYPES
from triple_aim.warehouse.connection import Warehouse, open_warehouse, qualified
from triple_aim.warehouse.reference_tables import read_table
from triple_aim.warehouse.sql_files import Query, restrict_to_persons

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CONTRACTS = load_contracts(ROOT / "contracts")


def read(floor: str, name: str) -> Query:
    return queries(floor)[name]


def cases() -> Iterator[Any]:
    for path in sorted(HERE.glob("*/*.yaml")):
        content = read_yaml(path)
        for case in content["cases"]:
            floor, query = path.parent.name, path.stem
            yield pytest.param(floor, query, content, case, id=f"{floor}/{query}: {case['name']}")


@pytest.fixture(scope="module")
def empty() -> Iterator[Callable[[Query], Warehouse]]:
    """A warehouse with the empty tables that a query needs; cases share it, because creating it is slow."""
    with ExitStack() as stack:
        opened: dict[str, Warehouse] = {}

        def empty_warehouse(query: Query) -> Warehouse:
            if query.table not in opened:
                opened[query.table] = stack.enter_context(open_warehouse(None))
                ensure_tables(opened[query.table])
                _create_tables(opened[query.table], _below(query))
            for table in _below(query):
                if not table.startswith("ref."):
                    opened[query.table].run(f"delete from {qualified(table)}")
            return opened[query.table]

        yield empty_warehouse


@pytest.mark.parametrize(("floor", "name", "content", "case"), list(cases()))
def test_query_gives_the_expected_rows(
    empty: Callable[[Query], Warehouse], floor: str, name: str, content: Any, case: Any
) -> None:
    query = read(floor, name)
    period = case.get("period", content["period"])
    warehouse = empty(query)
    for table, rows in case["given"].items():
        _insert(warehouse, table, rows, content.get("defaults", {}).get(table, {}), period)
    for step in _steps(query):
        if step.table not in case["given"]:
            warehouse.run(f"insert into {qualified(step.table)} by name {step.sql}", {"period": period})
    values = {"period": period} if query.params else None
    warehouse.run(f"create or replace table result as {query.sql}", values)
    columns = list(case["expect"][0])
    keys = "left join person.persons using (period, person_number)" if set(columns) - set(query.columns) else ""
    found = warehouse.rows(f"select {', '.join(columns)} from result {keys}")
    wanted = [tuple(row[column] for column in columns) for row in case["expect"]]
    assert _comparable(found) == _comparable(wanted)
    if query.in_parts:  # as for a year whose persons do not fit in memory
        numbered = [table for table in query.sources("person") if table != "person.delivered_kinds"]
        last = max(warehouse.value(f"select max(person_number) from {table}") or 0 for table in numbered)
        parts = [
            row
            for part in range(0, last + 1, 3)
            for row in warehouse.rows(restrict_to_persons(query, numbered, part, 3), values)
        ]
        assert sorted(parts, key=repr) == sorted(warehouse.rows("from result"), key=repr)
    grain = ", ".join(query.grain)
    assert not warehouse.rows(f"select {grain} from result group by {grain} having count(*) > 1")
    for contract in CONTRACTS.values():
        if floor == "cube" and contract.ledger and contract.ledger.cube == name:
            _assert_nothing_is_lost(warehouse, contract.extract, contract.ledger, period)


def _steps(query: Query) -> list[Query]:
    """The person tables that a query needs, each after those it reads."""
    found: dict[str, Query] = {}
    for table in query.sources("person"):
        step = read("person", table.partition(".")[2])
        found |= {each.table: each for each in (*_steps(step), step)}
    return list(found.values())


def _below(query: Query) -> list[str]:
    """Every table that a query needs, in the order in which they can be built."""
    steps = _steps(query)
    others = {table for each in (*steps, query) for table in each.reads if not table.startswith("person.")}
    return [*sorted(others), *(step.table for step in steps)]


def _create_tables(warehouse: Warehouse, reads: Iterable[str]) -> None:
    """Create empty tables: deliveries by contract, others by their SQL; reference tables get their rows."""
    for table in reads:
        schema, _, stem = table.partition(".")
        if schema == "person":
            build_table(warehouse, read("person", stem), [])
            continue
        if schema == "ref":
            warehouse.create(table, read_table(next(ROOT.glob(f"reference/*/{stem}.csv"))))
            continue
        columns = "".join(f", {column.name} {SQL_TYPES[column.type]}" for column in CONTRACTS[stem].columns)
        delivery = qualified(f"delivery.{stem}")
        warehouse.run(f"create table {delivery} (period integer, line_number bigint, supplier varchar{columns})")
        if schema == "stg":
            staging = read("staging", stem)
            _create_tables(warehouse, staging.sources("ref"))
            warehouse.run(f"create table {qualified(table)} as {staging.sql}")


def _insert(warehouse: Warehouse, table: str, rows: list[Any], defaults: Any, period: int) -> None:
    line = 1
    for row in rows:
        for number in range(1, row.get("repeat", 1) + 1):
            line += 1
            filled = {"period": period, "supplier": "", "line_number": line, **defaults, **row}
            filled.pop("repeat", None)
            values = [value.format(n=number) if isinstance(value, str) else value for value in filled.values()]
            marks = ", ".join("?" * len(values))
            warehouse.run(f"insert into {qualified(table)} ({', '.join(filled)}) values ({marks})", values)


def _assert_nothing_is_lost(warehouse: Warehouse, extract: str, ledger: Ledger, period: int) -> None:
    """Check that the columns of the cube add up to all staged rows and euros."""
    staged = qualified(f"stg.{extract}")
    rows = warehouse.value(
        f"select count(*) from (select distinct supplier, line_number from {staged} where period = ?)",
        [period],
    )
    assert warehouse.value(f"select coalesce(sum({ledger.rows}), 0) from result") == rows
    if ledger.euros:
        euros = warehouse.value(f"select coalesce(sum(amount_eur), 0) from {staged} where period = ?", [period])
        assert warehouse.value(f"select coalesce(sum({ledger.euros}), 0) from result") == euros


def _comparable(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in one order, every number rounded to twelve digits."""
    return sorted((tuple(_plain(value) for value in row) for row in rows), key=repr)


def _plain(value: Any) -> float | str | None:
    if isinstance(value, int | float | Decimal):
        return float(f"{value:.12g}")
    return None if value is None else str(value)
