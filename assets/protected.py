"""Floor 5: the assets ``safe/*`` of the disclosure gate, the only tables that marts read."""

import time
from functools import partial

import dagster as dg

from assets.resources import RETRY, Monitor, check_specs, checked_table_result
from triple_aim.checks import (
    delivery_verdicts,
    dictionary_verdicts,
    gate_verdicts,
    ledger_verdicts,
    reconciliation_verdicts,
    region_verdicts,
)
from triple_aim.cubes import reconcile
from triple_aim.definitions import Programme
from triple_aim.deliveries import delivered_files, unclaimed_files
from triple_aim.disclosure import TABLE, pass_gate, published_ledger
from triple_aim.indicators import changed_rows
from triple_aim.release import write_dictionary

OWNERS = ["team:disclosure-control"]


def protected_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    indicators = [dg.AssetKey(["ind", name]) for name in programme.specs]
    cubes = [dg.AssetKey(["cube", name]) for name in programme.cubes]

    @dg.asset(
        key=["safe", "indicator_values"],
        deps=indicators,
        group_name="gate",
        kinds={"python", "duckdb"},
        owners=OWNERS,
        description="The indicator values after the disclosure gate; a withheld value keeps its row without numbers.",
        check_specs=check_specs(["safe", "indicator_values"]),
        retry_policy=RETRY,
    )
    def values(monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.monotonic()
        programme = monitor.programme
        with monitor.warehouse() as warehouse:
            done = pass_gate(
                warehouse,
                programme.specs.values(),
                programme.publication,
                programme.project.settings.division_year,
                monitor.inputs.regions(warehouse),
                partial(changed_rows, warehouse, monitor.inputs),
                monitor.inputs.secret_fingerprint,
            )
            return checked_table_result(
                warehouse,
                ["safe", "indicator_values"],
                TABLE,
                started,
                gate_verdicts(warehouse, programme.specs),
                rows_suppressed=done.rows_suppressed,
                indicators_gated=len(done.gated),
            )

    @dg.asset(
        key=["safe", "reconciliation"],
        deps=cubes,
        group_name="gate",
        kinds={"duckdb"},
        owners=OWNERS,
        description="The rounded ledger of delivered rows and euros: counted, set aside by rule or excluded by reason.",
        check_specs=check_specs(["safe", "reconciliation"]),
        retry_policy=RETRY,
    )
    def ledger(monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.monotonic()
        with monitor.warehouse() as warehouse:
            contracts, deliveries = monitor.programme.contracts.values(), monitor.programme.project.deliveries
            rows = reconcile(warehouse, contracts)
            warehouse.create("safe.reconciliation", published_ledger(rows, monitor.programme.publication.rounding))
            claimed = delivery_verdicts(len(delivered_files(deliveries)), unclaimed_files(deliveries, contracts))
            verdicts = [*claimed, *ledger_verdicts(rows), *reconciliation_verdicts(warehouse)]
            return checked_table_result(warehouse, ["safe", "reconciliation"], "safe.reconciliation", started, verdicts)

    @dg.asset(
        key=["safe", "dictionary"],
        deps=cubes,
        group_name="gate",
        kinds={"duckdb"},
        owners=OWNERS,
        description="The meaning of the indicators and the list of regions, from the specs and the reference tables.",
        check_specs=check_specs(["safe", "dictionary"]),
        retry_policy=RETRY,
    )
    def dictionary(monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.monotonic()
        programme = monitor.programme
        with monitor.warehouse() as warehouse:
            regions = monitor.inputs.regions(warehouse)
            write_dictionary(warehouse, programme, regions)
            verdicts = [*region_verdicts(regions), *dictionary_verdicts(warehouse, programme.specs)]
            return checked_table_result(warehouse, ["safe", "dictionary"], "safe.indicators", started, verdicts)

    return [values, ledger, dictionary]
