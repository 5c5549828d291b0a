"""Runs the same question on each peer, each in its own process; prints time, memory and error.

    python -m venv PEERS && PEERS/bin/pip install --require-hashes -r benchmarks/peers-requirements.txt
    python benchmarks/compare.py --lines 1e6 --lines 1e7 --peers-python PEERS/bin/python

The question: insured years and cost by municipality. The row of ``triple-aim run`` is the whole job: all indicators,
all checks and the disclosure gate. The true values come with the deliveries. Quote ratios, not seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

HERE = Path(__file__).resolve().parent
YEAR = 2023
PEERS = ("duckdb", "pandas", "polars", "dbt", "spark")
JOB = "triple-aim run"
LINES_PER_PERSON = 32.5  # not everybody is insured all year
SMALL = 5_000_000  # lines; smaller runs are repeated, and the median is printed


@dataclass(frozen=True)
class Usage:
    """Resources of one process: wall seconds, CPU seconds of all cores, peak bytes of its largest process."""

    wall: float
    cpu: float
    peak: float


def measure(command: list[str]) -> Usage | None:
    """Run a command; None when it failed."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            errors.seek(0)
            print(errors.read()[-800:].decode(errors="replace"), file=sys.stderr)
            return None
    return Usage(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def generate_deliveries(lines: float, folder: Path) -> dict[str, float]:
    """Generate deliveries with about this number of lines, unless they exist; returns their lines and bytes."""
    if not (folder / "truth.json").exists():
        # In its own process: the memory peak of this process would count for every peer that it starts.
        options = ["--persons", str(round(lines / LINES_PER_PERSON)), "--year", str(YEAR), "--claims-only"]
        subprocess.run([sys.executable, str(HERE / "generate.py"), *options, "--out", str(folder)], check=True)
    summary = json.loads((folder / "truth.json").read_text())
    size = sum(path.stat().st_size for path in (folder / "deliveries").rglob("*") if path.is_file())
    return {"rows": summary["claim_line_count"], "bytes": size}


def largest_error(result: Path, folder: Path) -> float:
    """The largest difference from the true values in any municipality, in euros or insured years."""
    cells = pd.read_parquet(folder / "truth.parquet")
    columns = ["insured_years", "amount_eur"]
    truth = cells.pivot_table(index="municipality_code", columns="measure", values="value", aggfunc="sum")[columns]
    answer = pd.read_csv(result).set_index("municipality_code")[columns].reindex(truth.index)
    difference = (answer.astype(float) - truth).abs()
    return float(difference.max().max()) if difference.notna().all(axis=None) else float("inf")


def peer_command(name: str, python: str, folder: Path) -> Callable[[Path], list[str]]:
    """The command of a peer as a function of its output file."""
    files = [
        str(folder / f"deliveries/{path}_{YEAR}") for path in ("insured_population/insured_population", "claims/claims")
    ]
    script = str(HERE / "peers" / f"with_{name}.py")
    return lambda out: [python, script, files[0] + ".csv.gz", files[1] + ".parquet", str(YEAR), str(out)]


def job_command(folder: Path) -> Callable[[Path], list[str]]:
    """The command of the whole job, with an empty work folder; it does not write the output file."""

    def command(out: Path) -> list[str]:
        config = out.with_suffix(".toml")
        settings = {"deliveries": folder.resolve() / "deliveries", "work": out.with_name(out.stem + "-work")}
        settings["publication"] = out.with_name(out.stem + "-publication")
        config.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        return [sys.executable, "-c", "from triple_aim.cli import main; main()", "run", "--config", str(config)]

    return command


def main(
    lines: Annotated[list[float], typer.Option(help="Claim lines, such as 1e6; can be repeated.")],
    peers_python: Annotated[str, typer.Option(help="Python with the packages of peers-requirements.txt.")],
    only: Annotated[list[str] | None, typer.Option(help="Only this peer; can be repeated.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of the generated deliveries.")] = Path("work/compare"),
    repeats: Annotated[int, typer.Option(help="Runs per peer at small sizes; the median is printed.")] = 3,
) -> None:
    """Print a table of peers by size, with ratios to the floor."""
    names = only or [*PEERS, JOB]
    print("| lines | peer | wall, s | × floor | CPU, s | × floor | peak, MB | rows/s | largest error |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for size in lines:
        folder = data / f"{size:.0e}"
        delivered = generate_deliveries(size, folder)
        floor: Usage | None = None
        for name in names:
            command = job_command(folder) if name == JOB else peer_command(name, peers_python, folder)
            with tempfile.TemporaryDirectory(dir=data) as scratch:
                outs = [Path(scratch) / f"{number}.csv" for number in range(repeats if size <= SMALL else 1)]
                runs = [usage for out in outs if (usage := measure(command(out)))]
                error = f"{largest_error(outs[0], folder):.4f}" if outs[0].exists() else "-"
            if not runs:
                print(f"| {delivered['rows']:,} | {name} | failed | | | | | | |")
                continue
            usage = Usage(
                *(statistics.median(getattr(run, clock) for run in runs) for clock in ("wall", "cpu", "peak"))
            )
            floor = floor or usage
            cells = [
                f"{delivered['rows']:,}",
                name,
                f"{usage.wall:.1f}",
                f"{usage.wall / floor.wall:.1f}",
                f"{usage.cpu:.1f}",
                f"{usage.cpu / floor.cpu:.1f}",
                f"{usage.peak / 1e6:,.0f}",
                f"{delivered['rows'] / usage.wall:,.0f}",
                error,
            ]
            print("|", " | ".join(cells), "|", flush=True)
        print(f"{delivered['rows']:,} lines: {delivered['bytes'] / 1e6:,.1f} MB of deliveries", file=sys.stderr)


if __name__ == "__main__":
    typer.run(main)
