"""The way of a delivered file into staging, from top to bottom: accept, validate, land, stage.

Not here: judging a file (``validation``), the store of deliveries (``landing``), sums (``triple_aim.cubes``).
A delivery is accepted whole or refused whole. Within an accepted delivery, rows that break a rule are set aside and
counted by rule.
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
    Found,
    Landed,
    Slot,
    accept,
    arriving,
    discover,
    is_unchanged,
    kept,
    landed,
    latest,
    slot_name,
    slots_of,
)
from triple_aim.deliveries.staging import (
    ensure_tables,
    reset_staging,
    show_delivery,
    stage,
    unstage_withdrawn,
    verify_visible_files,
)
from triple_aim.deliveries.validation import check_delivery, forget_delivery
from triple_aim.errors import ContentError, DeliveryError, ProjectError
from triple_aim.periods import FIRST_PERIOD
from triple_aim.warehouse import EngineError, Query, Warehouse, is_machine_failure, is_sql_fault, masked

Transaction: TypeAlias = Callable[[], AbstractContextManager[None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ingested:
    """What one run did to one extract; counts only."""

    accepted: int
    unchanged: int
    staged_periods: tuple[int, ...]
    rows: int
    set_aside: int


def ingest_extract(
    warehouse: Warehouse, project: Project, contract: Contract, query: Query, periods: Iterable[int]
) -> Ingested:
    """Accept the new files of these periods, then stage whatever the landing area holds and staging does not.

    A refused file stops neither the other files nor what was accepted before. The error follows when they are done.
    """
    return _Run(Extract(warehouse, project, contract, query), frozenset(periods)).run()


@dataclass
class _Run:
    """One run of one extract."""

    extract: Extract
    wanted: frozenset[int]
    known: list[Landed] = field(default_factory=list)  # accepted deliveries, first accepted first
    transaction: Transaction = nullcontext  # around each delivery

    def run(self) -> Ingested:
        extract = self.extract
        ensure_tables(extract.warehouse)
        before = extract.staged_fingerprints()
        is_changed = extract.is_staged_as_table() or bool(set(before.values()) - {extract.fingerprint})
        # Under another contract, SQL or code list, one transaction stages everything again; else one for each delivery.
        together, self.transaction = (
            (extract.warehouse.transaction, nullcontext) if is_changed else (nullcontext, extract.warehouse.transaction)
        )
        try:
            with _foreseen(extract), together():
                if is_changed or not before:
                    reset_staging(extract)
                self.known = landed(extract.project.landing, extract.name)
                unstage_withdrawn(extract, self.known)
                verify_visible_files(extract, self.known)
                accepted, unchanged, refused = self.accept_files()
                staged = self.stage_current(before)
        finally:
            forget_delivery(extract.warehouse)
        if refused:
            more = f" (and {len(refused) - 1} more files are refused)" if len(refused) > 1 else ""
            raise DeliveryError(refused[0].what + more, refused[0].where, refused[0].how) from None
        return Ingested(accepted, unchanged, tuple(sorted(staged)), *extract.row_counts())

    def accept_files(self) -> tuple[int, int, list[DeliveryError]]:
        """Accept every new file; how many were accepted and unchanged, and the refusals."""
        accepted = unchanged = 0
        refused: list[DeliveryError] = []
        for found in discover(self.extract.project.deliveries, self.extract.contract):
            try:
                delivery = self.accept_file(found)
                unchanged += delivery is None and self.is_wanted(found)
            except DeliveryError as error:
                refused.append(error)
                continue
            self.known += [delivery] if delivery else []
            accepted += delivery is not None
        return accepted, unchanged, refused

    def accept_file(self, found: Found) -> Landed | None:
        """Validate, stage and land one file; None when nothing in it is new."""
        extract, landing = self.extract, self.extract.project.landing
        period, supplier = extract.contract.period_of(found.name)
        # A file that kept name, size and time is not read again; the hash decides about every other file.
        if not self.is_wanted(found) or is_unchanged(self.known, found):
            return None
        with arriving(landing, found) as (copy, sha256):
            last = latest(self.known, found.name)
            if last and last.sha256 == sha256:
                return None
            self.refuse_copy_of_another_slot(sha256, found.name, period, supplier)
            if not last and any(delivery.sha256 == sha256 for delivery in self.known):  # it has another name now
                return None
            judged = check_delivery(extract, found.name, copy, sha256)
            sequence = 1 + max((d.sequence for d in self.known), default=0)
            delivery = Landed(
                extract.name, sha256, found.name, supplier, tuple(judged.periods), sequence, found.size, found.modified
            )
            with self.transaction():  # no delivery is accepted that cannot be staged, now or later
                stage(extract, delivery, judged, set(judged.periods))
                accept(landing, copy, delivery)
                show_delivery(extract, delivery, judged)
        return delivery

    def refuse_copy_of_another_slot(self, sha256: str, name: str, period: int | None, supplier: str) -> None:
        """The same bytes for another period or supplier are a misplaced file; the landing area keeps bytes once."""
        for delivery in self.known:
            slot = (delivery.periods, delivery.supplier)
            if period and delivery.sha256 == sha256 and slot != ((period,), supplier):
                raise DeliveryError(
                    f"it has the same bytes as {delivery.name}", name, "deliver the file of this period and supplier"
                )

    def stage_current(self, before: dict[Slot, str]) -> set[int]:
        """Bring staging in line with the landing area, also after the warehouse was deleted; the staged periods."""
        extract = self.extract
        current = {slot: d for slot, d in slots_of(self.known).items() if slot[0] in self.wanted or slot in before}
        staged = extract.staged_deliveries()
        stale = {slot: delivery for slot, delivery in current.items() if staged.get(slot) != delivery.sha256}
        for delivery in {d.sha256: d for d in stale.values()}.values():
            judged = check_delivery(extract, delivery.name, kept(extract.project.landing, delivery), delivery.sha256)
            periods = {period for (period, _), d in stale.items() if d.sha256 == delivery.sha256}
            with self.transaction():
                stage(extract, delivery, judged, periods)
                show_delivery(extract, delivery, judged)
        return {period for period, _ in current}

    def is_wanted(self, found: Found) -> bool:
        period, _ = self.extract.contract.period_of(found.name)
        return period is None or period in self.wanted


def delivered_periods(project: Project, contracts: Iterable[Contract]) -> list[int]:
    """The periods of everything delivered, landed or contributed; all periods while an unread file may hold any."""
    contributions = current_contributions(project.landing)
    periods = {period for contribution in contributions for period in contribution.manifest.periods}
    for contract in contracts:
        known = landed(project.landing, contract.extract)
        periods |= {period for delivery in known for period in delivery.periods}
        for found in discover(project.deliveries, contract):
            period, _ = contract.period_of(found.name)
            if period is not None:
                periods.add(period)
            elif not is_unchanged(known, found):
                periods |= possible_periods()
    return sorted(periods)


def possible_periods() -> set[int]:
    """The years that a file may hold whose rows alone say which."""
    return set(range(FIRST_PERIOD, datetime.date.today().year + 1))


def inputs(warehouse: Warehouse) -> dict[str, str]:
    """The deliveries that are staged now: ``extract/period/supplier`` → hash of the delivery."""
    if not warehouse.exists("meta.staged"):
        return {}
    rows = warehouse.rows("select extract, period, supplier, delivery from meta.staged order by all")
    return {slot_name(extract, period, supplier): delivery for extract, period, supplier, delivery in rows}


@contextmanager
def _foreseen(extract: Extract) -> Iterator[None]:
    """Report a full disk, or values that the SQL cannot hold, in our own words: the engine's would quote a row."""
    where = f"stg.{extract.name}"
    try:
        yield
    except OSError as error:
        raise ProjectError(
            f"the disk refused: {error.strerror or type(error).__name__}",
            where,
            "check space and rights of deliveries and work; the staged data are unchanged",
        ) from error
    except EngineError as error:
        if is_machine_failure(error):
            raise ProjectError(
                "the disk or the memory is full",
                where,
                "free some, or raise memory_limit; the staged data are unchanged",
            ) from None
        if is_sql_fault(error):
            raise ContentError(masked(error), f"sql/staging/{extract.name}.sql", "correct the SQL") from None
        raise DeliveryError(
            f"a value does not fit the staging SQL: {masked(error)}", where, "compare contract and SQL, and the amounts"
        ) from None
