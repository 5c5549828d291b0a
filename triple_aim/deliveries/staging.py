"""The tables and views of ``stg``: what a delivery becomes, and the ledger beside it.

Not here: which deliveries are current (``ingest``), or whether a file is what its contract promises (``validation``).
Rows delivered as text are staged once, into a table. Of a Parquet file only the numbers of its broken lines are stored:
a view types its rows again at every read, which costs less than a copy of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from triple_aim.definitions import Contract
from triple_aim.deliveries.extract import Extract
from triple_aim.deliveries.formats import parquet_rows
from triple_aim.deliveries.landing import Landed, Slot, kept
from triple_aim.deliveries.validation import BROKEN, CHECKED, SQL_TYPES, Judged
from triple_aim.warehouse import WORK, Warehouse, literal, qualified, quoted

log = logging.getLogger(__name__)

#: The ledgers of own deliveries and of other parties have one shape.
LEDGER = """
    (extract varchar, period integer, supplier varchar, stage varchar, reason varchar,
     row_count bigint, amount_eur decimal(18, 2))"""
STAGED = ("extract varchar", "period integer", "supplier varchar", "delivery varchar", "fingerprint varchar")


def ensure_tables(warehouse: Warehouse) -> None:
    """Create the tables that record what is staged; those of an older version are emptied, so all is staged again."""
    warehouse.ensure("meta.staged", STAGED)
    warehouse.run(f"create table if not exists meta.ledger {LEDGER}")


def reset_staging(extract: Extract) -> None:
    """Leave an empty table, so that SQL above it still runs."""
    _create_delivery_view(extract, {})
    extract.warehouse.run(f"create or replace table {_staged_table(extract.name)} as {extract.query.sql}")
    for table in ("meta.staged", "meta.ledger"):
        extract.warehouse.run(f"delete from {table} where extract = ?", [extract.name])
    _create_stg_view(extract)


def unstage_withdrawn(extract: Extract, known: list[Landed]) -> None:
    """Remove the staged rows of deliveries that were withdrawn from the landing area."""
    withdrawn = extract.warehouse.rows(
        "select period, supplier from meta.staged where extract = ? and not list_contains(?, delivery)",
        [extract.name, [delivery.sha256 for delivery in known]],
    )
    _unstage(extract, withdrawn)
    if withdrawn:
        _create_stg_view(extract)


def verify_visible_files(extract: Extract, known: list[Landed]) -> None:
    """Check that the Parquet files that ``stg`` reads are still those that were accepted."""
    visible = _periods_by_file(extract)
    for delivery in known:
        if delivery.sha256 in visible:
            kept(extract.project.landing, delivery)


def stage(extract: Extract, delivery: Landed, judged: Judged, periods: set[int]) -> None:
    """Replace these periods of ``stg`` by the checked delivery and write the ledger beside it."""
    warehouse, contract, query, table = extract.warehouse, extract.contract, extract.query, _staged_table(extract.name)
    names = ", ".join(quoted(column.name) for column in contract.columns)
    chosen = ", ".join(str(period) for period in sorted(periods))
    warehouse.run(
        f"""create or replace view {qualified("delivery." + extract.name)} as
            select line_number, period, supplier, {names} from {CHECKED}
            where broken_rule is null and period in ({chosen})"""
    )
    _unstage(extract, [(period, delivery.supplier) for period in periods])
    staged = f"({query.sql}\n)"
    lines = "count(*), sum(line_number), bit_xor(hash(line_number))"
    if judged.is_parquet:  # no row is stored, but each is computed once, so that a row that cannot be staged fails now
        values = ", ".join(quoted(column) for column in query.columns if column in query.made) or "0"
        *found, _ = warehouse.rows(f"select {lines}, bit_xor(hash({values})) from {staged}")[0]
    else:
        warehouse.run(f"insert into {table} by name {query.sql}")
        staged = f"{table} where supplier = {literal(delivery.supplier)} and period in ({chosen})"
        found = list(warehouse.rows(f"select {lines} from {staged}")[0])
    is_staged = "broken_rule is null"
    if found != list(warehouse.rows(f"select {lines} from {CHECKED} where {is_staged} and period in ({chosen})")[0]):
        is_staged += f" and line_number in (select line_number from {staged})"  # a set of every line takes memory
    _write_ledger(extract, delivery, chosen, is_staged)
    for period in sorted(periods):
        warehouse.run(
            "insert into meta.staged values (?, ?, ?, ?, ?)",
            [extract.name, period, delivery.supplier, delivery.sha256, extract.fingerprint],
        )
    log.info("staged %s for %s", extract.name, chosen)


def show_delivery(extract: Extract, delivery: Landed, judged: Judged) -> None:
    """Let ``stg`` show a staged delivery whose file now lies in the landing area."""
    if judged.is_parquet:
        _create_file_view(extract, delivery, judged)
    _create_stg_view(extract)


def _staged_table(extract: str) -> str:
    """The table of the rows that were delivered as text; each Parquet file has a view of its own."""
    return qualified(f"delivery.{extract} rows")


def _write_ledger(extract: Extract, delivery: Landed, chosen: str, is_staged: str) -> None:
    """Count delivered, staged and set-aside rows and euros of a delivery; ``is_staged`` is SQL."""
    # A broken row may hold a period that is not of its file; the ledger counts it under the file's first.
    periods_of_file = ", ".join(str(period) for period in delivery.periods)
    extract.warehouse.run(
        f"""insert into meta.ledger
            with counted as (
                select
                    case when period in ({periods_of_file}) then period else {min(delivery.periods)} end as period,
                    broken_rule,
                    {is_staged} as is_staged,
                    count(*) as row_count,
                    coalesce(sum({_amount_sql(extract.contract)}), 0) as amount_eur
                from {CHECKED} group by all
            ),
            lines as (
                select *, 'delivered' as stage, 'all' as reason from counted
                union all
                select *, 'set_aside', broken_rule from counted where broken_rule is not null
                union all
                select *, 'staged', 'all' from counted where is_staged
            )
            select $extract, period, $supplier, stage, reason, sum(row_count), sum(amount_eur)
            from lines where period in ({chosen}) group by all""",
        {"extract": extract.name, "supplier": delivery.supplier},
    )


def _amount_sql(contract: Contract) -> str:
    """Net euros of one row, as the contract's ledger defines them; decimals throughout keep the cents exact."""
    if contract.ledger is None or contract.ledger.amount is None:
        return "cast(0 as decimal(18, 2))"
    amount = contract.ledger.amount
    total = " + ".join(f"coalesce({quoted(column)}, 0)" for column in contract.amount_columns())
    for column, value in amount.negative_when.items():
        total = f"(case when {quoted(column)} = {literal(value)} then -1 else 1 end) * ({total})"
    return f"cast(({total}){' * 0.01' if amount.cents else ''} as decimal(18, 2))"


def _unstage(extract: Extract, slots: Iterable[Slot]) -> None:
    """Delete the staged text rows of these slots, and their records."""
    warehouse, name = extract.warehouse, extract.name
    for slot in slots:
        warehouse.run(f"delete from {_staged_table(name)} where period = ? and supplier = ?", list(slot))
        for table in ("meta.staged", "meta.ledger"):
            warehouse.run(f"delete from {table} where extract = ? and period = ? and supplier = ?", [name, *slot])


def _create_file_view(extract: Extract, delivery: Landed, judged: Judged) -> None:
    """A view of the rows of an accepted Parquet file, without those that were just found broken."""
    warehouse, landing = extract.warehouse, extract.project.landing
    part = f"delivery.{extract.name} {delivery.sha256}"
    broken = qualified(f"{part} broken")
    names = ", ".join(quoted(column.name) for column in extract.contract.columns)
    # The path starts at the work folder, which may be moved.
    path = f"getvariable('{WORK}') || {literal('/' + str(delivery.path(landing).relative_to(landing.parent)))}"
    warehouse.run(f"create or replace table {broken} as select line_number from {BROKEN}")
    warehouse.run(
        f"""create or replace view {qualified(part)} as
            with raw as ({parquet_rows(warehouse, path)}), {judged.typed}
            select line_number, period, {literal(delivery.supplier)} as supplier, {names}
            from dated anti join {broken} using (line_number)"""
    )


def _create_stg_view(extract: Extract) -> None:
    """Let ``stg`` show what ``meta.staged`` lists, and drop the views of files that it lists no more."""
    warehouse, query = extract.warehouse, extract.query
    listed = _periods_by_file(extract)
    files = {delivery: periods for delivery, periods in listed.items() if periods}
    _create_delivery_view(extract, files)
    table = f"stg.{extract.name}"
    if warehouse.kind(table) != "VIEW":
        warehouse.drop(table)
    columns = ", ".join(map(quoted, query.columns))
    warehouse.run(
        f"""create or replace view {qualified(table)} as
            select {columns} from {_staged_table(extract.name)} union all by name ({query.sql}\n)"""
    )
    for delivery in listed.keys() - files.keys():
        warehouse.run(f"drop view {qualified(f'delivery.{extract.name} {delivery}')}")
        warehouse.run(f"drop table {qualified(f'delivery.{extract.name} {delivery} broken')}")


def _periods_by_file(extract: Extract) -> dict[str, list[int]]:
    """The Parquet deliveries that have a view, each with the periods for which it is current."""
    return dict(
        extract.warehouse.rows(
            """with files as (
                   select split_part(table_name, ' ', 2) as delivery
                   from information_schema.tables
                   where table_schema = 'delivery' and table_type = 'VIEW' and starts_with(table_name, $extract || ' ')
               )
               select delivery, list(period order by period) filter (where period is not null) as periods
               from files left join (select * from meta.staged where extract = $extract) using (delivery)
               group by delivery order by delivery""",
            {"extract": extract.name},
        )
    )


def _create_delivery_view(extract: Extract, files: dict[str, list[int]]) -> None:
    """What the staging SQL reads: the rows of these files in the periods for which they are current."""
    name, columns = f"delivery.{extract.name}", extract.contract.columns
    empty = ", ".join(f"cast(null as {SQL_TYPES[column.type]}) as {quoted(column.name)}" for column in columns)
    rows = [
        f"select * from {qualified(f'{name} {file}')} where period in ({', '.join(map(str, periods))})"
        for file, periods in files.items()
    ] or [f"select cast(0 as bigint) as line_number, 0 as period, '' as supplier, {empty} where false"]
    extract.warehouse.run(f"create or replace view {qualified(name)} as {' union all '.join(rows)}")
