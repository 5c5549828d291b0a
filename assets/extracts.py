"""Floor 1: an asset ``stg/<extract>`` per contract, partitioned by year."""

import time

import dagster as dg

from assets.resources import ONE_RUN, RETRY, YEARS, Monitor, check_specs, checked_table_result, years
from triple_aim.checks import extract_verdicts
from triple_aim.definitions import Contract, Programme
from triple_aim.deliveries import ingest_extract
from triple_aim.warehouse import load_reference

REFERENCE = dg.AssetKey(["ref", "tables"])


def reference_asset() -> dg.AssetsDefinition:
    """The asset ``ref/tables``: every reference CSV as a table that SQL reads."""

    @dg.asset(
        key=REFERENCE,
        group_name="reference",
        kinds={"csv", "duckdb"},
        owners=["team:data-stewards"],
        description="Classifications, code lists, standards and price indices under reference/.",
        retry_policy=RETRY,
    )
    def tables(monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with monitor.warehouse() as warehouse:
            count = load_reference(warehouse, monitor.programme.project.reference)
        return dg.MaterializeResult(metadata={"tables": count})

    return tables


def extract_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    return [reference_asset(), *(_extract(contract) for contract in programme.contracts.values())]


def _extract(contract: Contract) -> dg.AssetsDefinition:
    key = ["stg", contract.extract]

    @dg.asset(
        key=key,
        deps=[REFERENCE],
        partitions_def=YEARS,
        backfill_policy=ONE_RUN,
        group_name="staging",
        kinds={"duckdb", "sql", *(files.format.type for files in contract.files)},
        owners=["team:data-stewards"],
        tags={"level": contract.level, "contract_version": contract.version},
        description=f"{contract.title.en}: {contract.meaning.en} Grain: {contract.grain}.",
        check_specs=check_specs(key),
        retry_policy=RETRY,
    )
    def staged(context: dg.AssetExecutionContext, monitor: Monitor) -> dg.MaterializeResult:  # type: ignore[type-arg]
        started = time.monotonic()
        programme = monitor.programme
        with monitor.warehouse() as warehouse:
            done = ingest_extract(
                warehouse, programme.project, contract, programme.staging[contract.extract], years(context)
            )
            return checked_table_result(
                warehouse,
                key,
                f'stg."{contract.extract}"',
                started,
                extract_verdicts(contract.extract, done.rows, done.set_aside),
                deliveries_accepted=done.accepted,
                deliveries_unchanged=done.unchanged,
                rows_set_aside=done.set_aside,
            )

    return staged
