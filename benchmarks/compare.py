"""Asks the floor's question of each peer, each a process of its own; prints what it took and whether it is right.

    python -m venv PEERS && PEERS/bin/pip install --require-hashes -r benchmarks/peers-requirements.txt
    python benchmarks/compare.py --lines 1e6 --lines 1e7 --peers-python PEERS/bin/python

The question: insured years and cost by municipality. ``triple-aim run`` answers it too, with the whole catalogue, every
check and the disclosure gate; read its row as that. The truth comes with the deliveries. Quote ratios, not seconds.
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
OURS = "triple-aim run"
LINES_A_PERSON = 32.5  # not everybody is insured all year
SMALL = 5_000_000  # lines; below it a run is repeated and the median told


@dataclass(frozen=True)
class Taken:
    """What one process took: seconds, seconds of all cores, bytes of its largest process."""

    wall: float
    cpu: float
    peak: float


def timed(command: list[str]) -> Taken | None:
    """Run a command to its end; None when it failed."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            errors.seek(0)
            print(errors.read()[-800:].decode(errors="replace"), file=sys.stderr)
            return None
    return Taken(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def nation_of(lines: float, folder: Path) -> dict[str, float]:
    """Make the deliveries with about so many lines, unless they are there; how many lines and bytes they have."""
    if not (folder / "truth.json").exists():
        # By a process of its own: the peak of memory of this one would be told of every peer it starts.
        asked = ["--persons", str(round(lines / LINES_A_PERSON)), "--year", str(YEAR), "--claims-only"]
        subprocess.run([sys.executable, str(HERE / "generate.py"), *asked, "--out", str(folder)], check=True)
    told = json.loads((folder / "truth.json").read_text())
    size = sum(path.stat().st_size for path in (folder / "deliveries").rglob("*") if path.is_file())
    return {"rows": told["claim_line_count"], "bytes": size}


def error_of(found: Path, folder: Path) -> float:
    """The largest difference from the truth in any municipality, in euros or insured years."""
    cells = pd.read_parquet(folder / "truth.parquet")
    columns = ["insured_years", "amount_eur"]
    truth = cells.pivot_table(index="municipality_code", columns="measure", values="value", aggfunc="sum")[columns]
    answer = pd.read_csv(found).set_index("municipality_code")[columns].reindex(truth.index)
    difference = (answer.astype(float) - truth).abs()
    return float(difference.max().max()) if difference.notna().all(axis=None) else float("inf")


def peer(name: str, python: str, folder: Path) -> Callable[[Path], list[str]]:
    files = [
        str(folder / f"deliveries/{path}_{YEAR}") for path in ("insured_population/insured_population", "claims/claims")
    ]
    script = str(HERE / "peers" / f"with_{name}.py")
    return lambda out: [python, script, files[0] + ".csv.gz", files[1] + ".parquet", str(YEAR), str(out)]


def ours(folder: Path) -> Callable[[Path], list[str]]:
    """The whole job, from nothing: its work folder lies beside the answer, which it does not write."""

    def command(out: Path) -> list[str]:
        config = out.with_suffix(".toml")
        settings = {"deliveries": folder.resolve() / "deliveries", "work": out.with_name(out.stem + "-work")}
        settings["publication"] = out.with_name(out.stem + "-publication")
        config.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        return [sys.executable, "-c", "from triple_aim.cli import main; main()", "run", "--config", str(config)]

    return command


def main(
    lines: Annotated[list[float], typer.Option(help="claim lines, such as 1e6; may be given more than once")],
    peers_python: Annotated[str, typer.Option(help="Python that has the peers of peers-requirements.txt")],
    only: Annotated[list[str] | None, typer.Option(help="a peer; may be given more than once")] = None,
    data: Annotated[Path, typer.Option(help="where the deliveries are made and kept")] = Path("work/compare"),
    repeats: Annotated[int, typer.Option(help="runs of which the median is told, at small sizes")] = 3,
) -> None:
    """Print one table: peers by size, with ratios to the floor."""
    wanted = only or [*PEERS, OURS]
    print("| lines | peer | wall, s | × floor | CPU, s | × floor | peak, MB | rows/s | largest error |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for size in lines:
        folder = data / f"{size:.0e}"
        delivered = nation_of(size, folder)
        floor: Taken | None = None
        for name in wanted:
            command = ours(folder) if name == OURS else peer(name, peers_python, folder)
            with tempfile.TemporaryDirectory(dir=data) as scratch:
                outs = [Path(scratch) / f"{number}.csv" for number in range(repeats if size <= SMALL else 1)]
                runs = [taken for out in outs if (taken := timed(command(out)))]
                error = f"{error_of(outs[0], folder):.4f}" if outs[0].exists() else "-"
            if not runs:
                print(f"| {delivered['rows']:,} | {name} | failed | | | | | | |")
                continue
            taken = Taken(*(statistics.median(getattr(run, what) for run in runs) for what in ("wall", "cpu", "peak")))
            floor = floor or taken
            cells = [
                f"{delivered['rows']:,}",
                name,
                *(
                    f"{taken.wall:.1f}",
                    f"{taken.wall / floor.wall:.1f}",
                    f"{taken.cpu:.1f}",
                    f"{taken.cpu / floor.cpu:.1f}",
                ),
                *(f"{taken.peak / 1e6:,.0f}", f"{delivered['rows'] / taken.wall:,.0f}", error),
            ]
            print("|", " | ".join(cells), "|", flush=True)
        print(f"{delivered['rows']:,} lines are {delivered['bytes'] / 1e6:,.1f} MB of deliveries", file=sys.stderr)


if __name__ == "__main__":
    typer.run(main)
