"""The only door to an engine: one DuckDB file that is a disposable cache of the landing area.

Not here: what the tables mean. Every connection is opened with the same locks: limited memory, no extension
download, no access beyond the folders named, no change of settings afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pandas as pd
import pyarrow as pa

from triple_aim.errors import ProjectError

SCHEMAS = ("delivery", "ref", "stg", "cube", "ind", "safe", "mart", "meta")

EngineError: TypeAlias = duckdb.Error


class Warehouse:
    """A thin, closing hold on one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
        self._connection.execute(sql, values) if values else self._connection.execute(sql)

    def rows(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(sql, values) if values else self._connection.execute(sql)
        return list(cursor.fetchall())

    def value(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        return self.rows(sql, values)[0][0]

    def frame(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> pd.DataFrame:
        cursor = self._connection.execute(sql, values) if values else self._connection.execute(sql)
        return cursor.df()

    def arrow(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow_table()

    def header(self, sql: str) -> list[tuple[str, str]]:
        """Column names and types of a select, without running it."""
        return [(name, kind) for name, kind, *_ in self.rows(f"describe {sql}")]

    def create(self, table: str, frame: pd.DataFrame | pa.Table) -> None:
        """Create or replace a table from a frame."""
        with self.named("arriving", frame):
            self.run(f"create or replace table {qualified(table)} as select * from arriving")

    def append(self, table: str, frame: pd.DataFrame) -> None:
        """Add a frame's rows to a table, column by name."""
        with self.named("arriving", frame):
            self.run(f"insert into {qualified(table)} by name select * from arriving")

    @contextmanager
    def named(self, name: str, frame: pd.DataFrame | pa.Table) -> Iterator[None]:
        """Let SQL see a frame under a name for a while."""
        self._connection.register(name, frame)
        try:
            yield
        finally:
            self._connection.unregister(name)

    def exists(self, table: str) -> bool:
        schema, _, name = table.partition(".")
        found = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
        return bool(self.value(found, [schema, name]))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.run("begin transaction")
        try:
            yield
        except BaseException:
            self.run("rollback")
            raise
        self.run("commit")


def quoted(identifier: str) -> str:
    """An identifier that cannot end early."""
    return '"' + identifier.replace('"', '""') + '"'


def passes(error: EngineError) -> bool:
    """Whether trying again may help: a lock or a disk, not a statement."""
    return isinstance(error, duckdb.IOException)


def masked(error: EngineError) -> str:
    """An engine's message without what it quotes, for that may be a value of a row."""
    first = str(error).splitlines()[0]
    return re.sub(r"""(["'`]).*\1|\d{5,}""", "…", first)


def qualified(table: str) -> str:
    return ".".join(quoted(part) for part in table.split("."))


def literal(text: str) -> str:
    """A string literal that cannot end early, for the few places DuckDB takes no parameter."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def open_warehouse(
    path: Path | None, *, reach: Sequence[Path] = (), memory_limit: str = "1GB", threads: int = 2
) -> Iterator[Warehouse]:
    """Open (and always close) the warehouse; ``None`` is an in-memory one. ``reach`` are the folders it may touch."""
    reach = list(reach)
    settings: dict[str, Any] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "temp_directory": "",
    }
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        spill = path.parent / "spill"
        reach.append(spill)
        settings["temp_directory"] = str(spill)
    try:
        connection = duckdb.connect(str(path) if path else ":memory:", config=settings)
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        raise ProjectError(
            "another run is using the warehouse", path.name if path else "memory", "wait until it has ended"
        ) from error
    try:
        folders = ", ".join(literal(str(folder)) for folder in reach)
        connection.execute(f"set allowed_directories = [{folders}]")
        connection.execute("set enable_external_access = false; set TimeZone = 'UTC'; set lock_configuration = true")
        there = {name for (name,) in connection.execute("select schema_name from duckdb_schemas()").fetchall()}
        for schema in SCHEMAS:
            if schema not in there:
                connection.execute(f"create schema {schema}")
        yield Warehouse(connection)
    finally:
        connection.close()
