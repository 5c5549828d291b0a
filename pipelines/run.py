"""One way to run: the ``nightly`` job in this process, over a range of years, and what became of it.

Not here: a second runner. The command line, the schedule and the sensor all run the same job.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from assets.resources import programme_at
from pipelines.definitions import build, defs
from pipelines.jobs import over, teller
from triple_aim.definitions import CONFIG_VARIABLE
from triple_aim.deliveries import delivered_periods
from triple_aim.errors import CheckFailed, NothingToPublish
from triple_aim.periods import runs_of


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the release it made or found current, or what stopped it."""

    release: Path | None
    is_new: bool
    failure: str = ""
    exit_code: int = 0


def run(config: Path, periods: list[int] | None, told: Callable[[str], None]) -> Outcome:
    """Run the job for these periods (for everything delivered, when None); ``told`` hears of every finished step."""
    programme = programme_at(str(config))
    wanted = periods or delivered_periods(programme.project, programme.contracts.values())
    if not wanted:
        raise NothingToPublish(
            "nothing was delivered",
            str(programme.project.settings.deliveries),
            "put deliveries there; contracts/*.yaml say under which names",
        )
    # What this process was started for stands assembled already; to assemble it twice takes a second.
    loaded = defs if os.environ.get(CONFIG_VARIABLE, "") == str(config) else build(str(config))
    job = loaded.resolve_job_def("nightly").with_hooks({teller(told)})
    outcome = Outcome(None, False)
    with dg.DagsterInstance.get() if os.environ.get("DAGSTER_HOME") else dg.DagsterInstance.ephemeral() as instance:
        for first, last in runs_of(wanted) if periods else [(wanted[0], wanted[-1])]:
            result = job.execute_in_process(
                instance=instance,
                tags=over(first, last),
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            outcome = _outcome(result, programme.project.publication)
            if outcome.exit_code:
                break
    return outcome


def _outcome(result: dg.ExecuteInProcessResult, publication: Path) -> Outcome:
    for event in result.all_events:
        if event.is_step_failure:
            return _failed(event, _broken_checks(result))
    (made,) = result.asset_materializations_for_node("publication__release")
    facts = made.metadata
    return Outcome(publication / "releases" / str(facts["release"].value), bool(facts["is_new"].value))


def _broken_checks(result: dg.ExecuteInProcessResult) -> str:
    """What the failed critical checks said: ids and counts."""
    return "; ".join(
        check.description or check.check_name
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    )


def _failed(event: dg.DagsterEvent, broken: str) -> Outcome:
    where = str(event.step_key).replace("__", "/")
    data = event.step_failure_data
    if (failure := data.user_failure_data) is not None:
        code = failure.metadata.get("exit_code")
        return Outcome(None, False, failure.description or where, int(str(code.value)) if code else 1)
    error = data.error.cause or data.error if data.error else None
    name = error.cls_name if error else "an unknown error"
    if name == "DagsterAssetCheckFailedError":
        mend = "correct the delivery or the content it names"
        told = f"a critical check failed: {broken}\n  where: {where}\n  mend:  {mend}"
        return Outcome(None, False, told, CheckFailed.exit_code)
    mend = "run it in the web UI (make dev), which shows the traceback, and report it"
    return Outcome(None, False, f"{name}\n  where: {where}\n  mend:  {mend}", 1)
