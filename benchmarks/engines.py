"""Measures the steps from staging to cubes on DuckDB and on Spark, for the same deliveries.

    make test-spark ONLY="sail and not release"   # installs the client, pysail and Spark
    export SPARK_HOME=$PWD/.venv/spark/server/pyspark PYTHONPATH=.venv/spark/client:.venv/spark/server
    .venv/bin/python benchmarks/engines.py DIR/monitor.toml duckdb
    .venv/bin/python benchmarks/engines.py DIR/monitor.toml local

Staging is the same on every engine and is not measured. CPU seconds include this process and, for Spark, its servers
from start to end.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from graphlib import TopologicalSorter
from pathlib import Path

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main(config: Path, engine: str) -> None:
    """Print wall time, CPU and memory of building every person table and cube from nothing."""
    from tests.spark.conftest import CLUSTERS
    from triple_aim.cubes import DuckDBBuilder, build_table, open_cluster
    from triple_aim.definitions import load_programme, load_project
    from triple_aim.deliveries import delivered_periods, ingest_extract
    from triple_aim.warehouse import load_reference, open_warehouse

    programme = load_programme(load_project(config))
    project, persons = programme.project, programme.persons
    periods = delivered_periods(project, programme.contracts.values())
    order = TopologicalSorter({query.table: query.sources("person") for query in persons.values()}).static_order()
    queries = [*(persons[table.removeprefix("person.")] for table in order), *programme.cubes.values()]
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        limits = {"memory_limit": project.settings.memory_limit, "threads": project.settings.threads}
        reach = [project.landing, project.quarantine, folder]
        warehouse = stack.enter_context(open_warehouse(folder / "warehouse.duckdb", reach=reach, **limits))
        load_reference(warehouse, project.reference)
        for contract in programme.contracts.values():
            ingest_extract(warehouse, project, contract, programme.staging[contract.extract], periods)
        started, before = time.monotonic(), _cpu_seconds()
        with ExitStack() as servers:
            builder = DuckDBBuilder()
            if engine != "duckdb":
                remote = servers.enter_context(CLUSTERS[engine](folder))
                (folder / "shared").mkdir()
                builder = servers.enter_context(open_cluster(remote, folder / "shared"))
            ready = time.monotonic()
            for query in queries:
                build_table(warehouse, query, periods, builder)
            ended = time.monotonic()
        peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        lines = warehouse.value("select count(*) from stg.claims")
    print(
        f"{engine}: {lines:,} lines, start {ready - started:.1f} s, tables {ended - ready:.1f} s, "
        f"CPU {_cpu_seconds() - before:.1f} s, peak {peaks[0]:,.0f} MB here, {peaks[1]:,.0f} MB in the largest server"
    )


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    typer.run(main)
