"""Floor 3: one asset a spec, ``ind/<indicator>``: values with intervals, not yet fit to be seen."""

import time

import dagster as dg

from assets.resources import RETRY, Monitor, check_specs, finished
from triple_aim.checks import indicator_counts
from triple_aim.indicators import indicator_rows
from triple_aim.programme import Programme
from triple_aim.published import with_published
from triple_aim.specs import Spec


def indicator_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    return [_indicator(spec, programme.cubes_of(spec)) for spec in programme.specs.values()]


def _indicator(spec: Spec, cubes: list[str]) -> dg.AssetsDefinition:
    key = ["ind", spec.id]

    @dg.asset(
        key=key,
        deps=[dg.AssetKey(["cube", cube]) for cube in cubes],
        group_name=spec.aim,
        kinds={"python", "duckdb"},
        owners=[f"team:{spec.owner}"],
        tags={"aim": spec.aim, "spec_version": spec.version},
        description=f"{spec.title.en}. {spec.meaning.en} Unit: {spec.unit.en}.",
        check_specs=check_specs(key),
        retry_policy=RETRY,
    )
    def indicator(monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.monotonic()
        programme = monitor.programme
        with monitor.warehouse() as warehouse:
            regions = monitor.regions(warehouse)
            cells = {name: monitor.cells(warehouse, name) for name in cubes}
            rows = indicator_rows(spec, cells, regions, programme.tables, programme.publication.run_off)
            rows = with_published(warehouse, spec, regions, rows)
            warehouse.create(f"ind.{spec.id}", rows)
            return finished(warehouse, key, f'ind."{spec.id}"', started, indicator_counts(spec, rows))

    return indicator
