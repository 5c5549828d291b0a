"""Builds person tables and cubes on a Spark cluster, through Spark Connect.

Not here: the translation of SQL to Spark (``triple_aim.warehouse``), the decision what to rebuild (``build``). The
tables that Spark reads and the person tables that it builds are Parquet files in a shared folder:
``stg/claims/2023/<fingerprint>/``. A folder gets this name when it is complete, and does not change after that.
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

#: The same on every cluster, whatever its defaults.
SETTINGS = {
    "spark.sql.ansi.enabled": "true",  # a value that does not fit its type is an error, not empty
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",  # products keep every digit, as in DuckDB
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.compression.codec": "zstd",
}
PATIENCE = 10  # seconds until the first answer; the client itself would try for minutes
TYPED = "typed.parquet"  # the columns of a table, without rows
# A warning at every import of Spark, also by Great Expectations; this project makes no pandas frame with Spark.
warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)


class SparkBuilder:
    """Builds tables in one Spark session: cubes in the warehouse, person tables in the shared folder."""

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
        self._create_view(warehouse, query.table, [])

    def replace(
        self, warehouse: Warehouse, query: Query, period: int, fingerprint: str | None, made_of: Mapping[str, str]
    ) -> None:
        if fingerprint is None:
            if query.floor == "cube":
                self._duckdb.replace(warehouse, query, period, fingerprint, made_of)
            return
        with _reporting_errors(query.table):
            rows = self.select(warehouse, query, period, made_of)
            if query.floor == "cube":
                with warehouse.named("arriving", rows.toArrow()):
                    warehouse.run(f"delete from {qualified(query.table)} where period = ?", [period])
                    warehouse.run(f"insert into {qualified(query.table)} by name select * from arriving")
                return
            with _arriving(self._folder(query.table, period, fingerprint)) as folder:
                rows.write.mode("overwrite").parquet(_address(folder))
                folder.mkdir(exist_ok=True)  # some engines write no file if there are no rows
                shutil.copy(self._folder(query.table) / TYPED, folder)

    def finish(self, warehouse: Warehouse, query: Query, fingerprints: Mapping[int, str]) -> None:
        """Point the view in the warehouse to the new folders, and remove the old folders."""
        if query.floor == "cube":
            return
        folders = [self._folder(query.table, period, fingerprint) for period, fingerprint in fingerprints.items()]
        self._create_view(warehouse, query.table, folders)
        for old in set(self._folder(query.table).glob("*/*")) - set(folders):
            shutil.rmtree(old)

    def select(self, warehouse: Warehouse, query: Query, period: int, made_of: Mapping[str, str]) -> Any:
        """The result of a query on the cluster, not yet executed, in the types of the table in the warehouse."""
        for table, fingerprint in made_of.items():
            self._register_on_cluster(warehouse, table, 0 if table.startswith("ref.") else period, fingerprint)
        columns = ", ".join(
            f"cast(`{name}` as {spark_type(kind)}) as `{name}`" for name, kind in _header(warehouse, query.table)
        )
        return self._session.sql(f"select {columns} from ({to_spark(query, {'period': period})}) as result")

    def name(self) -> str:
        return f"Spark {self._session.version}"

    def check_shared_storage(self) -> None:
        """Raise ProjectError if a file that the cluster writes does not appear in the shared folder."""
        folder = self._folder("proof")
        with _reporting_errors("shared_storage"):
            self._session.range(3).write.mode("overwrite").parquet(_address(folder))
        if not any(folder.glob("*.parquet")):
            raise ProjectError(
                "files that the cluster writes do not appear in the shared folder",
                f"shared_storage, {self._shared}",
                "mount the same folder, under the same path, here and on every worker",
            )
        shutil.rmtree(folder)

    def _folder(self, table: str, period: int | None = None, fingerprint: str = "") -> Path:
        folder = self._shared.joinpath(*table.split("."))
        return (
            folder if period is None else folder / str(period) / hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
        )

    def _register_on_cluster(self, warehouse: Warehouse, table: str, period: int, fingerprint: str) -> None:
        """Create a view of one period on the cluster; copy the rows to the shared folder if they are not there."""
        folder = self._folder(table, period, fingerprint)
        if not folder.is_dir():
            if table.startswith("person.") and warehouse.kind(table) == "VIEW":
                raise ProjectError(
                    f"{table} of {period} is missing from the shared folder",
                    str(self._shared),
                    "delete the warehouse file and run again: every table is rebuilt from the landing area",
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
        view = self._session.read.schema(columns).parquet(_address(folder))
        view.createOrReplaceTempView(view_name(table))

    def _create_view(self, warehouse: Warehouse, table: str, folders: list[Path]) -> None:
        """Create a view of a person table in the warehouse, for its checks; the first file sets the columns."""
        files = [self._folder(table) / TYPED, *(file for folder in folders for file in folder.glob("*.parquet"))]
        paths = ", ".join(literal(str(file)) for file in files)
        warehouse.run(f"create or replace view {qualified(table)} as select * from read_parquet([{paths}])")


@contextmanager
def open_builder(project: Project) -> Iterator[TableBuilder]:
    """Yield the builder that the settings choose: DuckDB or a Spark cluster."""
    if project.shared_storage is None or project.settings.spark_remote is None:
        yield DuckDBBuilder()
        return
    with open_cluster(project.settings.spark_remote, project.shared_storage) as cluster:
        yield cluster


@contextmanager
def open_cluster(remote: str, shared: Path) -> Iterator[SparkBuilder]:
    """Yield a builder with a session on the cluster, and stop the session afterwards."""
    if not shared.is_dir():  # it may be a mount that failed, so this program does not create it
        raise ProjectError("the folder does not exist", f"shared_storage, {shared}", "mount or create it")
    sessions = _client()
    address = urlsplit(remote)  # messages show host and port only, because the rest may contain a token
    try:
        socket.create_connection((address.hostname, address.port), timeout=PATIENCE).close()
    except OSError as error:
        raise ProjectError(
            f"the cluster does not answer: {error.strerror or type(error).__name__}",
            f"spark_remote, {address.hostname}:{address.port}",
            "start its Spark Connect server, or correct spark_remote",
        ) from error
    with _reporting_errors("spark_remote"):
        session = sessions.builder.remote(remote).create()
    try:
        with _reporting_errors("spark_remote"):
            for name, value in SETTINGS.items():
                session.conf.set(name, value)
        cluster = SparkBuilder(session, shared)
        cluster.check_shared_storage()
        yield cluster
    finally:
        session.stop()


def _client() -> Any:
    """The Spark client, imported only if Spark is used."""
    try:
        from pyspark.logger import PySparkLogger
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        raise ProjectError(
            "Spark's client is not installed",
            'engine = "spark"',
            "pip install --no-deps --require-hashes --requirement requirements-spark.lock",
        ) from error
    # These loggers would print error messages of the cluster, which may quote values of rows.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True
    return SparkSession


@contextmanager
def _reporting_errors(where: str) -> Iterator[None]:
    """Report an error of the cluster by its condition only, because its message may quote a value of a row."""
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raise ProjectError(
            f"the cluster refused: {error.getCondition() or type(error).__name__}",
            where,
            "read the log of the cluster; if the failure is temporary, run again",
        ) from None


@contextmanager
def _arriving(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder, and give it its final name when it is complete."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    yield part
    shutil.rmtree(folder, ignore_errors=True)  # left by a warehouse that was deleted
    os.replace(part, folder)


def _address(folder: Path) -> str:
    """The URL of a folder; without a scheme Spark would search its own default storage."""
    return f"file://{folder}"


def _header(warehouse: Warehouse, table: str) -> list[tuple[str, str]]:
    return warehouse.header(f"select * from {qualified(table)}")
