"""What it takes to get from deliveries to cubes, floor by floor, without the orchestrator: wall, CPU and peak memory.

    python benchmarks/to_cubes.py work/compare/1e+07/monitor.toml

Starts from nothing in a folder of its own; the deliveries are those of the settings file. Checks, indicators, gate and
marts are not in it: ``profile_job.py`` shows them.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from graphlib import TopologicalSorter
from pathlib import Path

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main(config: Path) -> None:
    """Print a table with one row a floor."""
    from triple_aim.cubes import build_table
    from triple_aim.definitions import load_programme, load_project
    from triple_aim.deliveries import delivered_periods, ingest_extract
    from triple_aim.warehouse import load_reference, open_warehouse

    told = load_project(config.resolve())
    print("| floor | wall, s | CPU, s | peak by then, MB |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=config.resolve().parent) as folder:
        own = Path(folder) / "monitor.toml"
        own.write_text(
            f'deliveries = "{told.deliveries}"\nwork = "work"\npublication = "publication"\n'
            f'memory_limit = "{told.settings.memory_limit}"\nthreads = {told.settings.threads}\n'
        )
        programme = load_programme(load_project(own))
        project = programme.project
        first = before = clocks()
        with open_warehouse(
            project.warehouse,
            reach=project.reach,
            memory_limit=project.settings.memory_limit,
            threads=project.settings.threads,
        ) as warehouse:
            load_reference(warehouse, project.reference)
            periods = delivered_periods(project, programme.contracts.values())
            for contract in programme.contracts.values():
                ingest_extract(warehouse, project, contract, programme.staging[contract.extract], periods)
            before = told_of("deliveries to stg", before)
            for floor, queries in (("stg to person", programme.persons), ("person to cube", programme.cubes)):
                known = {query.table: query for query in queries.values()}
                inner = {table: [read for read in query.reads if read in known] for table, query in known.items()}
                for table in TopologicalSorter(inner).static_order():
                    build_table(warehouse, known[table], periods)
                before = told_of(floor, before)
        told_of("closing the warehouse", before)
        told_of("all", first)


def clocks() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.monotonic(), usage.ru_utime + usage.ru_stime


def told_of(floor: str, before: tuple[float, float]) -> tuple[float, float]:
    """Print what a floor took since the clocks before it; the clocks now."""
    now = clocks()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {floor} | {now[0] - before[0]:.1f} | {now[1] - before[1]:.1f} | {peak:,.0f} |", flush=True)
    return now


if __name__ == "__main__":
    typer.run(main)
