"""Measures the steps from deliveries to cubes without the orchestrator: wall time, CPU time and peak memory.

    python benchmarks/to_cubes.py work/compare/1e+07/monitor.toml

Starts from an empty temporary folder, with the deliveries of the settings file. Checks, indicators, gate and marts are
not included; ``profile_job.py`` measures them.
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
    """Print a table with one row per step."""
    from triple_aim.cubes import build_table
    from triple_aim.definitions import load_programme, load_project
    from triple_aim.deliveries import delivered_periods, ingest_extract
    from triple_aim.warehouse import load_reference, open_warehouse

    given = load_project(config.resolve())
    print("| step | wall, s | CPU, s | peak by then, MB |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(dir=config.resolve().parent) as folder:
        own = Path(folder) / "monitor.toml"
        own.write_text(
            f'deliveries = "{given.deliveries}"\nwork = "work"\npublication = "publication"\n'
            f'memory_limit = "{given.settings.memory_limit}"\nthreads = {given.settings.threads}\n'
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
            before = print_usage("deliveries to stg", before)
            for step, queries in (("stg to person", programme.persons), ("person to cube", programme.cubes)):
                by_table = {query.table: query for query in queries.values()}
                sources = {
                    table: [read for read in query.reads if read in by_table] for table, query in by_table.items()
                }
                for table in TopologicalSorter(sources).static_order():
                    build_table(warehouse, by_table[table], periods)
                before = print_usage(step, before)
        print_usage("closing the warehouse", before)
        print_usage("all", first)


def clocks() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.monotonic(), usage.ru_utime + usage.ru_stime


def print_usage(step: str, before: tuple[float, float]) -> tuple[float, float]:
    """Print the usage of a step since ``before``; returns the current clocks."""
    now = clocks()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {step} | {now[0] - before[0]:.1f} | {now[1] - before[1]:.1f} | {peak:,.0f} |", flush=True)
    return now


if __name__ == "__main__":
    typer.run(main)
