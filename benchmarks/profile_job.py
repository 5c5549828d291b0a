"""Lists the steps of a job with wall time, CPU time and memory, the longest first.

    python benchmarks/profile_job.py DIR/monitor.toml --rows 25

Runs the job of the settings file like ``triple-aim run``. The seconds of a step count from the end of the previous
step, so they include the orchestrator. The memory peak is that of the process up to the end of the step.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


@dataclass(frozen=True)
class Moment:
    """The clocks at the end of a step."""

    step: str
    wall: float
    cpu: float
    peak: float  # MB

    @classmethod
    def now(cls, step: str) -> Moment:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return cls(step, time.monotonic(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main(
    config: Path, rows: Annotated[int, typer.Option(help="Number of steps to print, the longest ones.")] = 25
) -> None:
    """Print the longest steps of the job, then the sum of all others."""
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    os.environ["TRIPLE_AIM_CONFIG"] = str(config.resolve())
    moments = [Moment.now("")]
    from pipelines.run import run

    moments.append(Moment.now("imports"))
    outcome = run(config.resolve(), None, lambda step: moments.append(Moment.now(step)))
    moments.append(Moment.now("end of the job"))
    print(outcome.failure or f"published {outcome.release.name if outcome.release else 'nothing'}", file=sys.stderr)
    steps = sorted(zip(moments[1:], moments, strict=False), key=lambda pair: pair[1].wall - pair[0].wall)
    total = Moment(
        "all", *(getattr(moments[-1], clock) - getattr(moments[0], clock) for clock in ("wall", "cpu", "peak"))
    )
    print("| step | wall, s | share | CPU, s | peak by then, MB |")
    print("| --- | --- | --- | --- | --- |")
    for after, before in steps[:rows]:
        wall, cpu = after.wall - before.wall, after.cpu - before.cpu
        print(f"| {after.step} | {wall:.2f} | {wall / total.wall:.0%} | {cpu:.2f} | {after.peak:,.0f} |")
    rest = sum(after.wall - before.wall for after, before in steps[rows:])
    cpu = sum(after.cpu - before.cpu for after, before in steps[rows:])
    print(f"| {len(steps[rows:])} others | {rest:.2f} | {rest / total.wall:.0%} | {cpu:.2f} | |")
    print(f"| all | {total.wall:.2f} | 100% | {total.cpu:.2f} | {moments[-1].peak:,.0f} |")


if __name__ == "__main__":
    typer.run(main)
