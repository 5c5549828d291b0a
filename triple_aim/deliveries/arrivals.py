"""Which delivered files are new or changed since they were last run, and which years they are about.

Not here: starting the run (``pipelines.sensors``), or accepting a file (``ingest``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from triple_aim.definitions import Contract, Project
from triple_aim.deliveries.ingest import possible_periods
from triple_aim.deliveries.landing import discover
from triple_aim.errors import DeliveryError

FileState = tuple[int, float]  # size and time of the last change


@dataclass(frozen=True)
class Arrivals:
    """What the deliveries folder looked like at one look: the files seen, and those that were run."""

    seen: Mapping[str, FileState] = field(default_factory=dict)
    run: Mapping[str, FileState] = field(default_factory=dict)
    periods: frozenset[int] = frozenset()  # of the files to run now

    @classmethod
    def parse(cls, text: str | None) -> Arrivals:
        """The state as ``text`` keeps it; without a text, nothing was seen before."""
        kept = json.loads(text) if text else {"seen": {}, "run": {}}
        seen, run = ({name: (int(s), float(t)) for name, (s, t) in kept[key].items()} for key in ("seen", "run"))
        return cls(seen, run)

    @property
    def text(self) -> str:
        return json.dumps({"seen": self.seen, "run": self.run}, sort_keys=True)

    @property
    def key(self) -> str:
        """The same for the same state in every process, so that a restarted daemon runs no file twice."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def look_for_arrivals(project: Project, contracts: Iterable[Contract], before: Arrivals) -> Arrivals:
    """The state now, and the periods of files that are new or changed.

    A file is run when it looked the same at two looks; before that it may still be arriving.
    """
    seen: dict[str, FileState] = {}
    ran: dict[str, FileState] = {}
    periods: set[int] = set()
    for contract in contracts:
        for found in discover(project.deliveries, contract):
            now = seen[found.name] = (found.size, found.modified)
            if now != before.seen.get(found.name):
                ran |= {found.name: before.run[found.name]} if found.name in before.run else {}
                continue
            ran[found.name] = now
            if now != before.run.get(found.name):
                periods |= _periods_of(contract, found.name)
    return Arrivals(seen, ran, frozenset(periods))


def _periods_of(contract: Contract, name: str) -> set[int]:
    try:
        period, _ = contract.period_of(name)
    except DeliveryError:
        return set()  # a run of any year reports the name; by itself it starts none
    return possible_periods() if period is None else {period}
