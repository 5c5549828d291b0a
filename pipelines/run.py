"""Runs the ``nightly`` job in this process for a range of years and returns the outcome.

Not here: another way to run. The command line, the schedule and the sensor all run the same job.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from assets.resources import programme_at
from pipelines.definitions import build, defs
from pipelines.jobs import step_hook, year_range_tags
from triple_aim.definitions import CONFIG_VARIABLE
from triple_aim.deliveries import delivered_periods
from triple_aim.errors import CheckFailed, NothingToPublish, TripleAimError
from triple_aim.periods import consecutive_ranges


@dataclass(frozen=True)
class Outcome:
    """The end of a run: its release, which is new or was current already, or its failure."""

    release: Path | None
    is_new: bool
    failure: str = ""
    exit_code: int = 0


def run(config: Path, periods: list[int] | None, report: Callable[[str], None]) -> Outcome:
    """Run the job for these periods, or for all delivered periods; call ``report`` with each finished step."""
    programme = programme_at(str(config))
    wanted = periods or delivered_periods(programme.project, programme.contracts.values())
    if not wanted:
        raise NothingToPublish(
            "nothing was delivered",
            str(programme.project.settings.deliveries),
            "put deliveries there; contracts/*.yaml state their names",
        )
    # The definitions of the default configuration exist already; assembling them again takes a second.
    loaded = defs if os.environ.get(CONFIG_VARIABLE, "") == str(config) else build(str(config))
    job = loaded.resolve_job_def("nightly").with_hooks({step_hook(report)})
    outcome = Outcome(None, False)
    with dagster_instance() as instance:
        for first, last in consecutive_ranges(wanted) if periods else [(wanted[0], wanted[-1])]:
            result = job.execute_in_process(
                instance=instance,
                tags=year_range_tags(first, last),
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            outcome = _outcome(result, programme.project.publication)
            if outcome.exit_code:
                break
    return outcome


@contextmanager
def dagster_instance() -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a run: that of ``DAGSTER_HOME``, or a temporary one that keeps no events.

    A temporary instance ends with the run, so nobody reads its events later; the result of the run has its own. To
    store some 1,500 events in SQLite in memory, and to look for events of earlier runs there, takes seconds.
    """
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            events = instance.event_log_storage
            events.store_event = lambda event: None  # type: ignore[method-assign]
            events.get_asset_records = lambda asset_keys=None: []  # type: ignore[method-assign]
            yield instance


def _outcome(result: dg.ExecuteInProcessResult, publication: Path) -> Outcome:
    for event in result.all_events:
        if event.is_step_failure:
            return _failed(event, _broken_checks(result))
    (materialization,) = result.asset_materializations_for_node("publication__release")
    metadata = materialization.metadata
    return Outcome(publication / "releases" / str(metadata["release"].value), bool(metadata["is_new"].value))


def _broken_checks(result: dg.ExecuteInProcessResult) -> str:
    """The ids and counts of the failed critical checks."""
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
    name = (error.cls_name if error else None) or "an unknown error"
    if name == "DagsterAssetCheckFailedError":
        how = "correct the delivery or the content that the check names"
        failure_text = str(CheckFailed(f"a critical check failed: {broken}", where, how))
        return Outcome(None, False, failure_text, CheckFailed.exit_code)
    how = "run the job in the web UI (make dev), which shows the traceback, and report it"
    return Outcome(None, False, str(TripleAimError(name, where, how)), TripleAimError.exit_code)
