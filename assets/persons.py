"""Floor 2: one asset a file of ``sql/person``, ``person/<name>``, partitioned by year.

Its tables hold rows of persons: events say how many, never which, and nothing above the cubes may read them.
"""

import time

import dagster as dg

from assets.resources import ONE_RUN, RETRY, YEARS, Monitor, check_specs, finished, years
from triple_aim.checks import cube_counts
from triple_aim.cubes import build_table
from triple_aim.programme import Programme
from triple_aim.queries import Query
from triple_aim.warehouse import qualified


def person_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    return [_person(query) for query in programme.persons.values()]


def _person(query: Query) -> dg.AssetsDefinition:
    key = ["person", query.name]

    @dg.asset(
        key=key,
        deps=[dg.AssetKey(table.split(".")) for table in (*query.sources("stg"), *query.sources("person"))],
        partitions_def=YEARS,
        backfill_policy=ONE_RUN,
        group_name="person",
        kinds={"duckdb", "sql"},
        owners=["team:epidemiology"],
        description=f"{query.purpose} Grain: {', '.join(query.grain)}.",
        check_specs=check_specs(key),
        retry_policy=RETRY,
    )
    def person(context: dg.AssetExecutionContext, monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.monotonic()
        with monitor.warehouse() as warehouse:
            rebuilt = build_table(warehouse, query, years(context))
            counts = cube_counts(warehouse, query, None)
            return finished(warehouse, key, qualified(query.table), started, counts, periods_rebuilt=len(rebuilt))

    return person
