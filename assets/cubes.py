"""Floor 3: one asset a file of ``sql/cube``, ``cube/<name>``, partitioned by year."""

import time

import dagster as dg

from assets.resources import ONE_RUN, RETRY, YEARS, Monitor, check_specs, finished, years
from triple_aim.checks import cube_counts
from triple_aim.cubes import build_table, municipality_codes
from triple_aim.programme import Programme
from triple_aim.queries import Query
from triple_aim.rollup import geography


def cube_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    return [_cube(query) for query in programme.cubes.values()]


def _cube(query: Query) -> dg.AssetsDefinition:
    key = ["cube", query.name]

    @dg.asset(
        key=key,
        deps=[dg.AssetKey(table.split(".")) for table in (*query.sources("stg"), *query.sources("person"))],
        partitions_def=YEARS,
        backfill_policy=ONE_RUN,
        group_name="cube",
        kinds={"duckdb", "sql"},
        owners=["team:epidemiology"],
        description=f"{query.purpose} Grain: {', '.join(query.grain)}.",
        check_specs=check_specs(key),
        retry_policy=RETRY,
    )
    def cube(context: dg.AssetExecutionContext, monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.monotonic()
        with monitor.warehouse() as warehouse:
            rebuilt = build_table(warehouse, query, years(context))
            codes = municipality_codes(warehouse, query)
            regions = monitor.regions(warehouse)
            place = geography(regions, regions.types, codes) if codes else None
            counts = cube_counts(warehouse, query, place)
            return finished(warehouse, key, f'cube."{query.name}"', started, counts, periods_rebuilt=len(rebuilt))

    return cube
