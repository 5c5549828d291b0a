"""Floor 6: an asset ``mart/<name>`` per file of ``sql/marts``, from the tables that passed the gate."""

import time

import dagster as dg

from assets.resources import RETRY, Monitor, check_specs, checked_table_result
from triple_aim.checks import closed_lists, existing_verdicts, mart_verdicts
from triple_aim.definitions import Mart, Programme
from triple_aim.disclosure import published_counts
from triple_aim.release import build_mart, read_mart

VERDICTS = "checks"  # built last, because it also contains the verdicts on the other marts


def mart_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    """Every mart; ``checks`` comes last and contains the verdicts on all assets except itself."""
    gate = [dg.AssetKey(["safe", name]) for name in ("indicator_values", "reconciliation", "dictionary")]
    others = [dg.AssetKey(["mart", mart.name]) for mart in programme.publication.marts if mart.name != VERDICTS]
    floors = (("stg", list(programme.contracts)), ("cube", list(programme.cubes)), ("ind", list(programme.specs)))
    below = [dg.AssetKey([floor, name]) for floor, names in floors for name in names]
    subjects = [*below, *gate, *others]
    return [_mart(mart, others if mart.name == VERDICTS else gate, subjects) for mart in programme.publication.marts]


def _mart(mart: Mart, deps: list[dg.AssetKey], subjects: list[dg.AssetKey]) -> dg.AssetsDefinition:
    key = ["mart", mart.name]

    @dg.asset(
        key=key,
        deps=deps,
        group_name="marts",
        kinds={"duckdb", "sql", "parquet"},
        owners=["team:monitor-staff"],
        description=f"{mart.title.en}. One row per {', '.join(mart.grain)}.",
        check_specs=check_specs(key),
        retry_policy=RETRY,
    )
    def table(monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.monotonic()
        with monitor.warehouse() as warehouse:
            if mart.name == VERDICTS:
                verdicts = existing_verdicts(warehouse, ["/".join(asset.path) for asset in subjects])
                warehouse.create("safe.checks", published_counts(verdicts, monitor.programme.publication.rounding))
            build_mart(warehouse, monitor.programme.marts[mart.name], mart)
            table = read_mart(warehouse, mart).to_pandas()
            values = closed_lists(monitor.programme, monitor.inputs.regions(warehouse).types)
            results = mart_verdicts(warehouse, mart, table, values)
            return checked_table_result(warehouse, key, f'mart."{mart.name}"', started, results)

    return table
