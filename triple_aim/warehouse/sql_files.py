"""Reads the ``.sql`` files: purpose, grain, parameters, tables they read and columns they return.

Not here: running them (``connection``). A file contains one select. Its header is one sentence and ``-- grain: …``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from triple_aim.errors import ContentError
from triple_aim.vocabulary import part

#: The schemas that each floor may read. Marts read only ``safe``, so no number passes around the disclosure gate.
FLOORS = {
    "staging": {"delivery", "ref"},
    "person": {"stg", "ref", "person"},
    "cube": {"stg", "ref", "person"},
    "marts": {"safe", "ref"},
}
#: The notation in a header for columns that are parts of a sum: ``amount_eur by law in cost_{law}_eur``.
PARTS = re.compile(r"(?P<total>\w+) by (?P<axis>\w+) in (?P<before>\w*)\{(?P=axis)\}(?P<after>\w*)")
#: The notation in a header for two columns of which one follows the other: ``insured_years = insured_person_count``.
PAIR = re.compile(r"(\w+) *= *(\w+)")
#: The schema of the tables of a floor, if it has another name than the floor.
SCHEMA_OF = {"staging": "stg", "marts": "mart"}


#: The grain of a cube whose sums other cubes may split.
CELL = ("period", "municipality_code", "sex", "age_band", "exclusion")


@dataclass(frozen=True)
class Query:
    """One statement and the facts that follow from its text."""

    name: str
    sql: str
    purpose: str
    grain: tuple[str, ...]
    any_source: bool  # (-- needs: any) a cube needs at least one of its sources, not all
    params: frozenset[str]
    reads: frozenset[str]
    columns: tuple[str, ...]
    computed: frozenset[str] = frozenset()  # the columns that are not copied unchanged from a table
    floor: str = "cube"
    one_row_per: str = ""  # (-- one row per: …) the table of which every row gives one row here
    persons: str = ""  # of a cube (-- persons: …): the column with the number of persons in a cell
    single_party: str = ""  # (-- single_party: …) the place column whose cells may come from one party only
    in_parts: bool = False  # (-- in parts) rows of a person depend on no other person: some persons at a time
    non_additive: tuple[str, ...] = ()  # (-- non_additive: …) columns from ranking all persons; not added over parties
    part_of: str = ""  # (-- parts of: cube.column) the cube whose sums it splits, by one additional grain column
    total: str = ""  # the column whose parts add up to the same column of that cube
    listed_in: str = ""  # (-- members: ref.…) the reference table with the labels of the additional column
    members: tuple[str, ...] = ()  # these labels, after the reference tables were read
    parts: tuple[tuple[str, str], ...] = ()  # (-- parts: …) the name of each part of a sum, and its column
    person_counts: tuple[str, ...] = ()  # (-- counts of persons: …) counts of persons whose names do not say so
    keyed_as: tuple[tuple[str, str], ...] = ()  # (-- keyed as: …) a column, and another with the same persons or euros
    changes_with: tuple[tuple[str, str], ...] = ()  # (-- changes with: …) a column, and the one whose factor it shares
    public: tuple[str, ...] = ()  # (-- public: …) columns whose numbers others publish: the gate does not change them

    @property
    def table(self) -> str:
        """The table of its result, with the schema."""
        return f"{SCHEMA_OF.get(self.floor, self.floor)}.{self.name}"

    def sources(self, schema: str) -> list[str]:
        """The tables of one schema that the statement reads."""
        return sorted(table for table in self.reads if table.startswith(f"{schema}."))

    @property
    def below(self) -> list[str]:
        """The tables that must be built first: those it reads, and the cube whose sums it splits."""
        return [*self.sources("stg"), *self.sources("person"), *([f"cube.{self.part_of}"] if self.part_of else [])]

    @property
    def axis(self) -> str:
        """The column by which it splits the sums of another cube: the grain column outside ``CELL``."""
        return next(name for name in self.grain if name not in CELL)

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_query(path: Path) -> Query:
    """Read and check one file; refuse a statement that reads a schema its floor may not read."""
    where = f"sql/{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeError as error:
        raise ContentError("the file is not UTF-8 text", where, "save it as UTF-8") from error
    comments = takewhile(lambda line: line.startswith("--"), text.splitlines())
    header = [line.removeprefix("--").strip() for line in comments]
    if not _listed(header, "grain") or header[0].startswith("grain:"):
        raise ContentError("the header is incomplete", f"{where}:1", "start with one sentence, then -- grain: columns")
    try:
        statements = sqlglot.parse(text, dialect="duckdb")
    except SqlglotError as error:
        faults = getattr(error, "errors", None) or [{}]
        line = faults[0].get("line") or 1
        raise ContentError(str(error).splitlines()[0], f"{where}:{line}", "write one plain DuckDB select") from error
    tree = statements[0] if len(statements) == 1 else None
    if not isinstance(tree, exp.Query) or tree.find(exp.DML, exp.DDL, exp.Command, exp.Into):
        raise ContentError("the file must contain exactly one select", where, "split it, or remove other statements")
    inner = {cte.alias for cte in tree.find_all(exp.CTE)}
    reads = {_table(t) for t in tree.find_all(exp.Table) if t.db or t.name not in inner}
    allowed = FLOORS[path.parent.name]
    if forbidden := sorted(table for table in reads if table.split(".")[0] not in allowed or table.count(".") != 1):
        raise ContentError(
            f"it reads {', '.join(forbidden)}", where, f"files of this floor read only {', '.join(sorted(allowed))}"
        )
    columns = tuple(tree.named_selects)
    persons, single_party, non_additive = (_listed(header, key) for key in ("persons", "single_party", "non_additive"))
    part_of, _, total = "".join(_listed(header, "parts of")[:1]).partition(".")
    person_counts, public = _listed(header, "counts of persons"), _listed(header, "public")
    keyed_as, changes_with = _pairs(header, "keyed as", where), _pairs(header, "changes with", where)
    named = {*_listed(header, "grain"), *persons, *single_party, *non_additive, *([total] if part_of else [])}
    named |= {*person_counts, *public, *(name for pair in (*keyed_as, *changes_with) for name in pair)}
    if unknown := sorted(named - set(columns)) or ("*" in columns and ["*"]):
        raise ContentError(
            f"the select list does not name {', '.join(unknown)}",
            where,
            "name every column in the select list, also those of the header",
        )
    grain = _listed(header, "grain")
    if part_of and not (set(CELL) < set(grain) and len(grain) == len(CELL) + 1):
        raise ContentError(
            f"parts of {part_of}.{total} need one column in addition to {', '.join(CELL)}", where, "correct -- grain:"
        )
    return Query(
        name=path.stem,
        sql=text,
        purpose=" ".join(header[: next(i for i, line in enumerate(header) if line.startswith("grain:"))]),
        grain=grain,
        any_source="needs: any" in header,
        params=frozenset(parameter.name for parameter in tree.find_all(exp.Placeholder)),
        reads=frozenset(reads),
        columns=columns,
        computed=_computed_columns(tree),
        floor=path.parent.name,
        one_row_per="".join(_listed(header, "one row per")[:1]),
        persons="".join(persons[:1]),
        single_party="".join(single_party[:1]),
        in_parts="in parts" in header,
        non_additive=non_additive,
        part_of=part_of,
        total=total,
        listed_in="".join(_listed(header, "members")[:1]),
        parts=_parts(header, columns, where),
        person_counts=person_counts,
        keyed_as=keyed_as,
        changes_with=changes_with,
        public=public,
    )


def restrict_to_persons(query: Query, numbered: Iterable[str], first: int, count: int) -> str:
    """The statement for the ``count`` persons from number ``first`` on; ``numbered`` names the tables with persons."""
    tree, restricted = sqlglot.parse_one(query.sql, dialect="duckdb"), set(numbered)
    for table in list(tree.find_all(exp.Table)):
        if table.db and _table(table) in restricted:
            chosen = (
                exp.select("*")
                .from_(exp.table_(table.name, table.db))
                .where(f"person_number >= {first} and person_number < {first + count}")
            )
            table.replace(chosen.subquery(table.alias_or_name))
    return tree.sql(dialect="duckdb", comments=False)


def _computed_columns(tree: exp.Query) -> frozenset[str]:
    """The columns that are not copied unchanged from a table."""
    is_plain = isinstance(tree, exp.Select) and not tree.find(exp.CTE, exp.Subquery)
    return frozenset(
        column.alias_or_name for column in tree.selects if not (is_plain and isinstance(column.unalias(), exp.Column))
    )


def _listed(header: list[str], key: str) -> tuple[str, ...]:
    """The names that a header lists after a key."""
    text = next((line.removeprefix(f"{key}:") for line in header if line.startswith(f"{key}:")), "")
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _parts(header: list[str], columns: tuple[str, ...], where: str) -> tuple[tuple[str, str], ...]:
    """The parts of sums that a header lists, with their columns; the columns of the first sum give the members."""
    columns_of: dict[str, str] = {}
    members: list[str] = []
    for text in _listed(header, "parts"):
        match = PARTS.fullmatch(text)
        if match is None:
            how = "write -- parts: amount_eur by law in cost_{law}_eur"
            raise ContentError(f"“{text}” does not name the columns that are parts", where, how)
        total, axis, before, after = match.groups()
        if not members:
            matching = [name for name in columns if re.fullmatch(f"{before}[a-z0-9_]+{after}", name)]
            members = [name.removeprefix(before).removesuffix(after) for name in matching]
        columns_of |= {part(total, axis, member): f"{before}{member}{after}" for member in members}
    if missing := sorted(set(columns_of.values()) - set(columns)):
        raise ContentError(f"the select list does not name {', '.join(missing)}", where, "select every part")
    return tuple(columns_of.items())


def _pairs(header: list[str], key: str, where: str) -> tuple[tuple[str, str], ...]:
    """The pairs of columns that a header lists after a key, as ``a = b``; ``b`` may not follow another column."""
    pairs = []
    for text in _listed(header, key):
        match = PAIR.fullmatch(text)
        if match is None:
            how = f"write -- {key}: insured_years = insured_person_count"
            raise ContentError(f"“{text}” after “{key}” is not a pair of columns", where, how)
        pairs.append((match[1], match[2]))
    first = [name for name, _ in pairs]
    for name, other in pairs:
        if other in first or first.count(name) > 1:
            what = f"“{name} = {other}” after “{key}” contradicts another pair"
            raise ContentError(what, where, "give each column one pair; the second column of a pair begins no pair")
    return tuple(pairs)


def _table(table: exp.Table) -> str:
    """The name ``schema.table``, or a text that no floor allows."""
    names = [part.name for part in table.parts]
    if not isinstance(table.this, exp.Identifier):
        return "a function"
    return ".".join(names) if not any("." in name for name in names) else f"“{'.'.join(names)}”"


def read_queries(folder: Path) -> dict[str, Query]:
    """Every file of one floor, by the name of its table."""
    return {path.stem: read_query(path) for path in sorted(folder.glob("*.sql"))}
