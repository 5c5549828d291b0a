"""Delivery → stg + verdict + set-aside rows: the first floor.

Not here: judging a file (``acceptance``), the store of deliveries (``landing``), sums (``cubes``). A delivery is taken whole
or refused whole; within a delivery that is taken, rows that break a row rule are set aside and counted by rule.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass

from triple_aim.acceptance import CHECKED, SQL_TYPES, check_delivery
from triple_aim.contracts import Contract, PeriodFromFile
from triple_aim.errors import DeliveryError
from triple_aim.formats import RAW
from triple_aim.landing import Landed, accept, arriving, discover, landed
from triple_aim.periods import FIRST_PERIOD
from triple_aim.project import Project
from triple_aim.queries import Query
from triple_aim.warehouse import Warehouse, literal, qualified, quoted

log = logging.getLogger(__name__)

META = """
create table if not exists meta.staged
    (extract varchar, period integer, supplier varchar, delivery varchar, content varchar);
create table if not exists meta.ledger
    (extract varchar, period integer, supplier varchar, stage varchar, reason varchar,
     row_count bigint, amount_eur decimal(18, 2));
"""


@dataclass(frozen=True)
class Ingested:
    """What one run did to one extract; counts only."""

    accepted: int
    unchanged: int
    staged_periods: tuple[int, ...]
    rows: int
    set_aside: int


def ingest(
    warehouse: Warehouse, project: Project, contract: Contract, query: Query, periods: Iterable[int]
) -> Ingested:
    """Take what was newly delivered for these periods, then stage whatever the landing area holds and stg does not."""
    wanted = set(periods)
    warehouse.run(META)
    content = hashlib.sha256((contract.model_dump_json() + query.hash).encode()).hexdigest()
    _forget_other_content(warehouse, contract.extract, content)
    _ensure_table(warehouse, contract, query)
    known = landed(project.landing, contract.extract)
    accepted = unchanged = 0
    for found in discover(project.deliveries, contract):
        period, supplier = _named(contract, found.name)
        if period is not None and period not in wanted:
            continue
        # A file that kept name, size and time is not read again; anything else is judged by its hash.
        if any((d.name, d.size, d.modified) == (found.name, found.size, found.modified) for d in known):
            unchanged += 1
            continue
        with arriving(project.landing, found) as (copy, sha256):
            if any(delivery.sha256 == sha256 for delivery in known):
                unchanged += 1
                continue
            in_file = check_delivery(
                warehouse, contract, found.name, copy, period, supplier, project.quarantine, sha256
            )
            sequence = 1 + max((d.sequence for d in known), default=0)
            delivery = Landed(
                contract.extract, sha256, found.name, supplier, tuple(in_file), sequence, found.size, found.modified
            )
            accept(project.landing, copy, delivery)
        known.append(delivery)
        accepted += 1
        _stage(warehouse, contract, query, delivery, set(in_file), content)
    staged = _restage(warehouse, project, contract, query, known, wanted, content)
    rows, aside = warehouse.rows(
        """select coalesce(sum(row_count) filter (where stage = 'staged'), 0),
                  coalesce(sum(row_count) filter (where stage = 'set_aside'), 0)
           from meta.ledger where extract = ?""",
        [contract.extract],
    )[0]
    return Ingested(accepted, unchanged, tuple(sorted(staged)), int(rows), int(aside))


def delivered_periods(project: Project, contracts: Iterable[Contract]) -> list[int]:
    """The periods of everything delivered or landed; all of them while some file has yet to be read to know."""
    periods: set[int] = set()
    for contract in contracts:
        known = landed(project.landing, contract.extract)
        periods |= {period for delivery in known for period in delivery.periods}
        for found in discover(project.deliveries, contract):
            period, _ = _named(contract, found.name)
            if period is not None:
                periods.add(period)
            elif not any((d.name, d.size, d.modified) == (found.name, found.size, found.modified) for d in known):
                periods |= set(range(FIRST_PERIOD, datetime.date.today().year + 1))
    return sorted(periods)


def inputs(warehouse: Warehouse) -> dict[str, str]:
    """What stg now rests on: ``extract/period/supplier`` → hash of the delivery."""
    if not warehouse.exists("meta.staged"):
        return {}
    rows = warehouse.rows("select extract, period, supplier, delivery from meta.staged order by all")
    return {f"{extract}/{period}/{supplier}": delivery for extract, period, supplier, delivery in rows}


def _named(contract: Contract, name: str) -> tuple[int | None, str]:
    """Period and supplier as the file's name tells them."""
    if not isinstance(contract.period, PeriodFromFile):
        return None, ""
    match = re.search(contract.period.file_name, name.rsplit("/", 1)[-1])
    if match is None:
        raise DeliveryError(
            "the file's name does not tell its period", name, f"name it so that {contract.period.file_name} fits"
        )
    return int(match["period"]), match.groupdict().get("supplier") or ""


def _restage(
    warehouse: Warehouse,
    project: Project,
    contract: Contract,
    query: Query,
    known: list[Landed],
    wanted: set[int],
    content: str,
) -> set[int]:
    """Bring stg in line with the landing area, also after the warehouse was thrown away."""
    winners = {(period, d.supplier): d for d in known for period in d.periods if period in wanted}
    there = {
        (period, supplier): delivery
        for period, supplier, delivery in warehouse.rows(
            "select period, supplier, delivery from meta.staged where extract = ?", [contract.extract]
        )
    }
    stale = {slot: delivery for slot, delivery in winners.items() if there.get(slot) != delivery.sha256}
    for delivery in {d.sha256: d for d in stale.values()}.values():
        slots = {period for (period, _), d in stale.items() if d.sha256 == delivery.sha256}
        path = delivery.path(project.landing)
        if not path.is_file():
            raise DeliveryError(
                "an accepted delivery is gone from the landing area",
                delivery.name,
                "restore the landing area from backup",
            )
        period, supplier = _named(contract, delivery.name)
        check_delivery(warehouse, contract, delivery.name, path, period, supplier, project.quarantine, delivery.sha256)
        _stage(warehouse, contract, query, delivery, slots, content)
    return {period for period, _ in winners}


def _forget_other_content(warehouse: Warehouse, extract: str, content: str) -> None:
    """When the contract or its SQL changed, what was staged under the old ones is staged again."""
    if warehouse.value("select count(*) from meta.staged where extract = ? and content <> ?", [extract, content]):
        with warehouse.transaction():
            warehouse.run(f"drop table if exists {qualified('stg.' + extract)}")
            warehouse.run("delete from meta.staged where extract = ?", [extract])
            warehouse.run("delete from meta.ledger where extract = ?", [extract])


def _ensure_table(warehouse: Warehouse, contract: Contract, query: Query) -> None:
    """An extract that was never delivered is an empty table, so that SQL above it still runs."""
    if warehouse.exists("stg." + contract.extract):
        return
    view = qualified("delivery." + contract.extract)
    empty = ", ".join(f"cast(null as {SQL_TYPES[column.type]}) as {quoted(column.name)}" for column in contract.columns)
    warehouse.run(
        f"""create or replace view {view} as
            select cast(0 as bigint) as line_number, 0 as period, '' as supplier, {empty} where false"""
    )
    warehouse.run(f"create table {qualified('stg.' + contract.extract)} as {query.sql}")
    warehouse.run(f"drop view {view}")


def _stage(
    warehouse: Warehouse, contract: Contract, query: Query, delivery: Landed, periods: set[int], content: str
) -> None:
    """Replace these periods of stg by the checked delivery, all or nothing, and write the ledger beside it."""
    extract, table = contract.extract, qualified("stg." + contract.extract)
    names = ", ".join(quoted(column.name) for column in contract.columns)
    chosen = ", ".join(str(period) for period in sorted(periods))
    amount = _amount_sql(contract)
    with warehouse.transaction():
        warehouse.run(
            f"""create or replace view {qualified("delivery." + extract)} as
                select line_number, period, supplier, {names} from {CHECKED}
                where broken_rule is null and period in ({chosen})"""
        )
        warehouse.run(f"delete from {table} where supplier = ? and period in ({chosen})", [delivery.supplier])
        warehouse.run(f"insert into {table} by name {query.sql}")
        for slots in ("meta.staged", "meta.ledger"):
            warehouse.run(
                f"delete from {slots} where extract = ? and supplier = ? and period in ({chosen})",
                [extract, delivery.supplier],
            )
        # A broken row may have lost its period; it then counts with the first period of its file.
        warehouse.run(
            f"""insert into meta.ledger
                with counted as (
                    select coalesce(period, {min(delivery.periods)}) as period, broken_rule, {amount} as amount_eur from {CHECKED}
                )
                select $extract, period, $supplier, stage, reason, count(*), coalesce(sum(amount_eur), 0)
                from (
                    select period, 'delivered' as stage, 'all' as reason, amount_eur from counted
                    union all
                    select period, 'set_aside' as stage, broken_rule as reason, amount_eur from counted where broken_rule is not null
                ) where period in ({chosen}) group by all
                union all
                select $extract, period, $supplier, 'staged', 'all', count(distinct stg.line_number),
                       (select coalesce(sum({amount}), 0) from {CHECKED} as c where c.broken_rule is null and c.period = stg.period)
                from {table} as stg where supplier = $supplier and period in ({chosen}) group by period""",
            {"extract": extract, "supplier": delivery.supplier},
        )
        for period in sorted(periods):
            warehouse.run(
                "insert into meta.staged values (?, ?, ?, ?, ?)",
                [extract, period, delivery.supplier, delivery.sha256, content],
            )
    warehouse.run(f"drop view {qualified('delivery.' + extract)}; drop table {CHECKED}; drop table {RAW}")
    log.info("staged %s for %s", extract, chosen)


def _amount_sql(contract: Contract) -> str:
    """Net euros of one row, as the contract's ledger defines them."""
    if contract.ledger is None or contract.ledger.amount is None:
        return "cast(0 as decimal(18, 2))"
    total = " + ".join(f"coalesce({quoted(column)}, 0)" for column in contract.amount_columns())
    for column, value in contract.ledger.amount.negative_when.items():
        total = f"(case when {quoted(column)} = {literal(value)} then -1 else 1 end) * ({total})"
    return (
        f"cast({total} as decimal(18, 2)) / 100" if contract.ledger.amount.cents else f"cast({total} as decimal(18, 2))"
    )
