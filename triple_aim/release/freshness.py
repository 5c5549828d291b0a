"""Whether a run could only make the current release again: no delivery, no contribution, no content and no
library changed.

Not here: making a release (``build``). In doubt the answer is no, and the job finds out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from triple_aim.definitions import Contract, Project
from triple_aim.deliveries import contributed_slots, discover, is_unchanged, landed, slot_name, slots_of
from triple_aim.release.publish import release_id
from triple_aim.release.store import linked_release, read_manifest, verify


def standing_release(project: Project, contracts: Iterable[Contract]) -> Path | None:
    """The current release, when it is whole and rests on just what is delivered and written now."""
    release = linked_release(project.publication)
    if release is None or verify(release):
        return None
    inputs = (read_manifest(release) or {}).get("facts", {}).get("inputs", {})
    if release.name != release_id(project.content_hash, inputs):
        return None
    now = contributed_slots(project.landing)
    for contract in contracts:
        known = landed(project.landing, contract.extract)
        if not all(is_unchanged(known, found) for found in discover(project.deliveries, contract)):
            return None
        now |= {
            slot_name(contract.extract, period, supplier): delivery.sha256
            for (period, supplier), delivery in slots_of(known).items()
        }
    return release if now == inputs else None
