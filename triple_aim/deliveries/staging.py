"""The tables and views of ``stg``, and the ledger of delivered, staged and set-aside rows.

Not here: which deliveries are current (``ingest``), or whether a file keeps its contract (``validation``). Rows from
text files are stored in a table. Of a Parquet file only the numbers of its broken lines are stored: a view converts its
rows at every read, which costs less than a copy.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from triple_aim.definitions import Contract
from triple_aim.deliveries.extract import Extract
from triple_aim.deliveries.formats import parquet_rows
from triple_aim.deliveries.landing import LandedDelivery, Slot, verified_path
from triple_aim.deliveries.validation import BROKEN, CHECKED, SQL_TYPES, CheckedDelivery
from triple_aim.warehouse import WORK_FOLDER, Warehouse, literal, qualified, quoted

log = logging.getLogger(__name__)

#: The columns of the ledgers, of own deliveries and of those of other parties.
LEDGER = """
    (extract varchar, period integer, supplier varchar, stage varchar, reason varchar,
     row_count bigint, amount_eur decimal(18, 2))"""
STAGED = ("extract varchar", "period integer", "supplier varchar", "delivery varchar", "fingerprint varchar")


def ensure_tables(warehouse: Warehouse) -> None:
    """Create the tables that record the staged deliveries.

    An empty table replaces a ``meta.staged`` of an older version, so that everything is staged again.
    """
    warehouse.ensure("meta.staged", STAGED)
    warehouse.run(f"create table if not exists meta.ledger {LEDGER}")


def reset_staging(extract: Extract) -> None:
    """Remove all staged rows and leave ``stg`` empty, so that the SQL that reads it still runs."""
    _create_delivery_view(extract, {})
    extract.warehouse.run(f"create or replace table {_staged_table(extract.name)} as {extract.query.sql}")
    for table in ("meta.staged", "meta.ledger"):
        extract.warehouse.run(f"delete from {table} where extract = ?", [extract.name])
    _create_stg_view(extract)


def unstage_withdrawn(extract: Extract, known: list[LandedDelivery]) -> None:
    """Remove the staged rows of deliveries that were withdrawn from the landing area."""
    withdrawn = extract.warehouse.rows(
        "select period, supplier from meta.staged where extract = ? and not list_contains(?, delivery)",
        [extract.name, [delivery.sha256 for delivery in known]],
    )
    _unstage(extract, withdrawn)
    if withdrawn:
        _create_stg_view(extract)


def verify_visible_files(extract: Extract, known: list[LandedDelivery]) -> None:
    """Check that the Parquet files behind ``stg`` are unchanged since they were accepted."""
    visible = _periods_by_file(extract)
    for delivery in known:
        if delivery.sha256 in visible:
            verified_path(extract.project.landing, delivery)


def stage(extract: Extract, delivery: LandedDelivery, checked: CheckedDelivery, periods: set[int]) -> None:
    """Replace the rows of these periods by those of the checked delivery, and write the ledger."""
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
    if checked.is_parquet:  # no row is stored, but each is computed once, so that an error appears now
        values = ", ".join(quoted(column) for column in query.columns if column in query.computed) or "0"
        *staged_lines, _ = warehouse.rows(f"select {lines}, bit_xor(hash({values})) from {staged}")[0]
    else:
        warehouse.run(f"insert into {table} by name {query.sql}")
        staged = f"{table} where supplier = {literal(delivery.supplier)} and period in ({chosen})"
        staged_lines = list(warehouse.rows(f"select {lines} from {staged}")[0])
    is_staged = "broken_rule is null"
    good_lines = warehouse.rows(f"select {lines} from {CHECKED} where {is_staged} and period in ({chosen})")[0]
    if staged_lines != list(good_lines):  # compare single lines only then: a set of all lines needs much memory
        is_staged += f" and line_number in (select line_number from {staged})"
    _write_ledger(extract, delivery, chosen, is_staged)
    for period in sorted(periods):
        warehouse.run(
            "insert into meta.staged values (?, ?, ?, ?, ?)",
            [extract.name, period, delivery.supplier, delivery.sha256, extract.fingerprint],
        )
    log.info("staged %s for %s", extract.name, chosen)


def show_delivery(extract: Extract, delivery: LandedDelivery, checked: CheckedDelivery) -> None:
    """Make a staged delivery visible in ``stg`` after its file was landed."""
    if checked.is_parquet:
        _create_file_view(extract, delivery, checked)
    _create_stg_view(extract)


def _staged_table(extract: str) -> str:
    """The table of the rows from text files; each Parquet file has a view of its own."""
    return qualified(f"delivery.{extract} rows")


def _write_ledger(extract: Extract, delivery: LandedDelivery, chosen: str, is_staged: str) -> None:
    """Count the delivered, staged and set-aside rows and euros of a delivery; ``is_staged`` is an SQL condition."""
    # A broken row may have a period outside its file; the ledger counts it in the first period of the file.
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
    """SQL for the net euros of one row, as the ledger of the contract defines them; decimals keep the cents exact."""
    if contract.ledger is None or contract.ledger.amount is None:
        return "cast(0 as decimal(18, 2))"
    amount = contract.ledger.amount
    total = " + ".join(f"coalesce({quoted(column)}, 0)" for column in contract.amount_columns())
    for column, value in amount.negative_when.items():
        total = f"(case when {quoted(column)} = {literal(value)} then -1 else 1 end) * ({total})"
    return f"cast(({total}){' * 0.01' if amount.cents else ''} as decimal(18, 2))"


def _unstage(extract: Extract, slots: Iterable[Slot]) -> None:
    """Delete the stored rows of these slots and the records about them."""
    warehouse, name = extract.warehouse, extract.name
    for slot in slots:
        warehouse.run(f"delete from {_staged_table(name)} where period = ? and supplier = ?", list(slot))
        for table in ("meta.staged", "meta.ledger"):
            warehouse.run(f"delete from {table} where extract = ? and period = ? and supplier = ?", [name, *slot])


def _create_file_view(extract: Extract, delivery: LandedDelivery, checked: CheckedDelivery) -> None:
    """Create the view of the rows of an accepted Parquet file, without the rows that the last check found broken."""
    warehouse, landing = extract.warehouse, extract.project.landing
    part = f"delivery.{extract.name} {delivery.sha256}"
    broken = qualified(f"{part} broken")
    names = ", ".join(quoted(column.name) for column in extract.contract.columns)
    # The path is relative to the work folder, which may be moved.
    path = f"getvariable('{WORK_FOLDER}') || {literal('/' + str(delivery.path(landing).relative_to(landing.parent)))}"
    warehouse.run(f"create or replace table {broken} as select line_number from {BROKEN}")
    warehouse.run(
        f"""create or replace view {qualified(part)} as
            with raw as ({parquet_rows(warehouse, path)}), {checked.typed}
            select line_number, period, {literal(delivery.supplier)} as supplier, {names}
            from dated anti join {broken} using (line_number)"""
    )


def _create_stg_view(extract: Extract) -> None:
    """Create the ``stg`` view of the deliveries in ``meta.staged``; drop the views of files that left it."""
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
    """The Parquet deliveries that have a view, with the periods in which each is current."""
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
    """Create the view that the staging SQL reads: the rows of these files in the periods in which they are current."""
    name, columns = f"delivery.{extract.name}", extract.contract.columns
    empty = ", ".join(f"cast(null as {SQL_TYPES[column.type]}) as {quoted(column.name)}" for column in columns)
    rows = [
        f"select * from {qualified(f'{name} {file}')} where period in ({', '.join(map(str, periods))})"
        for file, periods in files.items()
    ] or [f"select cast(0 as bigint) as line_number, 0 as period, '' as supplier, {empty} where false"]
    extract.warehouse.run(f"create or replace view {qualified(name)} as {' union all '.join(rows)}")
