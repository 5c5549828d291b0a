"""What all floors share: the programme, the warehouse, and the Dagster events for errors and verdicts.

Not here: the assets themselves. Events contain counts, seconds and hashes, never a value of a row.
"""

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from traceback import extract_tb

import dagster as dg
from pydantic import PrivateAttr

from triple_aim.checks import Verdict, recall, record
from triple_aim.cubes import TableBuilder, build_table, in_reading_order, open_builder
from triple_aim.definitions import Programme, load_programme, load_project
from triple_aim.errors import TripleAimError
from triple_aim.indicators import IndicatorInputs
from triple_aim.periods import FIRST_PERIOD
from triple_aim.release import installation_secret
from triple_aim.warehouse import EngineError, Query, Warehouse, is_transient, masked_message, open_warehouse, qualified

warnings.filterwarnings("ignore", category=dg.BetaWarning)  # single-run backfills: pinned, and tested in tests/pipeline

YEARS = dg.TimeWindowPartitionsDefinition(start=str(FIRST_PERIOD), cron_schedule="0 0 1 1 *", fmt="%Y", end_offset=1)
ONE_RUN = dg.BackfillPolicy.single_run()
#: For errors that may be temporary, such as those of a disk. A foreseen error (TripleAimError) is not retried.
RETRY = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
CRITICAL, WARNINGS = "critical", "warnings"


@lru_cache(maxsize=1)
def programme_at(config: str) -> Programme:
    """The programme of one settings file, read once per process."""
    return load_programme(load_project(Path(config) if config else None))


class Monitor(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Gives assets the programme, the warehouse and the inputs of indicators."""

    config: str = ""
    _open: ExitStack = PrivateAttr(default_factory=ExitStack)
    _warehouse: Warehouse | None = PrivateAttr(default=None)
    _builder: TableBuilder | None = PrivateAttr(default=None)
    _inputs: IndicatorInputs | None = PrivateAttr(default=None)

    @property
    def programme(self) -> Programme:
        return programme_at(self.config)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the warehouse at the end of the run, also after a failure."""
        self._warehouse = self._builder = self._inputs = None
        self._open.close()

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """The warehouse, which the first asset opens and the end of the run closes.

        Opening and closing takes longer than most assets do. Errors become Dagster failures, without a retry
        for foreseen ones.
        """
        project = self.programme.project
        try:
            if self._warehouse is None:
                self._warehouse = self._open.enter_context(
                    open_warehouse(
                        project.warehouse,
                        reach=project.reach,
                        memory_limit=project.settings.memory_limit,
                        threads=project.settings.threads,
                    )
                )
            yield self._warehouse
        except TripleAimError as error:
            # From None, here and below: Dagster also stores the cause, and its message may quote a value.
            raise dg.Failure(
                description=str(error), metadata={"exit_code": error.exit_code}, allow_retries=False
            ) from None
        except EngineError as error:
            raise dg.Failure(
                description=masked_message(error), metadata={"exit_code": 1}, allow_retries=is_transient(error)
            ) from None
        except Exception as error:
            # The places in the code contain no value. No retry, because the same data would fail again.
            places = " < ".join(
                f"{Path(f.filename).name}:{f.lineno}" for f in reversed(extract_tb(error.__traceback__)[-6:])
            )
            raise dg.Failure(
                description=str(
                    TripleAimError(f"unforeseen {type(error).__name__}", places, "report these three lines")
                ),
                metadata={"exit_code": 1},
                allow_retries=False,
            ) from None

    @property
    def builder(self) -> TableBuilder:
        """The builder of person tables and cubes; a run connects to a cluster once."""
        if self._builder is None:
            self._builder = self._open.enter_context(open_builder(self.programme.project))
        return self._builder

    @property
    def inputs(self) -> IndicatorInputs:
        """The regions and cells that indicators need, read once per run."""
        if self._inputs is None:
            self._inputs = IndicatorInputs(self.programme, installation_secret(self.programme.project))
        return self._inputs


def by_year(
    floor: str,
    queries: Iterable[Query],
    verdicts_on: Callable[[Monitor, Warehouse, Sequence[Query]], Mapping[str, list[Verdict]]],
    before: Callable[[Monitor, Warehouse], None] = lambda *_: None,
) -> dg.AssetsDefinition:
    """An asset per SQL file of a floor, in one step; a year is rebuilt when the data that its SQL reads changed.

    ``verdicts_on`` checks tables, by name. A step per file would take longer than most files do.
    """
    ordered = in_reading_order(queries)

    @dg.multi_asset(
        name=floor,
        specs=[_asset(query) for query in ordered],
        check_specs=[check for query in ordered for check in check_specs(query.table.split("."))],
        partitions_def=YEARS,
        backfill_policy=ONE_RUN,
        can_subset=True,
        retry_policy=RETRY,
    )
    def tables(context: dg.AssetExecutionContext, monitor: Monitor) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        wanted = [query for query in ordered if dg.AssetKey(query.table.split(".")) in context.selected_asset_keys]
        with monitor.warehouse() as warehouse:
            before(monitor, warehouse)
            facts = {}
            for query in wanted:
                started, asset = time.monotonic(), query.table.replace(".", "/")
                rebuilt = build_table(warehouse, query, years(context), monitor.builder)
                facts[asset] = query.table, time.monotonic() - started, len(rebuilt)
            verdicts = verdicts_on(monitor, warehouse, wanted)
            results = check_results(warehouse, {asset: verdicts[table] for asset, (table, *_) in facts.items()})
            for asset, (table, seconds, rebuilt_count) in facts.items():
                yield table_result(
                    warehouse, asset, qualified(table), seconds, results[asset], periods_rebuilt=rebuilt_count
                )

    return tables


def _asset(query: Query) -> dg.AssetSpec:
    key = query.table.split(".")
    return dg.AssetSpec(
        key=key,
        deps=[dg.AssetKey(table.split(".")) for table in query.below],
        group_name=key[0],
        kinds={"duckdb", "sql"},
        owners=["team:epidemiology"],
        description=f"{query.purpose} Grain: {', '.join(query.grain)}.",
    )


def check_specs(key: Sequence[str]) -> list[dg.AssetCheckSpec]:
    """The two checks of an asset: one that blocks dependent assets, and one that only warns."""
    asset = dg.AssetKey(key)
    return [
        dg.AssetCheckSpec(
            CRITICAL, asset=asset, blocking=True, description="a failure stops the assets that depend on this one"
        ),
        dg.AssetCheckSpec(WARNINGS, asset=asset, description="a failure is reported and stops nothing"),
    ]


def check_results(warehouse: Warehouse, verdicts: Mapping[str, list[Verdict]]) -> dict[str, list[dg.AssetCheckResult]]:
    """Record the verdicts on some assets for the mart ``checks``; the check results of each asset."""
    record(warehouse, verdicts)
    return {asset: _check_results(asset, of_asset) for asset, of_asset in verdicts.items()}


def recalled_check_results(warehouse: Warehouse, assets: Sequence[str]) -> dict[str, list[dg.AssetCheckResult]]:
    """The check results of assets whose tables were not rebuilt, from the recorded verdicts."""
    return {asset: _check_results(asset, of_asset) for asset, of_asset in recall(warehouse, assets).items()}


def _check_results(asset: str, verdicts: list[Verdict]) -> list[dg.AssetCheckResult]:
    """One result per check of an asset; its description lists the failed verdicts with their counts."""
    results = []
    for name, severity, level in (
        (CRITICAL, "critical", dg.AssetCheckSeverity.ERROR),
        (WARNINGS, "warning", dg.AssetCheckSeverity.WARN),
    ):
        of_severity = [verdict for verdict in verdicts if verdict.severity == severity]
        failed = [verdict for verdict in of_severity if not verdict.is_passed]
        message = "; ".join(f"{v.check_id}: {v.unexpected:,} of {v.checked:,} {v.note}".strip() for v in failed)
        results.append(
            dg.AssetCheckResult(
                passed=not failed,
                check_name=name,
                asset_key=dg.AssetKey(asset.split("/")),
                severity=level,
                description=message or f"{len(of_severity)} checks passed",
                metadata={"checks": len(of_severity), "failed": len(failed)},
            )
        )
    return results


def checked_table_result(
    warehouse: Warehouse,
    key: Sequence[str],
    table: str,
    started: float,
    verdicts: list[Verdict],
    **facts: int | str | float,
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Record the verdicts on a table and return the result of its asset."""
    asset = "/".join(key)
    results = check_results(warehouse, {asset: verdicts})[asset]
    return table_result(warehouse, asset, table, time.monotonic() - started, results, **facts)


def table_result(
    warehouse: Warehouse,
    asset: str,
    table: str,
    seconds: float,
    results: list[dg.AssetCheckResult],
    **facts: int | str | float,
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The result of an asset that is a table: columns, rows, seconds and check results."""
    schema = dg.TableSchema(
        columns=[dg.TableColumn(name, kind) for name, kind in warehouse.header(f"select * from {table}")]
    )
    rows = int(warehouse.value(f"select count(*) from {table}"))
    return materialize_result(asset, rows, seconds, results, **{"dagster/column_schema": schema}, **facts)


def materialize_result(
    asset: str,
    rows: int,
    seconds: float,
    results: list[dg.AssetCheckResult],
    **facts: int | str | float | dg.TableSchema,
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The result of an asset with this number of rows."""
    return dg.MaterializeResult(
        asset_key=dg.AssetKey(asset.split("/")),
        metadata={"dagster/row_count": rows, "seconds": round(seconds, 3), **facts},
        check_results=results,
    )


def years(context: dg.AssetExecutionContext) -> list[int]:
    """The periods of this run."""
    return [int(key) for key in context.partition_keys]
