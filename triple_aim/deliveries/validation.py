"""Checks a delivered file against its contract: gives typed rows with the first rule that each breaks, or refuses it.

Not here: file formats (``formats``), identifiers (``identifiers``), staging of the rows (``staging``). A rule becomes
SQL that is true for a row that breaks it. It reads the delivered text and the typed value, to distinguish an unreadable
value from a missing one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from triple_aim.definitions import Column, Contract, PeriodFromColumn, Rule
from triple_aim.deliveries.column_profiles import DATE, INTEGERS, ColumnProfile, profile_columns
from triple_aim.deliveries.extract import Extract
from triple_aim.deliveries.formats import RAW, REDELIVER, drop_raw, load_raw
from triple_aim.deliveries.identifiers import find_identifiers
from triple_aim.errors import ContentError, DeliveryError
from triple_aim.warehouse import (
    EngineError,
    Warehouse,
    is_machine_failure,
    is_sql_fault,
    literal,
    masked_message,
    qualified,
    quoted,
)

#: Temporary, like RAW: a view of the typed rows; a table of them with the rule that each breaks; a table of the broken
#: lines with their rules; and a view of all rows with their rules.
TYPED, READ, BROKEN, CHECKED = (f"temp.main.delivery_{name}" for name in ("typed", "read", "broken", "checked"))
SQL_TYPES = {
    "text": "varchar",
    "code": "varchar",
    "integer": "bigint",
    "decimal": "decimal(18, 2)",
    "number": "double",
    "date": "date",
}
SHAPES = {
    "integer": r"-?[0-9]{1,18}(\.0)?",  # pandas writes 12 as 12.0, but 1.000 may be a thousand
    "decimal": r"-?[0-9]{1,15}(\.[0-9]{1,2})?",
    "number": r"-?[0-9]{1,15}(\.[0-9]+)?([eE]-?[0-9]{1,3})?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
#: Delivered types that need no conversion from text, by type of the contract; LIMITS apply to their values.
TYPED_AS = {"integer": INTEGERS, "number": INTEGERS | {"DOUBLE"}, "decimal": INTEGERS, "date": {DATE}}
LIMITS = {
    "integer": "{0} > -1e18 and {0} < 1e18",
    "number": "isfinite({0}) and {0} > -1e15 and {0} < 1e15",  # NaN is not in the statistics of a file
    "decimal": "{0} > -1e15 and {0} < 1e15",
    "date": "year({0}) between 1 and 9999",
}
#: Bounds within which every value meets its limit.
SAFE_BOUNDS = {"date": (1, 9999)}
SAFE_NUMBER_BOUNDS = (-999_999_999_999_999, 999_999_999_999_999)


@dataclass(frozen=True)
class CheckedDelivery:
    """An acceptable delivery: its periods with good rows, and SQL that converts its rows."""

    periods: list[int]
    is_parquet: bool
    typed: str  # SQL of common table expressions: ``dated`` with typed rows, from ``raw``


def check_delivery(extract: Extract, name: str, path: Path, sha256: str) -> CheckedDelivery:
    """Create ``CHECKED``, the typed rows with the first rule each breaks; refuse a file that breaks its contract."""
    warehouse, contract = extract.warehouse, extract.contract
    period, supplier = contract.period_of(name)
    with _reporting_unreadable_values(name):
        files = next(files for files in contract.files if fnmatch(name, files.pattern))
        headers = load_raw(warehouse, path, files, name)
        physical = _match_headers(contract, headers, name, period)
        profiles = profile_columns(warehouse)
        findings = find_identifiers(warehouse, RAW, {f"c{i}": header for i, header in enumerate(headers)}, profiles)
        if findings:
            raise DeliveryError(
                f"direct identifiers: {'; '.join(findings[:3])}",
                name,
                "deliver the file without them, with pseudonymised keys",
            )
        decimal = getattr(files.format, "decimal", ".")
        rules: list[tuple[str, str]] = []
        values: list[str] = []
        delivered: list[str] = []
        for column in contract.columns:
            profile = profiles.get(physical.get(column.name, ""))
            if profile:
                delivered.append(f"{_delivered_sql(column, profile)} as {quoted('t_' + column.name)}")
            if column.listed_in and not warehouse.exists(f"ref.{column.listed_in.split('.')[0]}"):
                raise ContentError(
                    f"{column.name} is listed in {column.listed_in}, which does not exist",
                    f"contracts/{contract.extract}.yaml",
                    "name a table and column of reference/",
                )
            value, broken = _column_sql(column, profile, decimal)
            values.append(f"{value} as {quoted(column.name)}")
            rules += [(f"{column.name}.{rule}", sql) for rule, sql in broken]
        names = ", ".join(f"typed.{quoted(column.name)}" for column in contract.columns)
        period_sql = quoted(contract.period.column) if isinstance(contract.period, PeriodFromColumn) else str(period)
        typed = f"""delivered as (select line_number, {", ".join(delivered)} from raw),
            typed as (select *, {", ".join(values)} from delivered),
            dated as (select *, try_cast({period_sql} as integer) as period from typed)"""
        warehouse.run(
            f"create or replace temp view {TYPED} as with raw as (select * from {RAW}), {typed} select * from dated"
        )
        is_parquet = files.format.type == "parquet"
        if is_parquet:  # reading one column is fast, and no row breaks most rules: drop these from the next query
            rules = [(rule, sql) for rule, sql in rules if warehouse.value(f"select exists (from {TYPED} where {sql})")]
        rules += [(rule.id, _rule_sql(rule)) for rule in contract.rules]
        cases = " ".join(f"when {sql} then {literal(rule)}" for rule, sql in rules) or "when false then ''"
        facts = f"line_number, {names}, typed.period, {literal(supplier)} as supplier"
        checked = f"select {facts}, case {cases} end as broken_rule from {TYPED} as typed"
        with_rules = (
            f"select {facts}, broken.broken_rule from {TYPED} as typed left join {BROKEN} as broken using (line_number)"
        )
        if not is_parquet:  # text is converted once, into a table; typed columns are not copied
            warehouse.run(f"create or replace temp table {READ} as {checked}")
            checked = with_rules = f"select * from {READ}"
        warehouse.run(
            f"""create or replace temp table {BROKEN} as
                select line_number, broken_rule from ({checked}) where broken_rule is not null"""
        )
        warehouse.run(f"create or replace temp view {CHECKED} as {with_rules}")
        _refuse_unless_acceptable(warehouse, contract, name)
        _write_quarantine(warehouse, extract.project.quarantine / contract.extract / f"{sha256}.parquet")
        periods = warehouse.rows(f"select distinct period from {CHECKED} where broken_rule is null order by 1")
        return CheckedDelivery([period for (period,) in periods], is_parquet, typed)


@contextmanager
def _reporting_unreadable_values(name: str) -> Iterator[None]:
    """Refuse a file with a value that the engine cannot read; a Parquet file is read only during the check."""
    try:
        yield
    except EngineError as error:
        if is_machine_failure(error) or is_sql_fault(error):
            raise
        raise DeliveryError(f"a value cannot be read: {masked_message(error)}", name, REDELIVER) from None


def _match_headers(contract: Contract, headers: list[str], name: str, period: int | None) -> dict[str, str]:
    """Contract column → physical column; refuse a delivery with a missing or an unknown header."""
    physical: dict[str, str] = {}
    for column in contract.columns:
        hits = [i for i, header in enumerate(headers) if any(fnmatch(header, known) for known in column.headers)]
        if len(hits) > 1:
            raise DeliveryError(f"several headers fit the column {column.name}", f"{name}:1", "deliver one of them")
        if hits:
            physical[column.name] = f"c{hits[0]}"
    if (len(physical) <= len(headers) / 4 and contract.extra_columns == "refuse") or not physical:
        # The first line may contain data of a person, so the message does not quote it.
        raise DeliveryError(
            f"the first line is not a header: {len(physical)} of its {len(headers)} fields are columns of the contract",
            f"{name}:1",
            f"deliver the header of contracts/{contract.extract}.yaml",
        )
    missing = [c.name for c in contract.columns if c.in_period(period) and c.name not in physical]
    extra = [_printable(h, i) for i, h in enumerate(headers) if f"c{i}" not in physical.values()]
    early = [c.name for c in contract.columns if not c.in_period(period) and c.name in physical]
    if missing or early or (extra and contract.extra_columns == "refuse"):
        parts = [("missing", missing), ("not expected", extra if contract.extra_columns == "refuse" else [])]
        parts.append(("not expected in this period", early))
        differences = "; ".join(f"{label}: {', '.join(names[:5])}" for label, names in parts if names)
        raise DeliveryError(
            f"the columns differ from the contract ({differences})",
            f"{name}:1",
            f"compare with contracts/{contract.extract}.yaml",
        )
    return physical


def _printable(header: str, place: int) -> str:
    """A header for a message: short, without control characters and without numbers that may identify a person."""
    shown = re.sub(r"[^\w .()-]", "?", header)[:40]
    return shown if shown and not re.search("[0-9]{5}", shown) else f"column {place + 1}"


def _delivered_sql(column: Column, profile: ColumnProfile) -> str:
    """SQL for the delivered value, null when missing: unchanged when its type fits the contract, otherwise as text."""
    if _is_typed(column, profile):
        return quoted(profile.column)
    text = profile.text
    if column.type in ("text", "code") and profile.is_padded:  # " 0 t/m  4 jaar" has double blanks inside too
        text = f"case when contains({text}, '  ') then regexp_replace({text}, '\\s+', ' ', 'g') else {text} end"
    if not column.missing:
        return f"nullif({text}, '')" if profile.may_be_empty else text
    missing = ", ".join(literal(word) for word in ["", *column.missing])
    return f"case when {text} not in ({missing}) then {text} end"


def _is_typed(column: Column, profile: ColumnProfile) -> bool:
    """Whether the delivered type needs no conversion from text; a column with codes for missing is read as text."""
    return not column.missing and profile.kind in TYPED_AS.get(column.type, ())


def _is_always_present(column: Column, profile: ColumnProfile) -> bool:
    """Whether every row of the file has a value."""
    return profile.is_complete and not column.missing and (_is_typed(column, profile) or not profile.may_be_empty)


def _column_sql(column: Column, profile: ColumnProfile | None, decimal: str) -> tuple[str, list[tuple[str, str]]]:
    """SQL for the typed value of a column, and its rules as ``(name, SQL that is true for a row that breaks it)``.

    Rules that no row of the file can break, by its profile, are left out.
    """
    sql_type = SQL_TYPES[column.type]
    if profile is None:
        return f"cast(null as {sql_type})", []
    value = text = quoted("t_" + column.name)
    name = quoted(column.name)
    is_typed = _is_typed(column, profile)
    meets_limits = profile.is_within(*SAFE_BOUNDS.get(column.type, SAFE_NUMBER_BOUNDS))
    rules: list[tuple[str, str]] = []
    if not column.nullable and not _is_always_present(column, profile):
        rules.append(("required", f"{value} is null"))
    if column.type in SHAPES:
        if is_typed:
            text = f"cast({value} as varchar)"
            # Needed even when all values meet the limits: otherwise the engine uses the statistics of the file.
            value = f"case when {LIMITS[column.type].format(value)} then {value} end"
            value = value if sql_type.upper() == profile.kind else f"cast({value} as {sql_type})"
        else:
            value = _parse_sql(column, text, sql_type, decimal)
        if not (is_typed and meets_limits):
            rules.append(("type", f"{text} is not null and {name} is null"))
    if column.codes is not None:
        rules.append(("code", f"{text} not in ({', '.join(literal(code) for code in column.codes)})"))
    if column.pattern:
        rules.append(("pattern", f"not regexp_full_match({text}, {literal(column.pattern)})"))
    if column.range and not (is_typed and meets_limits and profile.is_within(column.range.min, column.range.max)):
        bounds = [(column.range.min, "<"), (column.range.max, ">")]
        rules.append(("range", " or ".join(f"{name} {sign} {bound!r}" for bound, sign in bounds if bound is not None)))
    if column.listed_in:
        table, _, listed = column.listed_in.partition(".")
        rules.append(
            (
                "unlisted",
                f"{text} is not null and {text} not in (select {quoted(listed)} from {qualified('ref.' + table)})",
            )
        )
    return value, rules


def _parse_sql(column: Column, text: str, sql_type: str, decimal: str) -> str:
    """SQL that reads a value from text, null for another shape: a plain cast reads 1.5 as 2, and 1e999 as infinity."""
    shape, plain = SHAPES[column.type], text
    if decimal == ",":
        shape, plain = shape.replace(r"\.", ","), f"replace({text}, ',', '.')"
    cast = f"try_cast({plain} as {sql_type})"
    readable = f"regexp_full_match({text}, {literal(shape)})"
    readable += f" and isfinite({cast})" if column.type == "number" else ""
    return f"case when {readable} then {cast} end"


def _rule_sql(rule: Rule) -> str:
    column, other = quoted(rule.column), quoted(rule.other)
    if rule.kind == "not_before":
        return f"{column} < {other}"
    # Compare only with values that some row refers to: a set of all values of a nation does not fit in memory.
    wanted = f"select {column} from {TYPED} where {column} is not null"
    return f"{column} is not null and {column} not in (select {other} from {TYPED} where {other} in ({wanted}))"


def _refuse_unless_acceptable(warehouse: Warehouse, contract: Contract, name: str) -> None:
    total, broken, undated = warehouse.rows(
        f"""select count(*), count(broken_rule), count(*) filter (where broken_rule is null and period is null)
            from {CHECKED}"""
    )[0]
    if total == 0 or undated:
        raise DeliveryError("the delivery has no row of any period", name, "check that the right file was delivered")
    if broken > contract.set_aside.max_share * total:
        counts = warehouse.rows(
            f"""select broken_rule, count(*) from {CHECKED} where broken_rule is not null
                group by 1 order by 2 desc, 1 limit 4"""
        )
        by_rule = ", ".join(f"{rule} {count:,}" for rule, count in counts)
        most = f"at most {contract.set_aside.max_share:.1%} may be set aside (contracts/{contract.extract}.yaml)"
        raise DeliveryError(f"{broken:,} of {total:,} rows break a rule ({by_rule})", name, f"correct the rows; {most}")
    if contract.key:
        duplicates = _count_duplicate_keys(warehouse, ", ".join(quoted(key) for key in contract.key))
        if duplicates:
            raise DeliveryError(
                f"{duplicates:,} keys ({', '.join(contract.key)}) occur more than once", name, "deliver each key once"
            )


def _count_duplicate_keys(warehouse: Warehouse, keys: str) -> int:
    """The number of keys that occur in more than one good row.

    Hashes of the keys are compared first: they are small, and can spill to disk when they do not fit in memory. The
    hash of the engine gives the same value to two of a hundred serial numbers; a combination of two hashes does not.
    """
    key = f"concat_ws('|', {keys})"
    hashed = f"select xor(hash({key}), hash('#' || {key})) as key_hash, * from {CHECKED} where broken_rule is null"
    if not warehouse.value(f"select count(*) - count(distinct key_hash) from ({hashed})"):
        return 0
    repeated = f"select key_hash from ({hashed}) group by key_hash having count(*) > 1"  # two keys may share a hash
    return int(
        warehouse.value(
            f"""select count(*) from (
                    select 1 from ({hashed}) where key_hash in ({repeated}) group by {keys} having count(*) > 1
                )"""
        )
    )


def _write_quarantine(warehouse: Warehouse, target: Path) -> None:
    """Write the set-aside rows as delivered, with line and rule; only the data steward may read them."""
    if not warehouse.value(f"select count(*) from {BROKEN}"):
        target.unlink(missing_ok=True)  # rows that an older contract set aside
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    warehouse.run(
        f"""copy (
                select broken.broken_rule, raw.*
                from {RAW} as raw join {BROKEN} as broken using (line_number) order by raw.line_number
            ) to {literal(str(target))} (format parquet, compression zstd)"""
    )
    os.chmod(target, 0o600)


def drop_delivery(warehouse: Warehouse) -> None:
    """Drop all temporary tables and views of the last delivery."""
    for kind, name in (("view", CHECKED), ("table", BROKEN), ("table", READ), ("view", TYPED)):
        warehouse.run(f"drop {kind} if exists {name}")
    drop_raw(warehouse)
