"""Is this file what its contract promises? Typed rows and the first rule each breaks, or a refusal.

Not here: file formats (``formats``), identifiers (``identifiers``), what becomes of the rows (``ingest``). Rules are
compiled to SQL that is true where a row breaks them; they see the delivered text beside the typed value, so that what
cannot be read is told from what is missing.
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
from triple_aim.deliveries.column_profiles import DATE, INTEGERS, Field, profile
from triple_aim.deliveries.extract import Extract
from triple_aim.deliveries.formats import RAW, REDELIVER, forget_raw, load_raw
from triple_aim.deliveries.identifiers import find_identifiers
from triple_aim.errors import ContentError, DeliveryError
from triple_aim.warehouse import (
    EngineError,
    Warehouse,
    is_machine_failure,
    is_sql_fault,
    literal,
    masked,
    qualified,
    quoted,
)

#: Temporary, as RAW is: a view of the typed rows, the same as a table with the rule each breaks, the rules that some
#: break, and a view of the rows and their rules.
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
    "integer": r"-?[0-9]{1,18}(\.0)?",  # 12.0 is what pandas makes of 12, but 1.000 may be a thousand
    "decimal": r"-?[0-9]{1,15}(\.[0-9]{1,2})?",
    "number": r"-?[0-9]{1,15}(\.[0-9]+)?([eE]-?[0-9]{1,3})?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
#: A delivered type that holds just what a column of the contract may hold, within these limits.
TYPED_AS = {"integer": INTEGERS, "number": INTEGERS | {"DOUBLE"}, "decimal": INTEGERS, "date": {DATE}}
LIMITS = {
    "integer": "{0} > -1e18 and {0} < 1e18",
    "number": "isfinite({0}) and {0} > -1e15 and {0} < 1e15",  # statistics of a file leave out what is no number
    "decimal": "{0} > -1e15 and {0} < 1e15",
    "date": "year({0}) between 1 and 9999",
}
#: What certainly keeps to these limits.
WITHIN = {"date": (1, 9999)}
WITHIN_OTHERS = (-999_999_999_999_999, 999_999_999_999_999)


@dataclass(frozen=True)
class Judged:
    """What may be taken: the periods with rows that break no rule, and how to make typed rows of the file."""

    periods: list[int]
    is_parquet: bool
    typed: str  # SQL of the table dated, made of a table raw


def check_delivery(extract: Extract, name: str, path: Path, sha256: str) -> Judged:
    """Make ``CHECKED`` the typed rows with the first rule each breaks; refuse a file that may not be accepted."""
    warehouse, contract = extract.warehouse, extract.contract
    period, supplier = contract.period_of(name)
    with _read_while_judged(name):
        files = next(files for files in contract.files if fnmatch(name, files.pattern))
        headers = load_raw(warehouse, path, files, name)
        physical = _match_headers(contract, headers, name, period)
        fields = profile(warehouse)
        findings = find_identifiers(warehouse, RAW, {f"c{i}": header for i, header in enumerate(headers)}, fields)
        if findings:
            raise DeliveryError(
                f"direct identifiers: {'; '.join(findings[:3])}", name, "deliver without them, with pseudonymised keys"
            )
        decimal = getattr(files.format, "decimal", ".")
        rules: list[tuple[str, str]] = []
        values: list[str] = []
        delivered: list[str] = []
        for column in contract.columns:
            field = fields.get(physical.get(column.name, ""))
            if field:
                delivered.append(f"{_delivered_sql(column, field)} as {quoted('t_' + column.name)}")
            if column.listed_in and not warehouse.exists(f"ref.{column.listed_in.split('.')[0]}"):
                raise ContentError(
                    f"{column.name} is listed in {column.listed_in}, which does not exist",
                    f"contracts/{contract.extract}.yaml",
                    "name a table and column of reference/",
                )
            value, broken = _column_sql(column, field, decimal)
            values.append(f"{value} as {quoted(column.name)}")
            rules += [(f"{column.name}.{rule}", sql) for rule, sql in broken]
        names = ", ".join(f"typed.{quoted(column.name)}" for column in contract.columns)
        at = quoted(contract.period.column) if isinstance(contract.period, PeriodFromColumn) else str(period)
        typed = f"""delivered as (select line_number, {", ".join(delivered)} from raw),
            typed as (select *, {", ".join(values)} from delivered),
            dated as (select *, try_cast({at} as integer) as period from typed)"""
        warehouse.run(
            f"create or replace temp view {TYPED} as with raw as (select * from {RAW}), {typed} select * from dated"
        )
        is_parquet = files.format.type == "parquet"
        if is_parquet:  # a column alone is read fast, and most of their rules no row breaks
            rules = [(rule, sql) for rule, sql in rules if warehouse.value(f"select exists (from {TYPED} where {sql})")]
        rules += [(rule.id, _rule_sql(rule)) for rule in contract.rules]
        cases = " ".join(f"when {sql} then {literal(rule)}" for rule, sql in rules) or "when false then ''"
        facts = f"line_number, {names}, typed.period, {literal(supplier)} as supplier"
        judged = f"select {facts}, case {cases} end as broken_rule from {TYPED} as typed"
        found = (
            f"select {facts}, broken.broken_rule from {TYPED} as typed left join {BROKEN} as broken using (line_number)"
        )
        if not is_parquet:  # what was text is not typed twice; what has types is not copied
            warehouse.run(f"create or replace temp table {READ} as {judged}")
            judged = found = f"select * from {READ}"
        warehouse.run(
            f"""create or replace temp table {BROKEN} as
                select line_number, broken_rule from ({judged}) where broken_rule is not null"""
        )
        warehouse.run(f"create or replace temp view {CHECKED} as {found}")
        _refuse_unless_acceptable(warehouse, contract, name)
        _write_quarantine(warehouse, extract.project.quarantine / contract.extract / f"{sha256}.parquet")
        periods = warehouse.rows(f"select distinct period from {CHECKED} where broken_rule is null order by 1")
        return Judged([period for (period,) in periods], is_parquet, typed)


@contextmanager
def _read_while_judged(name: str) -> Iterator[None]:
    """A Parquet file is read while it is judged: what breaks then, and is neither machine nor SQL, is the file."""
    try:
        yield
    except EngineError as error:
        if is_machine_failure(error) or is_sql_fault(error):
            raise
        raise DeliveryError(f"a value cannot be read: {masked(error)}", name, REDELIVER) from None


def _match_headers(contract: Contract, headers: list[str], name: str, period: int | None) -> dict[str, str]:
    """Contract column → physical column; a missing or unknown header refuses the delivery."""
    physical: dict[str, str] = {}
    for column in contract.columns:
        hits = [i for i, header in enumerate(headers) if any(fnmatch(header, known) for known in column.headers)]
        if len(hits) > 1:
            raise DeliveryError(f"several headers could be {column.name}", f"{name}:1", "deliver one of them")
        if hits:
            physical[column.name] = f"c{hits[0]}"
    if (len(physical) <= len(headers) / 4 and contract.extra_columns == "refuse") or not physical:
        # Its first line may be a person, so none of it is repeated.
        raise DeliveryError(
            f"the first line is not a header: {len(physical)} of its {len(headers)} fields are the contract's columns",
            f"{name}:1",
            f"deliver the header of contracts/{contract.extract}.yaml",
        )
    missing = [c.name for c in contract.columns if c.in_period(period) and c.name not in physical]
    extra = [_printable(h, i) for i, h in enumerate(headers) if f"c{i}" not in physical.values()]
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


def _printable(header: str, place: int) -> str:
    """A header for a message: short, and nothing in it that a terminal or a log would obey, or a number of a person."""
    shown = re.sub(r"[^\w .()-]", "?", header)[:40]
    return shown if shown and not re.search("[0-9]{5}", shown) else f"column {place + 1}"


def _delivered_sql(column: Column, field: Field) -> str:
    """The delivered value, null where it means missing: as it is where its type is the contract's, else as text."""
    if _is_typed(column, field):
        return quoted(field.column)
    text = field.text
    if column.type in ("text", "code") and field.is_padded:  # " 0 t/m  4 jaar" is padded inside as well
        text = f"case when contains({text}, '  ') then regexp_replace({text}, '\\s+', ' ', 'g') else {text} end"
    if not column.missing:
        return f"nullif({text}, '')" if field.may_be_empty else text
    absent = ", ".join(literal(word) for word in ["", *column.missing])
    return f"case when {text} not in ({absent}) then {text} end"


def _is_typed(column: Column, field: Field) -> bool:
    """Whether the file has the column in a type that cannot be misread; a word for missing is text all the same."""
    return not column.missing and field.kind in TYPED_AS.get(column.type, ())


def _is_always_told(column: Column, field: Field) -> bool:
    """Whether no row of the file is without a value."""
    return field.is_complete and not column.missing and (_is_typed(column, field) or not field.may_be_empty)


def _column_sql(column: Column, field: Field | None, decimal: str) -> tuple[str, list[tuple[str, str]]]:
    """The typed value of a column and its rules as ``(name, SQL that is true where the rule is broken)``.

    A rule that no row of the file can break, as its profile shows, is left out.
    """
    sql_type = SQL_TYPES[column.type]
    if field is None:
        return f"cast(null as {sql_type})", []
    value = text = quoted("t_" + column.name)
    name = quoted(column.name)
    is_typed, is_moderate = _is_typed(column, field), field.is_within(*WITHIN.get(column.type, WITHIN_OTHERS))
    rules: list[tuple[str, str]] = []
    if not column.nullable and not _is_always_told(column, field):
        rules.append(("required", f"{value} is null"))
    if column.type in SHAPES:
        if is_typed:
            text = f"cast({value} as varchar)"
            # Also where all keep to the limits: else the engine believes the file's statistics, not its values.
            value = f"case when {LIMITS[column.type].format(value)} then {value} end"
            value = value if sql_type.upper() == field.kind else f"cast({value} as {sql_type})"
        else:
            value = _read_sql(column, text, sql_type, decimal)
        if not (is_typed and is_moderate):
            rules.append(("type", f"{text} is not null and {name} is null"))
    if column.codes is not None:
        rules.append(("code", f"{text} not in ({', '.join(literal(code) for code in column.codes)})"))
    if column.pattern:
        rules.append(("pattern", f"not regexp_full_match({text}, {literal(column.pattern)})"))
    if column.range and not (is_typed and is_moderate and field.is_within(column.range.min, column.range.max)):
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


def _read_sql(column: Column, text: str, sql_type: str, decimal: str) -> str:
    """A value read from text; what is not of the shape is none, for a cast reads 1.5 as 2, and 1e999 as infinity."""
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
    # Found among the few that are referred to: a set of every reference of a nation would not fit in memory.
    wanted = f"select {column} from {TYPED} where {column} is not null"
    return f"{column} is not null and {column} not in (select {other} from {TYPED} where {other} in ({wanted}))"


def _refuse_unless_acceptable(warehouse: Warehouse, contract: Contract, name: str) -> None:
    total, broken, undated = warehouse.rows(
        f"""select count(*), count(broken_rule), count(*) filter (where broken_rule is null and period is null)
            from {CHECKED}"""
    )[0]
    if total == 0 or undated:
        raise DeliveryError("the delivery holds no row of any period", name, "check that the right file was delivered")
    if broken > contract.set_aside.max_share * total:
        counts = warehouse.rows(
            f"""select broken_rule, count(*) from {CHECKED} where broken_rule is not null
                group by 1 order by 2 desc, 1 limit 4"""
        )
        told = ", ".join(f"{rule} {count:,}" for rule, count in counts)
        most = f"at most {contract.set_aside.max_share:.1%} may be set aside (contracts/{contract.extract}.yaml)"
        raise DeliveryError(f"{broken:,} of {total:,} rows break a rule ({told})", name, f"mend the rows; {most}")
    if contract.key:
        twice = _keys_twice(warehouse, ", ".join(quoted(key) for key in contract.key))
        if twice:
            raise DeliveryError(
                f"{twice:,} keys ({', '.join(contract.key)}) occur more than once", name, "deliver each once"
            )


def _keys_twice(warehouse: Warehouse, keys: str) -> int:
    """How many keys stand in more than one row that may be staged.

    Looked for among hashes first, which are small and can be written to disk when a nation's do not fit in memory. The
    engine's hash gives two of a hundred serial numbers the same value; two of them together do not.
    """
    key = f"concat_ws('|', {keys})"
    hashed = f"select xor(hash({key}), hash('#' || {key})) as key_hash, * from {CHECKED} where broken_rule is null"
    if not warehouse.value(f"select count(*) - count(distinct key_hash) from ({hashed})"):
        return 0
    among = f"select key_hash from ({hashed}) group by key_hash having count(*) > 1"  # two keys may share a hash
    return int(
        warehouse.value(
            f"""select count(*) from (
                    select 1 from ({hashed}) where key_hash in ({among}) group by {keys} having count(*) > 1
                )"""
        )
    )


def _write_quarantine(warehouse: Warehouse, target: Path) -> None:
    """Set-aside rows as delivered, with line and rule, for the data steward alone."""
    if not warehouse.value(f"select count(*) from {BROKEN}"):
        target.unlink(missing_ok=True)  # an older contract set something aside
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    warehouse.run(
        f"""copy (
                select broken.broken_rule, raw.*
                from {RAW} as raw join {BROKEN} as broken using (line_number) order by raw.line_number
            ) to {literal(str(target))} (format parquet, compression zstd)"""
    )
    os.chmod(target, 0o600)


def forget_delivery(warehouse: Warehouse) -> None:
    """Leave nothing of the last delivery behind."""
    for kind, name in (("view", CHECKED), ("table", BROKEN), ("table", READ), ("view", TYPED)):
        warehouse.run(f"drop {kind} if exists {name}")
    forget_raw(warehouse)
