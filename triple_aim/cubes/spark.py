"""A Spark cluster that makes person tables and cubes, through Spark Connect: tables in, cubes out.

Not here: how our SQL reads on Spark (``triple_aim.warehouse``), or what has to be made anew (``build``). What Spark
reads and the person tables it makes are Parquet on a folder that it shares with us: ``stg/claims/2023/<made of>/``.
A folder under its last name is whole, and is never written again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from triple_aim.cubes.build import DuckDBBuilder, TableBuilder
from triple_aim.definitions import Project
from triple_aim.errors import ProjectError
from triple_aim.warehouse import Query, Warehouse, literal, qualified, spark_type, to_spark, view_name

#: Alike on every cluster, whatever its administrator chose.
SETTINGS = {
    "spark.sql.ansi.enabled": "true",  # what does not fit is an error and not empty
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",  # products keep every digit, as in DuckDB
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.compression.codec": "zstd",
}
PATIENCE = 10  # seconds for a first answer; the client itself would try for minutes
TYPED = "typed.parquet"  # a table's columns and not a row
# Said whenever it is imported, which Great Expectations does too; we make no frame of pandas with it.
warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)


class SparkBuilder:
    """One session and the folder it shares with us. Cubes stand in the warehouse, person tables in that folder."""

    def __init__(self, session: Any, shared: Path) -> None:
        self._session, self._shared, self._duckdb = session, shared, DuckDBBuilder()

    def kind(self, query: Query) -> str:
        return self._duckdb.kind(query) if query.floor == "cube" else "VIEW"

    def start(self, warehouse: Warehouse, query: Query, typed: str) -> None:
        if query.floor == "cube":
            self._duckdb.start(warehouse, query, typed)
            return
        folder = self._folder(query.table)
        folder.mkdir(parents=True, exist_ok=True)
        warehouse.run(f"copy ({typed}) to {literal(str(folder / TYPED))} (format parquet)", {"period": 0})
        warehouse.drop(query.table)
        self._show_warehouse(warehouse, query.table, [])

    def replace(
        self, warehouse: Warehouse, query: Query, period: int, fingerprint: str | None, made_of: Mapping[str, str]
    ) -> None:
        if fingerprint is None:
            if query.floor == "cube":
                self._duckdb.replace(warehouse, query, period, fingerprint, made_of)
            return
        with _told(query.table):
            made = self.select(warehouse, query, period, made_of)
            if query.floor == "cube":
                with warehouse.named("arriving", made.toArrow()):
                    warehouse.run(f"delete from {qualified(query.table)} where period = ?", [period])
                    warehouse.run(f"insert into {qualified(query.table)} by name select * from arriving")
                return
            with _arriving(self._folder(query.table, period, fingerprint)) as folder:
                made.write.mode("overwrite").parquet(_address(folder))
                folder.mkdir(exist_ok=True)  # of no rows not every engine makes a file
                shutil.copy(self._folder(query.table) / TYPED, folder)

    def finish(self, warehouse: Warehouse, query: Query, fingerprints: Mapping[int, str]) -> None:
        """Let the warehouse see what was made, and take away what it was before."""
        if query.floor == "cube":
            return
        folders = [self._folder(query.table, period, fingerprint) for period, fingerprint in fingerprints.items()]
        self._show_warehouse(warehouse, query.table, folders)
        for old in set(self._folder(query.table).glob("*/*")) - set(folders):
            shutil.rmtree(old)

    def select(self, warehouse: Warehouse, query: Query, period: int, made_of: Mapping[str, str]) -> Any:
        """What a file gives on the cluster, as yet to be run, in the types that the table has in the warehouse."""
        for table, made in made_of.items():
            self._show_cluster(warehouse, table, 0 if table.startswith("ref.") else period, made)
        columns = ", ".join(
            f"cast(`{name}` as {spark_type(kind)}) as `{name}`" for name, kind in _header(warehouse, query.table)
        )
        return self._session.sql(f"select {columns} from ({to_spark(query, {'period': period})}) as made")

    def name(self) -> str:
        return f"Spark {self._session.version}"

    def prove(self) -> None:
        """That what the cluster writes arrives here."""
        folder = self._folder("proof")
        with _told("shared_storage"):
            self._session.range(3).write.mode("overwrite").parquet(_address(folder))
        if not any(folder.glob("*.parquet")):
            raise ProjectError(
                "what the cluster writes does not arrive here",
                f"shared_storage, {self._shared}",
                "mount the same folder, under the same path, here and on every worker",
            )
        shutil.rmtree(folder)

    def _folder(self, table: str, period: int | None = None, made: str = "") -> Path:
        folder = self._shared.joinpath(*table.split("."))
        return folder if period is None else folder / str(period) / hashlib.sha256(made.encode()).hexdigest()[:16]

    def _show_cluster(self, warehouse: Warehouse, table: str, period: int, made: str) -> None:
        """A view of one period of a table; from the warehouse where it is not on shared storage yet."""
        folder = self._folder(table, period, made)
        if not folder.is_dir():
            if table.startswith("person.") and warehouse.kind(table) == "VIEW":
                raise ProjectError(
                    f"{table} of {period} is gone from shared storage",
                    str(self._shared),
                    "delete the warehouse file and run again: all is rebuilt from the landing area",
                )
            which = f" where period = {period}" if period else ""
            with _arriving(folder) as arriving:
                arriving.mkdir(parents=True)
                warehouse.run(
                    f"""copy (select * from {qualified(table)}{which})
                        to {literal(str(arriving / "part.parquet"))} (format parquet, compression zstd)"""
                )
            for old in set(folder.parent.iterdir()) - {folder}:
                shutil.rmtree(old)
        columns = ", ".join(f"`{name}` {spark_type(kind)}" for name, kind in _header(warehouse, table))
        found = self._session.read.schema(columns).parquet(_address(folder))
        found.createOrReplaceTempView(view_name(table))

    def _show_warehouse(self, warehouse: Warehouse, table: str, folders: list[Path]) -> None:
        """A view of a person table, for its checks; the columns are those of the first file."""
        files = [self._folder(table) / TYPED, *(file for folder in folders for file in folder.glob("*.parquet"))]
        listed = ", ".join(literal(str(file)) for file in files)
        warehouse.run(f"create or replace view {qualified(table)} as select * from read_parquet([{listed}])")


@contextmanager
def open_builder(project: Project) -> Iterator[TableBuilder]:
    """Who makes person tables and cubes, as the settings have it."""
    if project.shared_storage is None or project.settings.spark_remote is None:
        yield DuckDBBuilder()
        return
    with open_cluster(project.settings.spark_remote, project.shared_storage) as cluster:
        yield cluster


@contextmanager
def open_cluster(remote: str, shared: Path) -> Iterator[SparkBuilder]:
    """A session on the cluster, ended when done."""
    if not shared.is_dir():  # not made here: it may be a mount that is not there today
        raise ProjectError("the folder does not exist", f"shared_storage, {shared}", "mount it, or make it")
    sessions = _client()
    at = urlsplit(remote)  # what follows it may hold a token, so that it is never shown
    try:
        socket.create_connection((at.hostname, at.port), timeout=PATIENCE).close()
    except OSError as error:
        raise ProjectError(
            f"the cluster does not answer: {error.strerror or type(error).__name__}",
            f"spark_remote, {at.hostname}:{at.port}",
            "start its Spark Connect server, or correct spark_remote",
        ) from error
    with _told("spark_remote"):
        session = sessions.builder.remote(remote).create()
    try:
        with _told("spark_remote"):
            for name, value in SETTINGS.items():
                session.conf.set(name, value)
        cluster = SparkBuilder(session, shared)
        cluster.prove()
        yield cluster
    finally:
        session.stop()


def _client() -> Any:
    """Spark's client, imported when it is wanted and not before."""
    try:
        from pyspark.logger import PySparkLogger
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        raise ProjectError(
            "Spark's client is not installed",
            'engine = "spark"',
            "pip install --no-deps --require-hashes --requirement requirements-spark.lock",
        ) from error
    # It would print every refusal in full, and what it quotes may be a value of a row.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True
    return SparkSession


@contextmanager
def _told(where: str) -> Iterator[None]:
    """A failure of the cluster by its name, for its words may quote a value of a row."""
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raise ProjectError(
            f"the cluster refused: {error.getCondition() or type(error).__name__}",
            where,
            "look at the cluster's own log; an unforeseen failure may pass when run again",
        ) from None


@contextmanager
def _arriving(folder: Path) -> Iterator[Path]:
    """A folder that gets its name when it is whole."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    yield part
    shutil.rmtree(folder, ignore_errors=True)  # of a warehouse that was thrown away
    os.replace(part, folder)


def _address(folder: Path) -> str:
    """A folder as Spark is told of it; without a scheme it would look on the cluster's own storage."""
    return f"file://{folder}"


def _header(warehouse: Warehouse, table: str) -> list[tuple[str, str]]:
    return warehouse.header(f"select * from {qualified(table)}")
