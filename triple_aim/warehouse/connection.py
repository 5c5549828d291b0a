"""The only door to an engine: one DuckDB file that is a disposable cache of the landing area.

Not here: what the tables mean. Every connection is opened with the same locks: limited memory, no extension
download, no access beyond the folders named, no change of settings afterwards.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pandas as pd
import pyarrow as pa

from triple_aim.errors import ProjectError

SCHEMAS = ("delivery", "ref", "stg", "person", "party", "cube", "ind", "safe", "mart", "meta")

EngineError: TypeAlias = duckdb.Error
DAMAGED = re.compile(
    'not a valid DuckDB database|Corrupt database file|Could not read enough bytes from file "[^"]*[.]duckdb"|'
    "database file with version|replaying WAL"
)
#: The variable that views of files name instead of the folder of the warehouse, which may be moved.
WORK = "work_folder"
log = logging.getLogger(__name__)


class Warehouse:
    """A thin, closing hold on one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.is_damaged = False  # found out while reading; the file then goes when the warehouse closes

    def _execute(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(sql, values) if values else self._connection.execute(sql)
        except duckdb.Error as error:
            if not DAMAGED.search(str(error)):
                raise
            self.is_damaged = True
            raise ProjectError(
                "the warehouse file is damaged",
                "the work folder",
                "run again: it is thrown away and rebuilt from the landing area",
            ) from None

    def run(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
        self._execute(sql, values)

    def rows(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        cursor = self._execute(sql, values)
        return list(cursor.fetchall())

    def value(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        return self.rows(sql, values)[0][0]

    def frame(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> pd.DataFrame:
        cursor = self._execute(sql, values)
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
        return self.kind(table) is not None

    def kind(self, table: str) -> str | None:
        """Whether a name is that of a table or of a view, or of neither."""
        schema, _, name = table.partition(".")
        found = "select table_type from information_schema.tables where table_schema = ? and table_name = ?"
        rows = self.rows(found, [schema, name])
        return str(rows[0][0]) if rows else None

    def ensure(self, table: str, columns: Sequence[str]) -> None:
        """Create a table of these columns, or replace one of other columns, which an older version made."""
        names = [column.split()[0] for column in columns]
        if self.exists(table) and [name for name, _ in self.header(f"select * from {qualified(table)}")] != names:
            self.drop(table)
        self.run(f"create table if not exists {qualified(table)} ({', '.join(columns)})")

    def drop(self, table: str) -> None:
        """Drop a table or a view, where there is one."""
        if kind := self.kind(table):
            self.run(f"drop {'view' if kind == 'VIEW' else 'table'} {qualified(table)}")

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


def is_machine_failure(error: EngineError) -> bool:
    """Whether the disk or the memory failed, and not the SQL or the data."""
    return isinstance(error, duckdb.OutOfMemoryException) or bool(
        re.search("Could not write|No space left|Read-only file system", str(error))
    )


def is_sql_fault(error: EngineError) -> bool:
    """Whether a statement could not even be planned."""
    return isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException)


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
        # Fold the log into the file when it closes, not in the middle of a run: every commit would wait for it.
        "checkpoint_threshold": "16GB",
    }
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # it holds persons
        spill = path.parent / "spill"
        reach.append(spill)
        settings["temp_directory"] = str(spill)
    connection = _connect(path, settings)
    if path is not None:
        for leftover in spill.glob("duckdb_temp_*"):  # rows, of a run that was killed: there is one writer at a time
            leftover.unlink()
    warehouse = Warehouse(connection)
    try:
        folders = ", ".join(literal(str(folder)) for folder in reach)
        connection.execute(f"set allowed_directories = [{folders}]")
        # Dictionaries pack a cache of codes and pseudonyms well enough; these would be tried on every column first.
        connection.execute("set disabled_compression_methods = 'zstd,fsst,dict_fsst'")
        connection.execute("set enable_progress_bar = false")  # it would draw on stdout, which is for data
        connection.execute("set enable_external_access = false; set TimeZone = 'UTC'; set lock_configuration = true")
        if path is not None:
            connection.execute(f"set variable {WORK} = {literal(str(path.parent.absolute()))}")
        there = {name for (name,) in connection.execute("select schema_name from duckdb_schemas()").fetchall()}
        for schema in SCHEMAS:
            if schema not in there:
                connection.execute(f"create schema {schema}")
        yield warehouse
    finally:
        connection.close()
        if path is not None and warehouse.is_damaged:
            _throw_away(path)


def _connect(path: Path | None, settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A connection; a file that is no database (any more) is thrown away first, for the landing area can rebuild it."""
    if path is None:
        return duckdb.connect(":memory:", config=settings)
    try:
        try:
            connection = duckdb.connect(str(path), config=settings)
            try:
                _read_through(connection)
            except duckdb.Error:
                connection.close()
                raise
            return connection
        except (
            duckdb.IOException,
            duckdb.FatalException,
            duckdb.InternalException,
            duckdb.SerializationException,
        ) as e:
            if not DAMAGED.search(str(e)):
                raise
        _throw_away(path)
        return duckdb.connect(str(path), config=settings)
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            raise ProjectError("another run is using the warehouse", path.name, "wait until it has ended") from error
        raise ProjectError(
            "the warehouse file cannot be opened", path.name, "check the work folder's rights and space"
        ) from error


def _read_through(connection: duckdb.DuckDBPyConnection) -> None:
    """Read what the runs remember, for the engine notices a missing block only when it reads it."""
    memory = "select table_name from duckdb_tables() where schema_name = 'meta' and not temporary"
    for (table,) in connection.execute(memory).fetchall():
        connection.execute(f"select bit_xor(hash(row)) from meta.{quoted(table)} as row")


def _throw_away(path: Path) -> None:
    """Delete a damaged warehouse and its log. Not renamed: even a damaged file holds rows of persons."""
    log.warning("the warehouse %s is damaged; it is thrown away and rebuilt from the landing area", path.name)
    for file in (path, path.with_name(path.name + ".wal")):
        file.unlink(missing_ok=True)
