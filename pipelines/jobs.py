"""The jobs: ``nightly`` is everything, from deliveries to publication."""

from collections.abc import Callable

import dagster as dg

#: What a run's periods are called in Dagster: one run over a range of yearly partitions.
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def nightly():  # type: ignore[no-untyped-def]  # Dagster does not export the type
    """DuckDB has one writer, so steps run one after another in one process."""
    return dg.define_asset_job(
        "nightly",
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        description="Deliveries to publication, for a range of years.",
    )


def over(first: int, last: int) -> dict[str, str]:
    """Run tags for the years from first to last."""
    return {RANGE_START: str(first), RANGE_END: str(last)}


def teller(told: Callable[[str], None]) -> dg.HookDefinition:
    """A hook that tells of finished steps."""

    @dg.success_hook(name="tell")
    def tell(context: dg.HookContext) -> None:
        told(context.op.name.replace("__", "/"))

    return tell
