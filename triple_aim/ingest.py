"""Delivery → stg + verdict + set-aside rows: the first floor.

Not here: file formats (``formats``), the store of deliveries (``landing``), sums (``cubes``). A delivery is taken whole
or refused whole; within a delivery that is taken, rows that break a row rule are set aside and counted by rule.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from triple_aim.contracts import Column, Contract, PeriodFromFile, Rule
from triple_aim.errors import DeliveryError
from triple_aim.formats import RAW, load_raw
from triple_aim.landing import Landed, accept, arriving, discover, landed
from triple_aim.periods import FIRST_PERIOD
from triple_aim.privacy import find_identifiers
from triple_aim.project import Project
from triple_aim.queries import Query
from triple_aim.warehouse import Warehouse, literal, qualified, quoted

log = logging.getLogger(__name__)

CHECKED = "delivery.checked"
SQL_TYPES = {
    "text": "varchar",
    "code": "varchar",
    "integer": "bigint",
    "decimal": "decimal(18, 2)",
    "number": "double",
    "date": "date",
}
SHAPES = {
    "integer": r"-?[0-9]{1,18}(\.0+)?",
    "decimal": r"-?[0-9]{1,15}(\.[0-9]{1,2})?",
    "number": r"-?[0-9]{1,15}(\.[0-9]+)?([eE]-?[0-9]{1,3})?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
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
            in_file = _check(warehouse, contract, found.name, copy, period, supplier, project.quarantine, sha256)
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
        _check(warehouse, contract, delivery.name, path, period, supplier, project.quarantine, delivery.sha256)
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


def _check(
    warehouse: Warehouse,
    contract: Contract,
    name: str,
    path: Path,
    period: int | None,
    supplier: str,
    quarantine: Path,
    sha256: str,
) -> list[int]:
    """Fill ``delivery.checked`` with typed rows and the first rule each breaks; refuse what may not be taken."""
    files = next(files for files in contract.files if fnmatch(name, files.pattern))
    headers = load_raw(warehouse, path, files, name)
    physical = _match_headers(contract, headers, name, period)
    findings = find_identifiers(warehouse, RAW, {f"c{i}": header for i, header in enumerate(headers)})
    if findings:
        raise DeliveryError(
            f"direct identifiers: {'; '.join(findings[:3])}", name, "deliver without them, with pseudonymised keys"
        )
    types = dict(warehouse.header(f"select * from {RAW}"))
    decimal = getattr(files.format, "decimal", ".")
    rules: list[tuple[str, str]] = []
    values: list[str] = []
    for column in contract.columns:
        value, broken = _column_sql(column, physical.get(column.name), types, decimal)
        values.append(f"{value} as {quoted(column.name)}")
        rules += [(f"{column.name}.{rule}", sql) for rule, sql in broken]
    # Rules see the text (prefix t_) next to the typed value, so that an unreadable value is told from a missing one.
    texts = [
        f"{_text_sql(c, p, types)} as {quoted('t_' + c.name)}" for c in contract.columns if (p := physical.get(c.name))
    ]
    rules += [(rule.id, _rule_sql(rule)) for rule in contract.rules]
    cases = " ".join(f"when {sql} then {literal(rule)}" for rule, sql in rules)
    at = f"cast({period} as integer)" if period is not None else f"cast({quoted(contract.period.column)} as integer)"  # type: ignore[union-attr]
    warehouse.run(
        f"""create or replace table {CHECKED} as
            with texts as (select line_number, {", ".join(texts)} from {RAW}),
            typed as (select *, {", ".join(values)} from texts)
            select *, {at} as period, {literal(supplier)} as supplier,
                   case {cases} end as broken_rule
            from typed"""
    )
    _refuse_unless_acceptable(warehouse, contract, name)
    _write_quarantine(warehouse, quarantine / contract.extract, sha256)
    return [
        row[0] for row in warehouse.rows(f"select distinct period from {CHECKED} where broken_rule is null order by 1")
    ]


def _match_headers(contract: Contract, headers: list[str], name: str, period: int | None) -> dict[str, str]:
    """Contract column → physical column; a missing or unknown header refuses the delivery."""
    physical: dict[str, str] = {}
    for column in contract.columns:
        hits = [i for i, header in enumerate(headers) if any(fnmatch(header, known) for known in column.headers)]
        if len(hits) > 1:
            raise DeliveryError(f"several headers could be {column.name}", f"{name}:1", "deliver one of them")
        if hits:
            physical[column.name] = f"c{hits[0]}"
    missing = [c.name for c in contract.columns if c.in_period(period) and c.name not in physical]
    extra = [h for i, h in enumerate(headers) if f"c{i}" not in physical.values()]
    early = [c.name for c in contract.columns if not c.in_period(period) and c.name in physical]
    if missing or early or (extra and contract.extra_columns == "refuse"):
        parts = [("lacks", missing), ("does not expect", extra if contract.extra_columns == "refuse" else [])]
        parts.append(("should not have in this period", early))
        told = "; ".join(f"{verb} {', '.join(names[:5])}" for verb, names in parts if names)
        raise DeliveryError(
            f"the columns are not the contract's: it {told}",
            f"{name}:1",
            f"compare with contracts/{contract.extract}.yaml",
        )
    return physical


def _text_sql(column: Column, physical: str, types: dict[str, str]) -> str:
    """The delivered value as trimmed text, null where it means missing."""
    source = quoted(physical)
    if types[physical] in ("DOUBLE", "FLOAT"):  # SPSS and Excel know no integers: 1.0 is the code 1
        source = f"case when {source} = floor({source}) and abs({source}) < 1e15 then cast(cast({source} as bigint) as varchar) else cast({source} as varchar) end"
    text = f"trim(cast({source} as varchar))"
    if column.type in ("text", "code"):  # " 0 t/m  4 jaar" is padded inside as well
        text = f"case when {text} like '%  %' then regexp_replace({text}, '\\s+', ' ', 'g') else {text} end"
    absent = ", ".join(literal(word) for word in ["", *column.missing])
    return f"case when {text} not in ({absent}) then {text} end"


def _column_sql(
    column: Column, physical: str | None, types: dict[str, str], decimal: str
) -> tuple[str, list[tuple[str, str]]]:
    """The typed value of a column and its rules as ``(name, SQL that is true where the rule is broken)``."""
    sql_type = SQL_TYPES[column.type]
    if physical is None:
        return f"cast(null as {sql_type})", []
    text, name = quoted("t_" + column.name), quoted(column.name)
    rules: list[tuple[str, str]] = []
    if not column.nullable:
        rules.append(("required", f"{text} is null"))
    native = types[physical] not in ("VARCHAR", "DOUBLE", "FLOAT")
    plain = text
    if column.type in SHAPES:
        plain = f"replace({text}, ',', '.')" if decimal == "," and not native else text
        shape = SHAPES[column.type]
        strict = shape.replace(r"\.", ",") if decimal == "," and not native else shape
        rules.append(
            (
                "type",
                f"not regexp_full_match({text}, {literal(strict)}) or try_cast({plain} as {sql_type}) is null and {text} is not null",
            )
        )
    value = plain if sql_type == "varchar" else f"try_cast({plain} as {sql_type})"
    if column.codes is not None:
        rules.append(("code", f"{text} not in ({', '.join(literal(code) for code in column.codes)})"))
    if column.pattern:
        rules.append(("pattern", f"not regexp_full_match({text}, {literal(column.pattern)})"))
    if column.range:
        bounds = [(column.range.min, "<"), (column.range.max, ">")]
        rules.append(("range", " or ".join(f"{name} {sign} {bound!r}" for bound, sign in bounds if bound is not None)))
    if column.listed_in:
        table, _, field = column.listed_in.partition(".")
        rules.append(
            (
                "unlisted",
                f"{text} is not null and {text} not in (select {quoted(field)} from {qualified('ref.' + table)})",
            )
        )
    return value, rules


def _rule_sql(rule: Rule) -> str:
    column, other = quoted(rule.column), quoted(rule.other)
    if rule.kind == "not_before":
        return f"{column} < {other}"
    return f"{column} is not null and {column} not in (select {other} from typed where {other} is not null)"


def _refuse_unless_acceptable(warehouse: Warehouse, contract: Contract, name: str) -> None:
    total, broken, undated = warehouse.rows(
        f"select count(*), count(broken_rule), count(*) filter (where broken_rule is null and period is null) from {CHECKED}"
    )[0]
    if total == 0 or undated:
        raise DeliveryError("the delivery holds no row of any period", name, "check that the right file was delivered")
    if broken > contract.set_aside.max_share * total:
        counts = warehouse.rows(
            f"select broken_rule, count(*) from {CHECKED} where broken_rule is not null group by 1 order by 2 desc, 1 limit 4"
        )
        told = ", ".join(f"{rule} {count:,}" for rule, count in counts)
        raise DeliveryError(
            f"{broken:,} of {total:,} rows break a rule ({told})",
            name,
            f"mend the rows; at most {contract.set_aside.max_share:.1%} may be set aside (contracts/{contract.extract}.yaml)",
        )
    if contract.key:
        keys = ", ".join(quoted(key) for key in contract.key)
        twice = warehouse.value(
            f"select count(*) from (select 1 from {CHECKED} where broken_rule is null group by {keys} having count(*) > 1)"
        )
        if twice:
            raise DeliveryError(
                f"{twice:,} keys ({', '.join(contract.key)}) occur more than once", name, "deliver each once"
            )


def _write_quarantine(warehouse: Warehouse, folder: Path, sha256: str) -> None:
    """Set-aside rows as delivered, with line and rule, for the data steward alone."""
    broken = f"select checked.broken_rule, raw.* from {CHECKED} as checked join {RAW} as raw using (line_number) where checked.broken_rule is not null"
    if not warehouse.value(f"select count(broken_rule) from {CHECKED}"):
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"{sha256}.parquet"
    warehouse.run(
        f"copy ({broken} order by raw.line_number) to {literal(str(target))} (format parquet, compression zstd)"
    )
    os.chmod(target, 0o600)


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
