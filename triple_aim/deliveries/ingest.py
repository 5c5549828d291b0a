"""Brings the delivered files of an extract into staging. Read from top to bottom: accept, validate, land, stage.

Not here: checking a file (``validation``), the store of deliveries (``landing``), sums (``triple_aim.cubes``).
A delivery is accepted or refused as one unit. Rows of an accepted delivery that break a rule are set aside and counted
by rule.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TypeAlias

from triple_aim.definitions import Contract, Project
from triple_aim.deliveries.contributions import current_contributions
from triple_aim.deliveries.extract import Extract
from triple_aim.deliveries.landing import (
    DeliveredFile,
    LandedDelivery,
    Slot,
    deliveries_by_slot,
    discover,
    is_unchanged,
    land_delivery,
    landed_deliveries,
    latest_delivery,
    private_copy,
    slot_name,
    verified_path,
)
from triple_aim.deliveries.staging import (
    ensure_tables,
    reset_staging,
    show_delivery,
    stage,
    unstage_withdrawn,
    verify_visible_files,
)
from triple_aim.deliveries.validation import check_delivery, drop_delivery
from triple_aim.errors import ContentError, DeliveryError, ProjectError
from triple_aim.periods import FIRST_PERIOD
from triple_aim.warehouse import EngineError, Query, Warehouse, is_machine_failure, is_sql_fault, masked_message

Transaction: TypeAlias = Callable[[], AbstractContextManager[None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ingested:
    """The result of one run for one extract, as counts."""

    accepted: int
    unchanged: int
    staged_periods: tuple[int, ...]
    rows: int
    set_aside: int


def ingest_extract(
    warehouse: Warehouse, project: Project, contract: Contract, query: Query, periods: Iterable[int]
) -> Ingested:
    """Accept the new files of these periods, then stage the landed deliveries that are not staged.

    A refused file does not stop the other files; its error is raised at the end.
    """
    return _Run(Extract(warehouse, project, contract, query), frozenset(periods)).run()


@dataclass
class _Run:
    """One run of one extract."""

    extract: Extract
    wanted: frozenset[int]
    known: list[LandedDelivery] = field(default_factory=list)  # in the order of acceptance
    transaction: Transaction = nullcontext  # of each delivery

    def run(self) -> Ingested:
        extract = self.extract
        ensure_tables(extract.warehouse)
        before = extract.staged_fingerprints()
        is_changed = extract.is_staged_as_table() or bool(set(before.values()) - {extract.fingerprint})
        # After a change of contract, SQL or code list, one transaction stages everything; else each delivery has one.
        run_transaction, self.transaction = (
            (extract.warehouse.transaction, nullcontext) if is_changed else (nullcontext, extract.warehouse.transaction)
        )
        try:
            with _reporting_errors(extract), run_transaction():
                if is_changed or not before:
                    reset_staging(extract)
                self.known = landed_deliveries(extract.project.landing, extract.name)
                unstage_withdrawn(extract, self.known)
                verify_visible_files(extract, self.known)
                accepted, unchanged, refused = self.accept_files()
                staged = self.stage_current(before)
        finally:
            drop_delivery(extract.warehouse)
        if refused:
            more = f" ({len(refused) - 1} more files are refused)" if len(refused) > 1 else ""
            raise DeliveryError(refused[0].what + more, refused[0].where, refused[0].how) from None
        return Ingested(accepted, unchanged, tuple(sorted(staged)), *extract.row_counts())

    def accept_files(self) -> tuple[int, int, list[DeliveryError]]:
        """Accept every new file; the number of accepted and of unchanged files, and the refusals."""
        accepted = unchanged = 0
        refused: list[DeliveryError] = []
        for file in discover(self.extract.project.deliveries, self.extract.contract):
            try:
                delivery = self.accept_file(file)
                unchanged += delivery is None and self.is_wanted(file)
            except DeliveryError as error:
                refused.append(error)
                continue
            self.known += [delivery] if delivery else []
            accepted += delivery is not None
        return accepted, unchanged, refused

    def accept_file(self, file: DeliveredFile) -> LandedDelivery | None:
        """Validate, stage and land one file; None when its content is not new."""
        extract, landing = self.extract, self.extract.project.landing
        period, supplier = extract.contract.period_of(file.name)
        # A file with the same name, size and time is not read again; every other file is compared by hash.
        if not self.is_wanted(file) or is_unchanged(self.known, file):
            return None
        with private_copy(landing, file) as (copy, sha256):
            last = latest_delivery(self.known, file.name)
            if last and last.sha256 == sha256:
                return None
            self.refuse_copy_of_another_slot(sha256, file.name, period, supplier)
            if not last and any(delivery.sha256 == sha256 for delivery in self.known):  # the file was renamed
                return None
            checked = check_delivery(extract, file.name, copy, sha256)
            sequence = 1 + max((d.sequence for d in self.known), default=0)
            delivery = LandedDelivery(
                extract.name, sha256, file.name, supplier, tuple(checked.periods), sequence, file.size, file.modified
            )
            with self.transaction():  # stage first: a delivery that cannot be staged is not accepted
                stage(extract, delivery, checked, set(checked.periods))
                land_delivery(landing, copy, delivery)
                show_delivery(extract, delivery, checked)
        return delivery

    def refuse_copy_of_another_slot(self, sha256: str, name: str, period: int | None, supplier: str) -> None:
        """Refuse the bytes of another period or supplier: such a file is misplaced."""
        for delivery in self.known:
            slot = (delivery.periods, delivery.supplier)
            if period and delivery.sha256 == sha256 and slot != ((period,), supplier):
                raise DeliveryError(
                    f"the file has the same bytes as {delivery.name}",
                    name,
                    "deliver the file of this period and supplier",
                )

    def stage_current(self, before: dict[Slot, str]) -> set[int]:
        """Stage the landed deliveries that are not staged yet; the staged periods.

        After the warehouse was deleted, these are all current deliveries.
        """
        extract = self.extract
        by_slot = deliveries_by_slot(self.known)
        current = {slot: d for slot, d in by_slot.items() if slot[0] in self.wanted or slot in before}
        staged = extract.staged_deliveries()
        stale = {slot: delivery for slot, delivery in current.items() if staged.get(slot) != delivery.sha256}
        for delivery in {d.sha256: d for d in stale.values()}.values():
            path = verified_path(extract.project.landing, delivery)
            checked = check_delivery(extract, delivery.name, path, delivery.sha256)
            periods = {period for (period, _), d in stale.items() if d.sha256 == delivery.sha256}
            with self.transaction():
                stage(extract, delivery, checked, periods)
                show_delivery(extract, delivery, checked)
        return {period for period, _ in current}

    def is_wanted(self, file: DeliveredFile) -> bool:
        period, _ = self.extract.contract.period_of(file.name)
        return period is None or period in self.wanted


def delivered_periods(project: Project, contracts: Iterable[Contract]) -> list[int]:
    """The periods of all delivered files, landed deliveries and contributions.

    These are all possible periods as long as there is an unread file whose name states no period.
    """
    contributions = current_contributions(project.landing)
    periods = {period for contribution in contributions for period in contribution.manifest.periods}
    for contract in contracts:
        known = landed_deliveries(project.landing, contract.extract)
        periods |= {period for delivery in known for period in delivery.periods}
        for file in discover(project.deliveries, contract):
            period, _ = contract.period_of(file.name)
            if period is not None:
                periods.add(period)
            elif not is_unchanged(known, file):
                periods |= possible_periods()
    return sorted(periods)


def possible_periods() -> set[int]:
    """The years that a file may contain when only its rows state the year."""
    return set(range(FIRST_PERIOD, datetime.date.today().year + 1))


def staged_inputs(warehouse: Warehouse) -> dict[str, str]:
    """The staged deliveries: ``extract/period/supplier`` → hash of the delivery."""
    if not warehouse.exists("meta.staged"):
        return {}
    rows = warehouse.rows("select extract, period, supplier, delivery from meta.staged order by all")
    return {slot_name(extract, period, supplier): delivery for extract, period, supplier, delivery in rows}


@contextmanager
def _reporting_errors(extract: Extract) -> Iterator[None]:
    """Replace errors of the disk and the engine by our own; the message of the engine may quote a row."""
    where = f"stg.{extract.name}"
    try:
        yield
    except OSError as error:
        raise ProjectError(
            f"the disk reported an error: {error.strerror or type(error).__name__}",
            where,
            "check the free space and permissions of deliveries and work; the staged data are unchanged",
        ) from error
    except EngineError as error:
        if is_machine_failure(error):
            raise ProjectError(
                "the disk or the memory is full",
                where,
                "free some space, or raise memory_limit; the staged data are unchanged",
            ) from None
        if is_sql_fault(error):
            raise ContentError(masked_message(error), f"sql/staging/{extract.name}.sql", "correct the SQL") from None
        raise DeliveryError(
            f"a value does not fit the staging SQL: {masked_message(error)}",
            where,
            "compare the contract, the SQL and the amounts",
        ) from None
