"""Finds the delivered files that are new or changed since the last run, and their periods.

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
    """The state of the deliveries folder: the files seen, and the files for which a run was started."""

    seen: Mapping[str, FileState] = field(default_factory=dict)
    run: Mapping[str, FileState] = field(default_factory=dict)
    periods: frozenset[int] = frozenset()  # the periods to run now

    @classmethod
    def parse(cls, text: str | None) -> Arrivals:
        """Read the state from its text; without a text, no file was seen before."""
        state = json.loads(text) if text else {"seen": {}, "run": {}}
        seen, run = ({name: (int(s), float(t)) for name, (s, t) in state[key].items()} for key in ("seen", "run"))
        return cls(seen, run)

    @property
    def text(self) -> str:
        """The state as JSON, without ``periods``."""
        return json.dumps({"seen": self.seen, "run": self.run}, sort_keys=True)

    @property
    def key(self) -> str:
        """A hash that is equal for equal states in every process, so that a restarted daemon runs no file twice."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def look_for_arrivals(project: Project, contracts: Iterable[Contract], before: Arrivals) -> Arrivals:
    """The current state, with the periods of the files that are new or changed.

    A file is run when two successive calls see the same size and time; before that, its copying may not be complete.
    """
    seen: dict[str, FileState] = {}
    ran: dict[str, FileState] = {}
    periods: set[int] = set()
    for contract in contracts:
        for file in discover(project.deliveries, contract):
            now = seen[file.name] = (file.size, file.modified)
            if now != before.seen.get(file.name):
                ran |= {file.name: before.run[file.name]} if file.name in before.run else {}
                continue
            ran[file.name] = now
            if now != before.run.get(file.name):
                periods |= _periods_of(contract, file.name)
    return Arrivals(seen, ran, frozenset(periods))


def _periods_of(contract: Contract, name: str) -> set[int]:
    try:
        period, _ = contract.period_of(name)
    except DeliveryError:
        return set()  # every run reports such a name; the file itself starts no run
    return possible_periods() if period is None else {period}
