"""What a ``.sql`` file says of itself: purpose, grain, parameters, tables read, columns made.

Not here: running it (``connection``). A file holds one statement; its header is one sentence and ``-- grain: …``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from triple_aim.errors import ContentError

#: Which schemas each floor may read; the gate is a fact of the architecture.
FLOORS = {
    "staging": {"delivery", "ref"},
    "person": {"stg", "ref", "person"},
    "cube": {"stg", "ref", "person"},
    "marts": {"safe", "ref"},
}
#: The schema that holds what a floor makes, where it is called otherwise.
SCHEMA_OF = {"staging": "stg", "marts": "mart"}


@dataclass(frozen=True)
class Query:
    """One statement and what can be known of it without running it."""

    name: str
    sql: str
    purpose: str
    grain: tuple[str, ...]
    any_source: bool  # a cube is made where all its sources were delivered, or (-- needs: any) at least one
    params: frozenset[str]
    reads: frozenset[str]
    columns: tuple[str, ...]
    made: frozenset[str] = frozenset()  # those of the columns that are more than one of a table it reads
    floor: str = "cube"
    one_each_of: str = ""  # (-- one each of: …) the table of which every row makes one row here
    persons: str = ""  # of a cube (-- persons: …): the column that says how many persons a cell is about
    whole: str = ""  # (-- whole: …) the place that only one party may count, for its cells do not add up over parties
    in_parts: bool = False  # (-- in parts) no person has to do with another, so that some may be made at a time
    apart: tuple[str, ...] = ()  # (-- apart: …) columns made by ranking everyone, which never add up over parties

    @property
    def table(self) -> str:
        """The table it makes, with its schema."""
        return f"{SCHEMA_OF.get(self.floor, self.floor)}.{self.name}"

    def sources(self, schema: str) -> list[str]:
        """The tables of one schema that it reads."""
        return sorted(table for table in self.reads if table.startswith(f"{schema}."))

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_query(path: Path) -> Query:
    """Read and vet one file; a floor that reads where it may not is refused here."""
    where = f"sql/{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeError as error:
        raise ContentError("the file is not UTF-8 text", where, "save it as UTF-8") from error
    comments = takewhile(lambda line: line.startswith("--"), text.splitlines())
    header = [line.removeprefix("--").strip() for line in comments]
    if not _listed(header, "grain") or header[0].startswith("grain:"):
        raise ContentError("the header is incomplete", f"{where}:1", "begin with one sentence, then -- grain: columns")
    try:
        statements = sqlglot.parse(text, dialect="duckdb")
    except SqlglotError as error:
        faults = getattr(error, "errors", None) or [{}]
        line = faults[0].get("line") or 1
        raise ContentError(str(error).splitlines()[0], f"{where}:{line}", "write one plain DuckDB select") from error
    tree = statements[0] if len(statements) == 1 else None
    if not isinstance(tree, exp.Query) or tree.find(exp.DML, exp.DDL, exp.Command, exp.Into):
        raise ContentError("the file must hold exactly one select", where, "split it, or drop what is not a select")
    inner = {cte.alias for cte in tree.find_all(exp.CTE)}
    reads = {_table(t) for t in tree.find_all(exp.Table) if t.db or t.name not in inner}
    allowed = FLOORS[path.parent.name]
    if strangers := sorted(table for table in reads if table.split(".")[0] not in allowed or table.count(".") != 1):
        raise ContentError(
            f"it reads {', '.join(strangers)}", where, f"files of this floor read only {', '.join(sorted(allowed))}"
        )
    columns = tuple(tree.named_selects)
    persons, whole, apart = (_listed(header, word) for word in ("persons", "whole", "apart"))
    named = {*_listed(header, "grain"), *persons, *whole, *apart}
    if unknown := sorted(named - set(columns)) or ("*" in columns and ["*"]):
        raise ContentError(
            f"the select list does not name {', '.join(unknown)}",
            where,
            "write out every column, those of the header too",
        )
    return Query(
        name=path.stem,
        sql=text,
        purpose=" ".join(header[: next(i for i, line in enumerate(header) if line.startswith("grain:"))]),
        grain=_listed(header, "grain"),
        any_source="needs: any" in header,
        params=frozenset(parameter.name for parameter in tree.find_all(exp.Placeholder)),
        reads=frozenset(reads),
        columns=columns,
        made=_made(tree),
        floor=path.parent.name,
        one_each_of="".join(_listed(header, "one each of")[:1]),
        persons="".join(persons[:1]),
        whole="".join(whole[:1]),
        in_parts="in parts" in header,
        apart=apart,
    )


def of_some(query: Query, numbered: Iterable[str], first: int, count: int) -> str:
    """The statement of so many persons from a number on; ``numbered`` are the tables that have persons."""
    tree, some = sqlglot.parse_one(query.sql, dialect="duckdb"), set(numbered)
    for table in list(tree.find_all(exp.Table)):
        if table.db and _table(table) in some:
            chosen = (
                exp.select("*")
                .from_(exp.table_(table.name, table.db))
                .where(f"person_number >= {first} and person_number < {first + count}")
            )
            table.replace(chosen.subquery(table.alias_or_name))
    return tree.sql(dialect="duckdb", comments=False)


def _made(tree: exp.Query) -> frozenset[str]:
    """The columns that are more than a column of a table it reads, as it is there."""
    is_plain = isinstance(tree, exp.Select) and not tree.find(exp.CTE, exp.Subquery)
    return frozenset(
        column.alias_or_name for column in tree.selects if not (is_plain and isinstance(column.unalias(), exp.Column))
    )


def _listed(header: list[str], word: str) -> tuple[str, ...]:
    """The columns that a header names after a word."""
    told = next((line.removeprefix(f"{word}:") for line in header if line.startswith(f"{word}:")), "")
    return tuple(part.strip() for part in told.split(",") if part.strip())


def _table(table: exp.Table) -> str:
    """``schema.table``, or a word that no floor allows."""
    names = [part.name for part in table.parts]
    if not isinstance(table.this, exp.Identifier):
        return "a function"
    return ".".join(names) if not any("." in name for name in names) else f"“{'.'.join(names)}”"


def read_queries(folder: Path) -> dict[str, Query]:
    """Every file of one floor, by the name of the table it makes."""
    return {path.stem: read_query(path) for path in sorted(folder.glob("*.sql"))}
