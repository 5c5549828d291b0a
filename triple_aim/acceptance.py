"""Is this file what its contract promises? Typed rows and the first rule each breaks, or a refusal.

Not here: file formats (``formats``), identifiers (``privacy``), what becomes of the rows (``ingest``). Rules are compiled
to SQL that is true where a row breaks them; they see the delivered text beside the typed value, so that what cannot be
read is told from what is missing.
"""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path

from triple_aim.contracts import Column, Contract, PeriodFromColumn, Rule
from triple_aim.errors import DeliveryError
from triple_aim.formats import RAW, load_raw
from triple_aim.privacy import find_identifiers
from triple_aim.warehouse import Warehouse, literal, qualified, quoted

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


def check_delivery(
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
    at = quoted(contract.period.column) if isinstance(contract.period, PeriodFromColumn) else str(period)
    warehouse.run(
        f"""create or replace table {CHECKED} as
            with texts as (select line_number, {", ".join(texts)} from {RAW}),
            typed as (select *, {", ".join(values)} from texts)
            select *, cast({at} as integer) as period, {literal(supplier)} as supplier,
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
        whole = f"{source} = floor({source}) and abs({source}) < 1e15"
        source = f"case when {whole} then cast(cast({source} as bigint) as varchar) else cast({source} as varchar) end"
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
        readable = f"regexp_full_match({text}, {literal(strict)}) and try_cast({plain} as {sql_type}) is not null"
        rules.append(("type", f"{text} is not null and not ({readable})"))
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
