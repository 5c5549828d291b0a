"""Does each query give these rows? Runs every ``tests/sql/<floor>/<query>.yaml`` in memory.

A given row names the columns that matter; the file's ``defaults`` fill in the rest, and ``repeat: n`` writes
it n times, with ``{n}`` in a text as its number. Of the result only the columns that the first expected row
names are compared, but every row counts. Whatever a case is about, a result is also held to its grain and to
the ledger of its contracts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from triple_aim.content import read_yaml
from triple_aim.contracts import Ledger, load_contracts
from triple_aim.ingest import SQL_TYPES
from triple_aim.queries import read_query
from triple_aim.reference import read_table
from triple_aim.warehouse import Warehouse, open_warehouse, qualified

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CONTRACTS = load_contracts(ROOT / "contracts")


def cases() -> Iterator[Any]:
    for path in sorted(HERE.glob("*/*.yaml")):
        content = read_yaml(path)
        for case in content["cases"]:
            floor, query = path.parent.name, path.stem
            yield pytest.param(floor, query, content, case, id=f"{floor}/{query}: {case['name']}")


@pytest.mark.parametrize(("floor", "name", "content", "case"), list(cases()))
def test_query_gives_the_expected_rows(floor: str, name: str, content: Any, case: Any) -> None:
    query = read_query(ROOT / "sql" / floor / f"{name}.sql")
    period = case.get("period", content["period"])
    with open_warehouse(None) as warehouse:
        _create_tables(warehouse, query.reads)
        for table, rows in case["given"].items():
            _insert(warehouse, table, rows, content.get("defaults", {}).get(table, {}), period)
        warehouse.run(f"create table result as {query.sql}", {"period": period} if query.params else None)
        columns = list(case["expect"][0])
        found = warehouse.rows(f"select {', '.join(columns)} from result")
        wanted = [tuple(row[column] for column in columns) for row in case["expect"]]
        assert _comparable(found) == _comparable(wanted)
        grain = ", ".join(query.grain)
        assert not warehouse.rows(f"select {grain} from result group by {grain} having count(*) > 1")
        for contract in CONTRACTS.values():
            if floor == "cube" and contract.ledger and contract.ledger.cube == name:
                _assert_nothing_is_lost(warehouse, contract.extract, contract.ledger, period)


def _create_tables(warehouse: Warehouse, reads: Iterable[str]) -> None:
    """Tables without a row: deliveries as contracts type them, stg as staging makes it; but ref as it is."""
    for table in sorted(reads):
        schema, _, stem = table.partition(".")
        if schema == "ref":
            warehouse.create(table, read_table(next(ROOT.glob(f"reference/*/{stem}.csv"))))
            continue
        columns = "".join(f", {column.name} {SQL_TYPES[column.type]}" for column in CONTRACTS[stem].columns)
        delivery = qualified(f"delivery.{stem}")
        warehouse.run(f"create table {delivery} (period integer, line_number bigint, supplier varchar{columns})")
        if schema == "stg":
            staging = read_query(ROOT / "sql" / "staging" / f"{stem}.sql")
            _create_tables(warehouse, (read for read in staging.reads if read.startswith("ref.")))
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
    """The cube's columns add up to every staged row and every staged cent."""
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
