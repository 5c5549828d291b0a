"""Floor 4: one asset a spec, ``ind/<indicator>``: values with intervals, not yet fit to be seen; one step an aim."""

import time
from collections.abc import Iterator
from itertools import groupby

import dagster as dg
import pandas as pd

from assets.resources import RETRY, Monitor, check_specs, event, judged, recalled
from triple_aim.checks import indicator_verdicts
from triple_aim.cubes import all_built, remember
from triple_aim.definitions import Programme, Spec
from triple_aim.indicators import KINDS, indicator_rows, with_published
from triple_aim.warehouse import Warehouse, qualified, quoted

TYPES = {"str": "varchar", "int64": "bigint", "float64": "double"}
#: The same for every indicator: told once of each, not again by every run.
SCHEMA = dg.TableSchema(columns=[dg.TableColumn(name, TYPES[kind]) for name, kind in KINDS.items()])


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
            seconds, made = {spec.id: 0.0 for spec in wanted}, []
            cubes = sorted({cube for spec in stale for cube in programme.cubes_of(spec)})
            cells = {cube: monitor.cells(warehouse, cube) for cube in cubes}
            for spec in stale:
                started = time.monotonic()
                rows = indicator_rows(spec, cells, regions, programme.tables, programme.publication.run_off)
                made.append(with_published(warehouse, spec, regions, rows).assign(indicator_id=spec.id))
                seconds[spec.id] = time.monotonic() - started
            if stale:
                _keep(warehouse, stale, pd.concat(made, ignore_index=True))
            verdicts = {f"ind/{name}": mine for name, mine in indicator_verdicts(warehouse, stale).items()}
            unchanged = sorted({f"ind/{spec.id}" for spec in wanted} - verdicts.keys())
            results = judged(warehouse, verdicts) | recalled(warehouse, unchanged)
            with warehouse.transaction():  # last, so that a table without verdicts is made again
                for spec in stale:
                    remember(warehouse, f"ind.{spec.id}", 0, contents[spec.id])
            sizes = _sizes(warehouse, list(seconds))
            for name, taken in seconds.items():
                asset = f"ind/{name}"
                yield event(asset, sizes[name], taken, results[asset], is_unchanged=asset not in verdicts)

    return indicators


def _keep(warehouse: Warehouse, specs: list[Spec], rows: pd.DataFrame) -> None:
    """Write the rows of some indicators as a table each, all or none.

    They land at once: to turn the frame into a table for each of them would cost more than to compute it.
    """
    with warehouse.transaction(), warehouse.named("arriving", rows):
        warehouse.run("create or replace temp table landed as select * from arriving")
        for spec in specs:
            remember(warehouse, f"ind.{spec.id}", 0, None)
            warehouse.run(
                f"""create or replace table {qualified(f"ind.{spec.id}")} as
                    select * exclude (indicator_id) from landed where indicator_id = ?""",
                [spec.id],
            )
        warehouse.run("drop table landed")


def _sizes(warehouse: Warehouse, names: list[str]) -> dict[str, int]:
    """How many rows each indicator has, asked at once."""
    counts = [f"select ? as indicator_id, count(*) as row_count from ind.{quoted(name)}" for name in names]
    return dict(warehouse.rows(" union all ".join(counts), names))


def _asset(spec: Spec, cubes: list[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["ind", spec.id],
        deps=[dg.AssetKey(["cube", cube]) for cube in cubes],
        group_name=spec.aim,
        kinds={"python", "duckdb"},
        owners=[f"team:{spec.owner}"],
        tags={"aim": spec.aim, "spec_version": spec.version},
        metadata={"dagster/column_schema": SCHEMA},
        description=f"{spec.title.en}. {spec.meaning.en} Unit: {spec.unit.en}.",
    )
