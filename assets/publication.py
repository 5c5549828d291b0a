"""Floor 7: the asset ``publication/release``: all marts are published at once, or none."""

from collections.abc import Mapping
from functools import partial

import dagster as dg

from assets.resources import RETRY, Monitor
from triple_aim.checks import suite_files
from triple_aim.definitions import Programme
from triple_aim.disclosure import protection_file, record_published, refuse_small_corrections
from triple_aim.release import publish_release


def publication_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    @dg.asset(
        key=["publication", "release"],
        deps=[dg.AssetKey(["mart", mart.name]) for mart in programme.publication.marts],
        group_name="publication",
        kinds={"parquet"},
        owners=["team:monitor-staff"],
        description="The marts as Parquet, with catalogue, checks page and manifest; one rename makes them current.",
        retry_policy=RETRY,
    )
    def published(context: dg.AssetExecutionContext, monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with monitor.warehouse() as warehouse:
            programme, fingerprint = monitor.programme, monitor.inputs.secret_fingerprint
            refuse = partial(refuse_small_corrections, warehouse, programme)
            done = publish_release(warehouse, programme, _files, fingerprint, refuse)
            if done.is_new:
                record_published(warehouse, programme)
        if not done.is_new:
            context.log.info("nothing changed: release %s is already current", done.path.name)
        return dg.MaterializeResult(metadata={"release": done.path.name, "is_new": done.is_new})

    return [published]


def _files(programme: Programme, rows: Mapping[str, int]) -> dict[str, bytes]:
    """The files next to the marts that other rooms make: suites of expectations and the rules of protection."""
    return suite_files(programme, rows) | protection_file(programme)
