"""Whether the current release is up to date: since then no delivery, contribution, content or library changed.

Not here: building a release (``build``). In doubt the answer is no, and the job runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from triple_aim.definitions import Contract, Project
from triple_aim.deliveries import (
    contributed_slots,
    deliveries_by_slot,
    discover,
    is_unchanged,
    landed_deliveries,
    slot_name,
)
from triple_aim.perturbation import fingerprint
from triple_aim.release.publish import release_id
from triple_aim.release.secret import installation_secret
from triple_aim.release.store import linked_release, read_manifest, verify


def up_to_date_release(project: Project, contracts: Iterable[Contract]) -> Path | None:
    """The current release, if it is undamaged and a run would give the same release; None otherwise."""
    release = linked_release(project.publication)
    if release is None or verify(release):
        return None
    inputs = (read_manifest(release) or {}).get("facts", {}).get("inputs", {})
    secret = fingerprint(installation_secret(project))
    if release.name != release_id(project.content_hash, inputs, secret):
        return None
    current_inputs = contributed_slots(project.landing)
    for contract in contracts:
        deliveries = landed_deliveries(project.landing, contract.extract)
        if not all(is_unchanged(deliveries, file) for file in discover(project.deliveries, contract)):
            return None
        current_inputs |= {
            slot_name(contract.extract, period, supplier): delivery.sha256
            for (period, supplier), delivery in deliveries_by_slot(deliveries).items()
        }
    return release if current_inputs == inputs else None
