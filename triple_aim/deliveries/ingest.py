"""Delivery → stg + verdict + set-aside rows: the first floor.

Not here: judging a file (``validation``), the store of deliveries (``landing``), sums (``triple_aim.cubes``). A
delivery is taken whole or refused whole; within a delivery that is taken, rows that break a row rule are set aside
and counted by rule.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

from triple_aim.definitions import Contract, PeriodFromFile, Project
from triple_aim.deliveries.contributions import current_contributions
from triple_aim.deliveries.landing import (
    Found,
    Landed,
    Slot,
    accept,
    arriving,
    discover,
    is_unchanged,
    kept,
    landed,
    latest,
    slot_name,
    slots_of,
)
from triple_aim.deliveries.staging import keep_file, show, shown_files, staged_table, start
from triple_aim.deliveries.validation import CHECKED, Judged, check_delivery, forget_delivery
from triple_aim.errors import ContentError, DeliveryError, ProjectError
from triple_aim.periods import FIRST_PERIOD
from triple_aim.warehouse import (
    EngineError,
    Query,
    Warehouse,
    is_machine_failure,
    is_sql_fault,
    literal,
    masked,
    qualified,
    quoted,
)

Transaction: TypeAlias = Callable[[], AbstractContextManager[None]]

log = logging.getLogger(__name__)

#: The ledger of one's own deliveries and that of other parties have one shape.
LEDGER = """
    (extract varchar, period integer, supplier varchar, stage varchar, reason varchar,
     row_count bigint, amount_eur decimal(18, 2))"""
META = f"""
create table if not exists meta.staged
    (extract varchar, period integer, supplier varchar, delivery varchar, content varchar);
create table if not exists meta.ledger {LEDGER};
"""


@dataclass(frozen=True)
class Ingested:
    """What one run did to one extract; counts only."""

    accepted: int
    unchanged: int
    staged_periods: tuple[int, ...]
    rows: int
    set_aside: int


def ingest_extract(
    warehouse: Warehouse, project: Project, contract: Contract, query: Query, periods: Iterable[int]
) -> Ingested:
    """Take what was newly delivered for these periods, then stage whatever the landing area holds and stg does not.

    A refused file stops neither the other files nor what was taken before; it is told when they are done.
    """
    extract, wanted = contract.extract, set(periods)
    warehouse.run(META)
    content = _content(project, contract, query)
    before = dict(warehouse.rows("select (period, supplier), content from meta.staged where extract = ?", [extract]))
    is_older = warehouse.kind(f"stg.{extract}") == "BASE TABLE"  # before it was a view
    is_changed = is_older or bool(set(before.values()) - {content})
    # Under another contract, SQL or code list everything is staged anew or nothing is: one transaction for all.
    together, each = (warehouse.transaction, nullcontext) if is_changed else (nullcontext, warehouse.transaction)
    refused: list[DeliveryError] = []
    try:
        with _foreseen(contract), together():
            if is_changed or not before:
                _empty(warehouse, contract, query)
            known = landed(project.landing, extract)
            _forget_lost(warehouse, contract, query, known)
            _prove_shown(warehouse, project, contract, known)
            accepted = unchanged = 0
            for found in discover(project.deliveries, contract):
                try:
                    delivery = _take(warehouse, project, contract, query, found, known, wanted, content, each)
                except DeliveryError as error:
                    refused.append(error)
                    continue
                known += [delivery] if delivery else []
                accepted += delivery is not None
                unchanged += delivery is None and _is_wanted(contract, found, wanted)
            slots = {slot for slot in slots_of(known) if slot[0] in wanted or slot in before}
            staged = _restage(warehouse, project, contract, query, known, slots, content, each)
    finally:
        forget_delivery(warehouse)
    if refused:
        more = f" (and {len(refused) - 1} more files are refused)" if len(refused) > 1 else ""
        raise DeliveryError(refused[0].what + more, refused[0].where, refused[0].how) from None
    rows, aside = warehouse.rows(
        """select coalesce(sum(row_count) filter (where stage = 'staged'), 0),
                  coalesce(sum(row_count) filter (where stage = 'set_aside'), 0)
           from meta.ledger where extract = ?""",
        [extract],
    )[0]
    return Ingested(accepted, unchanged, tuple(sorted(staged)), int(rows), int(aside))


def delivered_periods(project: Project, contracts: Iterable[Contract]) -> list[int]:
    """The periods of all delivered, landed or contributed; all of them while some file has yet to be read to know."""
    periods = {period for there in current_contributions(project.landing) for period in there.manifest.periods}
    for contract in contracts:
        known = landed(project.landing, contract.extract)
        periods |= {period for delivery in known for period in delivery.periods}
        for found in discover(project.deliveries, contract):
            period, _ = _named(contract, found.name)
            if period is not None:
                periods.add(period)
            elif not is_unchanged(known, found):
                periods |= set(range(FIRST_PERIOD, datetime.date.today().year + 1))
    return sorted(periods)


def inputs(warehouse: Warehouse) -> dict[str, str]:
    """What stg now rests on: ``extract/period/supplier`` → hash of the delivery."""
    if not warehouse.exists("meta.staged"):
        return {}
    rows = warehouse.rows("select extract, period, supplier, delivery from meta.staged order by all")
    return {slot_name(extract, period, supplier): delivery for extract, period, supplier, delivery in rows}


@contextmanager
def _foreseen(contract: Contract) -> Iterator[None]:
    """A full disk, or values the SQL cannot hold, in our own words: the engine's would quote a row."""
    where = f"stg.{contract.extract}"
    try:
        yield
    except OSError as error:
        raise ProjectError(
            f"the disk refused: {error.strerror or type(error).__name__}",
            where,
            "check space and rights of deliveries and work; what was staged still stands",
        ) from error
    except EngineError as error:
        if is_machine_failure(error):
            raise ProjectError(
                "the disk or the memory is full",
                where,
                "free some, or raise memory_limit; what was staged still stands",
            ) from None
        if is_sql_fault(error):
            raise ContentError(masked(error), f"sql/staging/{contract.extract}.sql", "mend the SQL") from None
        raise DeliveryError(
            f"a value does not fit the staging SQL: {masked(error)}", where, "compare contract and SQL, and the amounts"
        ) from None


def _content(project: Project, contract: Contract, query: Query) -> str:
    """The hash of all that decides what a delivery becomes: contract, SQL and the code lists they name."""
    digest = hashlib.sha256((contract.model_dump_json() + query.hash).encode())
    tables = {column.listed_in.split(".")[0] for column in contract.columns if column.listed_in}
    tables |= {table.removeprefix("ref.") for table in query.reads if table.startswith("ref.")}
    for table in sorted(tables):
        for path in project.reference.glob(f"*/{table}.csv"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _named(contract: Contract, name: str) -> tuple[int | None, str]:
    """Period and supplier as the file's name tells them."""
    if not isinstance(contract.period, PeriodFromFile):
        return None, ""
    match = re.search(contract.period.file_name, name.rsplit("/", 1)[-1])
    if match is None or not re.fullmatch("[0-9]{4}", match["period"]):
        raise DeliveryError(
            "the file's name does not tell its period", name, f"name it so that {contract.period.file_name} fits"
        )
    return int(match["period"]), match.groupdict().get("supplier") or ""


def _is_wanted(contract: Contract, found: Found, wanted: set[int]) -> bool:
    period, _ = _named(contract, found.name)
    return period is None or period in wanted


def _take(
    warehouse: Warehouse,
    project: Project,
    contract: Contract,
    query: Query,
    found: Found,
    known: list[Landed],
    wanted: set[int],
    content: str,
    each: Transaction,
) -> Landed | None:
    """Judge, stage and accept one file; None when there is nothing new in it."""
    period, supplier = _named(contract, found.name)
    # A file that kept name, size and time is not read again; anything else is judged by its hash.
    if not _is_wanted(contract, found, wanted) or is_unchanged(known, found):
        return None
    with arriving(project.landing, found) as (copy, sha256):
        last = latest(known, found.name)
        if last and last.sha256 == sha256:
            return None
        _refuse_twin(known, sha256, found.name, period, supplier)
        if not last and any(delivery.sha256 == sha256 for delivery in known):  # it has another name now
            return None
        judged = check_delivery(warehouse, contract, found.name, copy, period, supplier, project.quarantine, sha256)
        sequence = 1 + max((d.sequence for d in known), default=0)
        delivery = Landed(
            contract.extract, sha256, found.name, supplier, tuple(judged.periods), sequence, found.size, found.modified
        )
        with each():  # what cannot be staged is not accepted, and what is accepted can be staged again
            _stage(warehouse, contract, query, delivery, judged, set(judged.periods), content)
            accept(project.landing, copy, delivery)
            _show(warehouse, contract, query, delivery, judged, project)
    return delivery


def _refuse_twin(known: list[Landed], sha256: str, name: str, period: int | None, supplier: str) -> None:
    """The same bytes for another period or supplier are a file put in the wrong place; the landing keeps bytes once."""
    for delivery in known:
        if period and delivery.sha256 == sha256 and (delivery.periods, delivery.supplier) != ((period,), supplier):
            raise DeliveryError(
                f"it is {delivery.name} once more, byte for byte",
                name,
                "deliver the file of this period and supplier",
            )


def _restage(
    warehouse: Warehouse,
    project: Project,
    contract: Contract,
    query: Query,
    known: list[Landed],
    slots: set[Slot],
    content: str,
    each: Transaction,
) -> set[int]:
    """Bring stg in line with the landing area, also after the warehouse was thrown away."""
    staged = "select (period, supplier), delivery from meta.staged where extract = ?"
    there = dict(warehouse.rows(staged, [contract.extract]))
    winners = {slot: delivery for slot, delivery in slots_of(known).items() if slot in slots}
    stale = {slot: delivery for slot, delivery in winners.items() if there.get(slot) != delivery.sha256}
    for delivery in {d.sha256: d for d in stale.values()}.values():
        path = kept(project.landing, delivery)
        period, supplier = _named(contract, delivery.name)
        judged = check_delivery(
            warehouse, contract, delivery.name, path, period, supplier, project.quarantine, delivery.sha256
        )
        with each():
            chosen = {period for (period, _), d in stale.items() if d.sha256 == delivery.sha256}
            _stage(warehouse, contract, query, delivery, judged, chosen, content)
            _show(warehouse, contract, query, delivery, judged, project)
    return {period for period, _ in winners}


def _empty(warehouse: Warehouse, contract: Contract, query: Query) -> None:
    """Nothing of an extract is staged."""
    start(warehouse, contract, query)
    for table in ("meta.staged", "meta.ledger"):
        warehouse.run(f"delete from {table} where extract = ?", [contract.extract])
    show(warehouse, contract, query)


def _forget_lost(warehouse: Warehouse, contract: Contract, query: Query, known: list[Landed]) -> None:
    """What was staged of a delivery that was taken back is staged no more."""
    lost = warehouse.rows(
        "select period, supplier from meta.staged where extract = ? and not list_contains(?, delivery)",
        [contract.extract, [delivery.sha256 for delivery in known]],
    )
    _unstage(warehouse, contract.extract, lost)
    if lost:
        show(warehouse, contract, query)


def _unstage(warehouse: Warehouse, extract: str, slots: Iterable[Slot]) -> None:
    """Take out the staged text of these slots, and what is known of them."""
    for slot in slots:
        warehouse.run(f"delete from {staged_table(extract)} where period = ? and supplier = ?", list(slot))
        for table in ("meta.staged", "meta.ledger"):
            warehouse.run(f"delete from {table} where extract = ? and period = ? and supplier = ?", [extract, *slot])


def _prove_shown(warehouse: Warehouse, project: Project, contract: Contract, known: list[Landed]) -> None:
    """Make sure that the files that stg shows are still those that were accepted."""
    shown = shown_files(warehouse, contract.extract)
    for delivery in known:
        if delivery.sha256 in shown:
            kept(project.landing, delivery)


def _show(
    warehouse: Warehouse, contract: Contract, query: Query, delivery: Landed, judged: Judged, project: Project
) -> None:
    """Let stg show what was staged, of a file that now lies in the landing area."""
    if judged.is_parquet:
        keep_file(warehouse, contract, delivery, judged, project.landing)
    show(warehouse, contract, query)


def _stage(
    warehouse: Warehouse,
    contract: Contract,
    query: Query,
    delivery: Landed,
    judged: Judged,
    periods: set[int],
    content: str,
) -> None:
    """Replace these periods of stg by the checked delivery and write the ledger beside it, in one transaction."""
    extract, table = contract.extract, staged_table(contract.extract)
    names = ", ".join(quoted(column.name) for column in contract.columns)
    chosen = ", ".join(str(period) for period in sorted(periods))
    warehouse.run(
        f"""create or replace view {qualified("delivery." + extract)} as
            select line_number, period, supplier, {names} from {CHECKED}
            where broken_rule is null and period in ({chosen})"""
    )
    _unstage(warehouse, extract, [(period, delivery.supplier) for period in periods])
    staged = f"({query.sql}\n)"
    lines = "count(*), sum(line_number), bit_xor(hash(line_number))"
    if judged.is_parquet:  # no row of it is kept, but each is made once: what cannot be staged shows now
        values = ", ".join(quoted(column) for column in query.columns if column in query.made) or "0"
        *found, _ = warehouse.rows(f"select {lines}, bit_xor(hash({values})) from {staged}")[0]
    else:
        warehouse.run(f"insert into {table} by name {query.sql}")
        staged = f"{table} where supplier = {literal(delivery.supplier)} and period in ({chosen})"
        found = list(warehouse.rows(f"select {lines} from {staged}")[0])
    # A broken row may hold no period of its file; it then counts with the file's first.
    periods_of_file = ", ".join(str(period) for period in delivery.periods)
    is_staged = "broken_rule is null"
    if found != list(warehouse.rows(f"select {lines} from {CHECKED} where {is_staged} and period in ({chosen})")[0]):
        is_staged += f" and line_number in (select line_number from {staged})"  # every line is much to hold
    warehouse.run(
        f"""insert into meta.ledger
            with counted as (
                select
                    case when period in ({periods_of_file}) then period else {min(delivery.periods)} end as period,
                    broken_rule,
                    {is_staged} as is_staged,
                    count(*) as row_count,
                    coalesce(sum({_amount_sql(contract)}), 0) as amount_eur
                from {CHECKED} group by all
            ),
            told as (
                select *, 'delivered' as stage, 'all' as reason from counted
                union all
                select *, 'set_aside', broken_rule from counted where broken_rule is not null
                union all
                select *, 'staged', 'all' from counted where is_staged
            )
            select $extract, period, $supplier, stage, reason, sum(row_count), sum(amount_eur)
            from told where period in ({chosen}) group by all""",
        {"extract": extract, "supplier": delivery.supplier},
    )
    for period in sorted(periods):
        warehouse.run(
            "insert into meta.staged values (?, ?, ?, ?, ?)",
            [extract, period, delivery.supplier, delivery.sha256, content],
        )
    log.info("staged %s for %s", extract, chosen)


def _amount_sql(contract: Contract) -> str:
    """Net euros of one row, as the contract's ledger defines them; decimals throughout, so that cents stay cents."""
    if contract.ledger is None or contract.ledger.amount is None:
        return "cast(0 as decimal(18, 2))"
    amount = contract.ledger.amount
    total = " + ".join(f"coalesce({quoted(column)}, 0)" for column in contract.amount_columns())
    for column, value in amount.negative_when.items():
        total = f"(case when {quoted(column)} = {literal(value)} then -1 else 1 end) * ({total})"
    return f"cast(({total}){' * 0.01' if amount.cents else ''} as decimal(18, 2))"
