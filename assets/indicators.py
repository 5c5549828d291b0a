"""Floor 4: an asset ``ind/<indicator>`` per spec: values with intervals, before the gate; one step per aim."""

from collections.abc import Iterator
from itertools import groupby

import dagster as dg

from assets.resources import RETRY, Monitor, check_results, check_specs, materialize_result, recalled_check_results
from triple_aim.checks import indicator_verdicts
from triple_aim.definitions import Programme, Spec
from triple_aim.indicators import ROW_TYPES, indicator_row_counts, rebuild_indicators, record_indicators

TYPES = {"str": "varchar", "int64": "bigint", "float64": "double"}
#: Equal for all indicators, so it is metadata of the asset and not of each materialization.
SCHEMA = dg.TableSchema(columns=[dg.TableColumn(name, TYPES[kind]) for name, kind in ROW_TYPES.items()])


def indicator_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    specs = sorted(programme.specs.values(), key=lambda spec: spec.aim)
    return [_aim(programme, aim, list(group)) for aim, group in groupby(specs, key=lambda spec: spec.aim)]


def _aim(programme: Programme, aim: str, specs: list[Spec]) -> dg.AssetsDefinition:
    """The indicators of one aim in one step, because a step per indicator would take longer than its computation."""

    @dg.multi_asset(
        name=f"ind__{aim}",
        specs=[_asset(spec, programme.tables_of(spec)) for spec in specs],
        check_specs=[check for spec in specs for check in check_specs(["ind", spec.id])],
        can_subset=True,
        retry_policy=RETRY,
    )
    def indicators(context: dg.AssetExecutionContext, monitor: Monitor) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        wanted = [spec for spec in specs if dg.AssetKey(["ind", spec.id]) in context.selected_asset_keys]
        with monitor.warehouse() as warehouse:
            rebuilt = rebuild_indicators(warehouse, monitor.inputs, wanted)
            verdicts = {f"ind/{name}": mine for name, mine in indicator_verdicts(warehouse, rebuilt.specs).items()}
            unchanged = sorted({f"ind/{spec.id}" for spec in wanted} - verdicts.keys())
            results = check_results(warehouse, verdicts) | recalled_check_results(warehouse, unchanged)
            record_indicators(warehouse, rebuilt)
            rows = indicator_row_counts(warehouse, list(rebuilt.seconds))
            for name, seconds in rebuilt.seconds.items():
                asset = f"ind/{name}"
                yield materialize_result(asset, rows[name], seconds, results[asset], is_unchanged=asset not in verdicts)

    return indicators


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
