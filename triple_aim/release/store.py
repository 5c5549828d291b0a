"""Finds and verifies existing releases: the current one and its predecessors.

Not here: writing a release (``publish``) or querying its marts (``reader``).
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from triple_aim.files import sha256

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
KEYS = {"release", "number", "created", "facts", "files"}
RELEASE_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Release:
    """One release as its manifest describes it; ``number`` gives the order, independent of the clock."""

    path: Path
    number: int
    created: str
    is_current: bool
    facts: Mapping[str, Any]


def current_release(publication: Path) -> Path | None:
    """The release to read: that of the link ``current``, else the newest undamaged one, else None."""
    linked = linked_release(publication)
    problems = verify(linked) if linked else ["it is not a link to a release"]
    if linked and not problems:
        return linked
    for release in history(publication):
        if release.path != linked and not verify(release.path):
            log.warning("current is not usable (%s); reading release %s", problems[0], release.path.name)
            return release.path
    return None


def verify(release: Path) -> list[str]:
    """The damage of a release: files that are missing, changed or not in the manifest; empty if undamaged."""
    return problems_in(release, release.name)


def history(publication: Path) -> list[Release]:
    """Every release with a readable manifest, newest first."""
    linked = linked_release(publication)
    found = []
    for path in (publication.resolve() / "releases").glob("*"):
        manifest = read_manifest(path) if RELEASE_ID.fullmatch(path.name) else None
        if manifest:
            number, created, facts = manifest["number"], manifest["created"], manifest["facts"]
            found.append(Release(path, number, created, path == linked, facts))
    return sorted(found, key=lambda release: release.number, reverse=True)


def linked_release(publication: Path) -> Path | None:
    """The release folder to which ``current`` links, or None when it links to anything else."""
    link, releases = publication / "current", publication.resolve() / "releases"
    if not link.is_symlink():
        return None
    target = link.parent.resolve() / link.readlink()
    is_release = target.parent == releases and RELEASE_ID.fullmatch(target.name)
    return target if is_release and target.is_dir() and not target.is_symlink() else None


def read_manifest(release: Path) -> dict[str, Any] | None:
    """The manifest of a release, or None when it cannot be read."""
    try:
        manifest = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # each caller reports it in its own way
    return manifest if isinstance(manifest, dict) and manifest.keys() >= KEYS else None


def problems_in(folder: Path, release: str) -> list[str]:
    """The damage of a folder that should hold ``release``; empty if undamaged."""
    manifest = read_manifest(folder)
    if manifest is None:
        return [f"{MANIFEST} is missing or unreadable"]
    listed = manifest["files"]
    problems = [] if manifest["release"] == release else [f"{MANIFEST} is of another release"]
    for name, entry in listed.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif sha256(path.read_bytes()) != entry.get("sha256"):
            problems.append(f"{name} has changed since it was published")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    known = {*listed, MANIFEST, *(parent.as_posix() for name in listed for parent in PurePosixPath(name).parents)}
    return problems + [f"{name} is not in the manifest" for name in sorted(found - known)]
