"""The warehouse: one DuckDB file, a cache that can be rebuilt from the landing area.

Not here: what the tables mean. Every connection has the same restrictions: limited memory, no download of extensions,
no access outside the named folders, no later change of settings.
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
from triple_aim.files import close_to_others

SCHEMAS = ("delivery", "ref", "stg", "person", "party", "cube", "ind", "safe", "mart", "meta")

EngineError: TypeAlias = duckdb.Error
DAMAGED = re.compile(
    'not a valid DuckDB database|Corrupt database file|Could not read enough bytes from file "[^"]*[.]duckdb"|'
    "database file with version|replaying WAL"
)
#: The SQL variable for the folder of the warehouse. Views use it in paths, because the folder may be moved.
WORK_FOLDER = "work_folder"
log = logging.getLogger(__name__)


class Warehouse:
    """Runs SQL on one connection; ``open_warehouse`` opens and closes it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.is_damaged = False  # set while reading; a damaged file is deleted when the warehouse closes

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
                "run again: the file is deleted and rebuilt from the landing area",
            ) from None

    def run(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
        self._execute(sql, values)

    def rows(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        cursor = self._execute(sql, values)
        return list(cursor.fetchall())

    def value(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        return self.rows(sql, values)[0][0]

    def frame(self, sql: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> pd.DataFrame:
        frame: pd.DataFrame = self._execute(sql, values).df()
        return frame

    def arrow(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow_table()

    def header(self, sql: str) -> list[tuple[str, str]]:
        """The column names and types of a select, which is not run."""
        return [(name, kind) for name, kind, *_ in self.rows(f"describe {sql}")]

    def create(self, table: str, frame: pd.DataFrame | pa.Table) -> None:
        """Create or replace a table with the rows of a frame."""
        with self.named("arriving", frame):
            self.run(f"create or replace table {qualified(table)} as select * from arriving")

    def append(self, table: str, frame: pd.DataFrame) -> None:
        """Append the rows of a frame to a table; columns are matched by name."""
        with self.named("arriving", frame):
            self.run(f"insert into {qualified(table)} by name select * from arriving")

    @contextmanager
    def named(self, name: str, frame: pd.DataFrame | pa.Table) -> Iterator[None]:
        """Make a frame readable in SQL by a name, within the context."""
        self._connection.register(name, frame)
        try:
            yield
        finally:
            self._connection.unregister(name)

    def exists(self, table: str) -> bool:
        return self.kind(table) is not None

    def kind(self, table: str) -> str | None:
        """The type of a table: ``BASE TABLE``, ``VIEW``, or None when it does not exist."""
        schema, _, name = table.partition(".")
        sql = "select table_type from information_schema.tables where table_schema = ? and table_name = ?"
        rows = self.rows(sql, [schema, name])
        return str(rows[0][0]) if rows else None

    def ensure(self, table: str, columns: Sequence[str]) -> None:
        """Create an empty table unless it exists with these columns; an older version may have left other columns."""
        names = [column.split()[0] for column in columns]
        if self.exists(table) and [name for name, _ in self.header(f"select * from {qualified(table)}")] != names:
            self.drop(table)
        self.run(f"create table if not exists {qualified(table)} ({', '.join(columns)})")

    def drop(self, table: str) -> None:
        """Drop a table or view if it exists."""
        if kind := self.kind(table):
            self.run(f"drop {'view' if kind == 'VIEW' else 'table'} {qualified(table)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements of the context, or none when it raises."""
        self.run("begin transaction")
        try:
            yield
        except BaseException:
            self.run("rollback")
            raise
        self.run("commit")


def quoted(identifier: str) -> str:
    """An SQL identifier in quotes, with quotes inside escaped."""
    return '"' + identifier.replace('"', '""') + '"'


def is_transient(error: EngineError) -> bool:
    """Whether a retry may succeed: the error is about a lock or the disk, not about a statement."""
    return isinstance(error, duckdb.IOException)


def masked_message(error: EngineError) -> str:
    """The message of an engine without quoted text and long numbers, which may be values of a row."""
    first = str(error).splitlines()[0]
    return re.sub(r"""(["'`]).*\1|\d{5,}""", "…", first)


def is_machine_failure(error: EngineError) -> bool:
    """Whether the disk or the memory failed, not the SQL or the data."""
    return isinstance(error, duckdb.OutOfMemoryException) or bool(
        re.search("Could not write|No space left|Read-only file system", str(error))
    )


def is_sql_fault(error: EngineError) -> bool:
    """Whether the engine could not plan the statement."""
    return isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException)


def qualified(table: str) -> str:
    """A table name with its schema, each part in quotes."""
    return ".".join(quoted(part) for part in table.split("."))


def literal(text: str) -> str:
    """An SQL string literal, for the few places where DuckDB accepts no parameter."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def open_warehouse(
    path: Path | None, *, reach: Sequence[Path] = (), memory_limit: str = "1GB", threads: int = 2
) -> Iterator[Warehouse]:
    """Open the warehouse and close it at the end; a path of None gives one in memory.

    SQL can read and write only in the ``reach`` folders.
    """
    reach = list(reach)
    settings: dict[str, Any] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "temp_directory": "",
        # Write the log to the file when it closes, not during a run: every commit would wait for that.
        "checkpoint_threshold": "16GB",
    }
    if path is not None:
        close_to_others()  # it contains rows of persons, as do the log and the temporary files of the engine
        path.parent.mkdir(parents=True, exist_ok=True)
        for existing_file in path.parent.glob(f"{path.name}*"):
            existing_file.chmod(0o600)  # an earlier version made it for all readers of the folder
        spill = path.parent / "spill"
        reach.append(spill)
        settings["temp_directory"] = str(spill)
    connection = _connect(path, settings)
    if path is not None:
        for leftover in spill.glob("duckdb_temp_*"):  # rows that a killed run wrote; no other run can be open now
            leftover.unlink()
    warehouse = Warehouse(connection)
    try:
        folders = ", ".join(literal(str(folder)) for folder in reach)
        connection.execute(f"set allowed_directories = [{folders}]")
        # Dictionary compression is enough for codes and pseudonyms; DuckDB would try these methods on every column.
        connection.execute("set disabled_compression_methods = 'zstd,fsst,dict_fsst'")
        connection.execute("set enable_progress_bar = false")  # it would write to stdout, which is for data
        connection.execute("set enable_external_access = false; set TimeZone = 'UTC'; set lock_configuration = true")
        if path is not None:
            connection.execute(f"set variable {WORK_FOLDER} = {literal(str(path.parent.absolute()))}")
        existing = {name for (name,) in connection.execute("select schema_name from duckdb_schemas()").fetchall()}
        for schema in SCHEMAS:
            if schema not in existing:
                connection.execute(f"create schema {schema}")
        yield warehouse
    finally:
        connection.close()
        if path is not None and warehouse.is_damaged:
            _delete_damaged(path)


def _connect(path: Path | None, settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Connect to the file; delete a damaged file first, because it can be rebuilt from the landing area."""
    if path is None:
        return duckdb.connect(":memory:", config=settings)
    try:
        try:
            connection = duckdb.connect(str(path), config=settings)
            try:
                _read_meta_tables(connection)
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
        _delete_damaged(path)
        return duckdb.connect(str(path), config=settings)
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            raise ProjectError("another run is using the warehouse", path.name, "wait until it has ended") from error
        raise ProjectError(
            "the warehouse file cannot be opened", path.name, "check the permissions and free space of the work folder"
        ) from error


def _read_meta_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every table of ``meta``, because the engine reports a missing block only when it reads it."""
    tables = "select table_name from duckdb_tables() where schema_name = 'meta' and not temporary"
    for (table,) in connection.execute(tables).fetchall():
        connection.execute(f"select bit_xor(hash(row)) from meta.{quoted(table)} as row")


def _delete_damaged(path: Path) -> None:
    """Delete a damaged warehouse and its log; it is not kept, because it may contain rows of persons."""
    log.warning("the warehouse %s is damaged; it is deleted and rebuilt from the landing area", path.name)
    for file in (path, path.with_name(path.name + ".wal")):
        file.unlink(missing_ok=True)
