"""Floor 4: one asset a spec, ``ind/<indicator>``: values with intervals, not yet fit to be seen; one step an aim."""

import time
from collections.abc import Iterator
from itertools import groupby

import dagster as dg

from assets.resources import RETRY, Monitor, check_specs, judged, recalled, told
from triple_aim.checks import indicator_counts
from triple_aim.cubes import all_built, remember
from triple_aim.indicators import indicator_rows
from triple_aim.programme import Programme
from triple_aim.published import with_published
from triple_aim.specs import Spec


def indicator_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    specs = sorted(programme.specs.values(), key=lambda spec: spec.aim)
    return [_aim(programme, aim, list(mine)) for aim, mine in groupby(specs, key=lambda spec: spec.aim)]


def _aim(programme: Programme, aim: str, specs: list[Spec]) -> dg.AssetsDefinition:
    """The indicators of one aim in one step: a step of its own each would cost more than computing it."""

    @dg.multi_asset(
        name=f"ind__{aim}",
        specs=[_asset(spec, programme.cubes_of(spec)) for spec in specs],
        check_specs=[check for spec in specs for check in check_specs(["ind", spec.id])],
        can_subset=True,
        retry_policy=RETRY,
    )
    def indicators(context: dg.AssetExecutionContext, monitor: Monitor) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        programme = monitor.programme
        wanted = [spec for spec in specs if dg.AssetKey(["ind", spec.id]) in context.selected_asset_keys]
        with monitor.warehouse() as warehouse:
            regions = monitor.regions(warehouse)
            contents, there = monitor.contents(warehouse, wanted), all_built(warehouse)
            stale = [spec for spec in wanted if there.get(f"ind.{spec.id}", {}).get(0) != contents[spec.id]]
            seconds, counts = dict.fromkeys((f"ind/{spec.id}" for spec in wanted), 0.0), {}
            for spec in stale:
                started = time.monotonic()
                cells = {name: monitor.cells(warehouse, name) for name in programme.cubes_of(spec)}
                rows = indicator_rows(spec, cells, regions, programme.tables, programme.publication.run_off)
                rows = with_published(warehouse, spec, regions, rows)
                warehouse.create(f"ind.{spec.id}", rows)
                counts[f"ind/{spec.id}"] = indicator_counts(spec, rows)
                seconds[f"ind/{spec.id}"] = time.monotonic() - started
            results = judged(warehouse, counts) | recalled(warehouse, sorted(seconds.keys() - counts.keys()))
            for spec in stale:  # last, so that a table whose counts were not judged is made again
                remember(warehouse, f"ind.{spec.id}", 0, contents[spec.id])
            for asset, taken in seconds.items():
                table = f'ind."{asset.removeprefix("ind/")}"'
                yield told(warehouse, asset, table, taken, results[asset], is_unchanged=asset not in counts)

    return indicators


def _asset(spec: Spec, cubes: list[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["ind", spec.id],
        deps=[dg.AssetKey(["cube", cube]) for cube in cubes],
        group_name=spec.aim,
        kinds={"python", "duckdb"},
        owners=[f"team:{spec.owner}"],
        tags={"aim": spec.aim, "spec_version": spec.version},
        description=f"{spec.title.en}. {spec.meaning.en} Unit: {spec.unit.en}.",
    )
