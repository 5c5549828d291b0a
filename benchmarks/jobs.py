"""Measures the whole job from an empty work folder: wall time, CPU time and peak memory of the process.

    python benchmarks/jobs.py                # the samples, then the open data if ../shared/data exists
    python benchmarks/jobs.py --runs 5

Prints one line per run, and medians. Machines are noisy: quote ratios within one call, not seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JOBS = {"samples": ROOT / "data_samples" / "deliveries", "open data": ROOT.parent / "shared" / "data"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=3)
    runs = options.parse_args().runs
    for name, deliveries in JOBS.items():
        if not deliveries.is_dir():
            print(f"{name}: skipped, {deliveries} does not exist")
            continue
        with tempfile.TemporaryDirectory() as folder:
            first = [measure(Path(folder) / str(number), deliveries) for number in range(runs)]
            again = measure(Path(folder) / "0", deliveries)
        for label, wall, cpu, peak in [
            *((f"run {number + 1}", *figures) for number, figures in enumerate(first)),
            ("median", *(statistics.median(column) for column in zip(*first, strict=True))),
            ("unchanged", *again),
        ]:
            print(f"{name:10} {label:10} {wall:7.1f} s wall {cpu:7.1f} s CPU {peak:7.0f} MB peak")


def measure(folder: Path, deliveries: Path) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak megabytes of one run."""
    folder.mkdir(exist_ok=True)
    config = folder / "monitor.toml"
    config.write_text(f'deliveries = "{deliveries}"\nwork = "work"\npublication = "publication"\n')
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", "from triple_aim.cli import main; main()", "run", "--config", str(config)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"the job failed with exit code {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
