"""Clusters to test against: pysail, which is Spark Connect without Java, Spark's own server, and two workers of it.

A cluster that is not installed is skipped with the reason; ``make test-spark`` installs all of them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

PATIENCE = 120  # seconds for a server to answer


@contextmanager
def sail(folder: Path) -> Iterator[str]:
    if importlib.util.find_spec("pysail") is None:
        pytest.skip("pysail is not installed: make test-spark")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start()
    try:
        yield "sc://{}:{}".format(*server.listening_address)
    finally:
        server.stop()


@contextmanager
def spark(folder: Path, master: str = "local[2]") -> Iterator[str]:
    port = _free_port()
    command = [
        _spark_home() / "bin" / "spark-submit",
        *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--master", master),
        *("--driver-memory", "2g", "--executor-memory", "1g"),
        *("--conf", f"spark.connect.grpc.binding.port={port}"),
        *("--conf", "spark.connect.grpc.binding.address=127.0.0.1"),
        *("--conf", "spark.driver.host=127.0.0.1"),
        *("--conf", "spark.sql.shuffle.partitions=4"),
        *("--conf", "spark.ui.enabled=false"),
        *("--conf", f"spark.sql.warehouse.dir={folder}/warehouse"),
    ]
    with _process(command, folder / "connect.log", port):
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def two_workers(folder: Path) -> Iterator[str]:
    """A cluster on this machine: a master, two workers with an executor each, and a Connect server."""
    home, port = _spark_home(), _free_port()
    master = [home / "bin" / "spark-class", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1"]
    worker = [
        home / "bin" / "spark-class",
        "org.apache.spark.deploy.worker.Worker",
        "--cores",
        "1",
        "--memory",
        "1500m",
    ]
    worker += ["--host", "127.0.0.1"]
    at = f"spark://127.0.0.1:{port}"
    with _process([*master, "--port", str(port), "--webui-port", "0"], folder / "master.log", port):
        first = [*worker, "--work-dir", folder / "first", "--webui-port", "0", at]
        second = [*worker, "--work-dir", folder / "second", "--webui-port", "0", at]
        with (
            _process(first, folder / "first.log"),
            _process(second, folder / "second.log"),
            spark(folder, at) as remote,
        ):
            yield remote


CLUSTERS: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "sail": sail,
    "local": spark,
    "two_workers": two_workers,
}


@pytest.fixture(scope="session", params=CLUSTERS)
def remote(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark-client is not installed: make test-spark")
    with CLUSTERS[request.param](tmp_path_factory.mktemp(request.param)) as remote:
        yield remote


def _spark_home() -> Path:
    home = Path(os.environ.get("SPARK_HOME", ""))
    if not (home / "bin" / "spark-submit").is_file():
        pytest.skip("there is no Spark in SPARK_HOME: make test-spark")
    if shutil.which("java") is None:
        pytest.skip("there is no Java, which Spark needs")
    return home


@contextmanager
def _process(command: list[str | Path], log: Path, port: int | None = None) -> Iterator[None]:
    """A server that is stopped at the end; the test fails with its log if it does not start."""
    with log.open("w") as output:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE
        while port is not None and not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{log.name}:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # Java ignores signals that its parent shell ignored
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
