"""What ``stg`` shows: a view of the rows that were delivered as text and of the accepted Parquet files where they lie.

Not here: which deliveries hold (``ingest``), or whether a file is what its contract promises (``validation``). Text is
staged once, into a table; of a Parquet file only the numbers of its broken lines are kept, and its rows are typed again
whenever they are read, which costs less than a copy of them.
"""

from __future__ import annotations

from pathlib import Path

from triple_aim.definitions import Contract
from triple_aim.deliveries.formats import parquet_rows
from triple_aim.deliveries.landing import Landed
from triple_aim.deliveries.validation import BROKEN, SQL_TYPES, Judged
from triple_aim.warehouse import WORK, Query, Warehouse, literal, qualified, quoted


def staged_table(extract: str) -> str:
    """The table of what was delivered as text, staged; each Parquet file has a view beside it."""
    return qualified(f"delivery.{extract} rows")


def start(warehouse: Warehouse, contract: Contract, query: Query) -> None:
    """An extract of which nothing is staged is an empty table, so that SQL above it still runs."""
    _show_delivered(warehouse, contract, {})
    warehouse.run(f"create or replace table {staged_table(contract.extract)} as {query.sql}")


def keep_file(warehouse: Warehouse, contract: Contract, delivery: Landed, judged: Judged, landing: Path) -> None:
    """Let the rows of an accepted Parquet file be read where it lies, but those that were just found broken."""
    part = f"delivery.{contract.extract} {delivery.sha256}"
    broken = qualified(f"{part} broken")
    names = ", ".join(quoted(column.name) for column in contract.columns)
    # From the work folder on, which may be moved.
    path = f"getvariable('{WORK}') || {literal('/' + str(delivery.path(landing).relative_to(landing.parent)))}"
    warehouse.run(f"create or replace table {broken} as select line_number from {BROKEN}")
    warehouse.run(
        f"""create or replace view {qualified(part)} as
            with raw as ({parquet_rows(warehouse, path)}), {judged.typed}
            select line_number, period, {literal(delivery.supplier)} as supplier, {names}
            from dated anti join {broken} using (line_number)"""
    )


def show(warehouse: Warehouse, contract: Contract, query: Query) -> None:
    """Let ``stg`` show what ``meta.staged`` says is staged, and forget the files that no longer are."""
    files = {delivery: periods for delivery, periods in _files(warehouse, contract.extract).items() if periods}
    _show_delivered(warehouse, contract, files)
    table = f"stg.{contract.extract}"
    if warehouse.kind(table) != "VIEW":
        warehouse.drop(table)
    columns = ", ".join(map(quoted, query.columns))
    warehouse.run(
        f"""create or replace view {qualified(table)} as
            select {columns} from {staged_table(contract.extract)} union all by name ({query.sql}\n)"""
    )
    for delivery in _files(warehouse, contract.extract).keys() - files.keys():
        warehouse.run(f"drop view {qualified(f'delivery.{contract.extract} {delivery}')}")
        warehouse.run(f"drop table {qualified(f'delivery.{contract.extract} {delivery} broken')}")


def shown_files(warehouse: Warehouse, extract: str) -> set[str]:
    """The Parquet deliveries whose rows are read where they lie."""
    return set(_files(warehouse, extract))


def _files(warehouse: Warehouse, extract: str) -> dict[str, list[int]]:
    """The Parquet deliveries that have a view, and the periods for which each holds."""
    return dict(
        warehouse.rows(
            """with files as (
                   select split_part(table_name, ' ', 2) as delivery
                   from information_schema.tables
                   where table_schema = 'delivery' and table_type = 'VIEW' and starts_with(table_name, $extract || ' ')
               )
               select delivery, list(period order by period) filter (where period is not null) as periods
               from files left join (select * from meta.staged where extract = $extract) using (delivery)
               group by delivery order by delivery""",
            {"extract": extract},
        )
    )


def _show_delivered(warehouse: Warehouse, contract: Contract, files: dict[str, list[int]]) -> None:
    """What the staging SQL reads: the rows of these files in the periods for which they hold."""
    name = f"delivery.{contract.extract}"
    empty = ", ".join(f"cast(null as {SQL_TYPES[column.type]}) as {quoted(column.name)}" for column in contract.columns)
    rows = [
        f"select * from {qualified(f'{name} {file}')} where period in ({', '.join(map(str, periods))})"
        for file, periods in files.items()
    ] or [f"select cast(0 as bigint) as line_number, 0 as period, '' as supplier, {empty} where false"]
    warehouse.run(f"create or replace view {qualified(name)} as {' union all '.join(rows)}")
