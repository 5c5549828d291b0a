"""The job ``nightly``: everything from deliveries to publication.

Not here: when it runs (``schedules``, ``sensors``, ``run``).
"""

from collections.abc import Callable

import dagster as dg

#: The Dagster tags for the first and last yearly partition of a run.
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def nightly():  # type: ignore[no-untyped-def]  # Dagster does not export the type
    """The job with all assets; its steps run one by one in one process, because DuckDB has one writer."""
    return dg.define_asset_job(
        "nightly",
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        description="All assets, from deliveries to publication, for a range of years.",
    )


def year_range_tags(first: int, last: int) -> dict[str, str]:
    """The run tags for the years from first to last."""
    return {RANGE_START: str(first), RANGE_END: str(last)}


def step_hook(report: Callable[[str], None]) -> dg.HookDefinition:
    """A hook that calls ``report`` with the name of each finished step."""

    @dg.success_hook(name="report_step")
    def report_step(context: dg.HookContext) -> None:
        report(context.op.name.replace("__", "/"))

    return report_step
