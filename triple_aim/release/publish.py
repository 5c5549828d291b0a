"""The atomic release: a folder of finished files that becomes visible all at once, or not at all.

Not here: what may be shown (``disclosure``), finding and reading a release (``store``, ``reader``).
A release is never edited. ``current`` is a link; replacing that link is the one moment a release goes public.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from triple_aim.definitions import library_versions
from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.files import parquet_bytes, sha256, sync_folder, write_synced
from triple_aim.release.store import (
    MANIFEST,
    RELEASE_ID,
    current_release,
    history,
    linked_release,
    problems_in,
    read_manifest,
    verify,
)

log = logging.getLogger(__name__)

#: A file of a release; suites of expectations have a folder of their own.
FILE_NAME = re.compile(r"(expectations/)?[a-z][a-z0-9_-]{0,62}(\.[a-z0-9-]{1,16})*")


@dataclass(frozen=True)
class Published:
    """Where the release stands, and whether this call put it there."""

    path: Path
    is_new: bool


def release_id(content_hash: str, inputs: Mapping[str, str]) -> str:
    """The name of what these deliveries, this content and these libraries yield; the same for the same."""
    facts = {"content": content_hash, "inputs": dict(inputs), "engines": library_versions()}
    return sha256(json.dumps(facts, sort_keys=True).encode())[:16]


def publish(
    publication: Path,
    release: str,
    marts: Mapping[str, pa.Table],
    extra: Mapping[str, bytes],
    facts: Mapping[str, object],
) -> Published:
    """Make ``release`` current; when it already is, and is whole, nothing is written."""
    if not marts.get("indicator_values", pa.table({})).num_rows:
        raise NothingToPublish(
            "there is not one indicator value", "mart indicator_values", "deliver an extract, then run again"
        )
    _refuse_odd_names(release, [*marts, *extra])
    files = {f"{name}.parquet": parquet_bytes(table) for name, table in marts.items()} | dict(extra)
    rows = {f"{name}.parquet": table.num_rows for name, table in marts.items()}
    with _alone(publication) as releases:
        folder = releases / release
        whole = folder.is_dir() and not verify(folder)
        if whole:
            _tell_of_other_numbers(folder, {name: files[name] for name in rows})
        else:
            _stage(folder, files, rows, facts)
        if whole and linked_release(publication) == folder:
            return Published(folder, is_new=False)
        _point(publication, release)
        return Published(folder, is_new=True)


def prune(publication: Path, keep: int) -> list[str]:
    """Delete the oldest releases beyond ``keep``, never the one being read; the ids that went."""
    with _alone(publication) as releases:
        serving = current_release(publication)
        gone = [release.path for release in history(publication)[keep:] if release.path != serving]
        for path in gone:
            _discard(path, releases)
        return [path.name for path in gone]


def _stage(folder: Path, files: Mapping[str, bytes], rows: Mapping[str, int], facts: Mapping[str, object]) -> None:
    """Write everything beside the releases, look at it again, and only then give it its name."""
    releases, release = folder.parent, folder.name
    staging = releases / f".tmp-{release}-{os.getpid()}"
    staging.mkdir()
    for name, content in files.items():
        (staging / name).parent.mkdir(exist_ok=True)
        write_synced(staging / name, content)
    for name, count in rows.items():
        found = pq.ParquetFile(staging / name, page_checksum_verification=True).read().num_rows
        if found != count:
            raise ProjectError(
                f"{name} holds {found} rows, not {count}", str(staging), "check the disk, then run again"
            )
    manifest = {
        "release": release,
        "number": 1 + max((standing.number for standing in history(releases.parent)), default=0),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "facts": dict(facts),
        "files": {
            name: {"rows": rows.get(name), "bytes": len(content), "sha256": sha256(content)}
            for name, content in sorted(files.items())
        },
    }
    write_synced(staging / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    if problems := problems_in(staging, release):
        raise ProjectError(f"what was written is not what is there: {problems[0]}", str(staging), "check the disk")
    for written in {(staging / name).parent for name in files}:
        sync_folder(written)
    if folder.exists():  # it is damaged, or we would not be here
        log.warning("release %s was damaged and is made anew", release)
        _discard(folder, releases)
    os.replace(staging, folder)
    sync_folder(releases)


def _point(publication: Path, release: str) -> None:
    """The commit: the one step after which readers see the new release."""
    arriving = publication / f".current-{os.getpid()}"
    arriving.unlink(missing_ok=True)
    arriving.symlink_to(Path("releases") / release)
    os.replace(arriving, publication / "current")
    sync_folder(publication)


@contextmanager
def _alone(publication: Path) -> Iterator[Path]:
    """The folder of releases, while nobody else publishes or prunes, swept of what a killed one left."""
    try:
        releases = publication.resolve() / "releases"
        releases.mkdir(parents=True, exist_ok=True)
        with (releases / ".lock").open("a") as lock:
            try:
                # the kernel lets go of this lock when its holder dies, so it is never stale
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ProjectError(
                    "another run is publishing", str(releases), "wait until it has ended, then run again"
                ) from error
            _sweep(releases)
            try:
                yield releases
            finally:
                _sweep(releases)
    except OSError as error:
        raise ProjectError(
            f"the publication could not be written: {error.strerror}; what was public still is",
            str(publication),
            "check the folder's space and permissions, then run again",
        ) from error


def _sweep(releases: Path) -> None:
    for leftover in [*releases.glob(".tmp-*"), *releases.parent.glob(".current-*")]:
        shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()


def _discard(release: Path, releases: Path) -> None:
    """Take a release away whole before its files go one by one."""
    going = releases / f".tmp-{release.name}-gone"
    os.replace(release, going)
    shutil.rmtree(going)


def _tell_of_other_numbers(folder: Path, marts: Mapping[str, bytes]) -> None:
    """The same inputs should give the same bytes; if not, the standing release stays and we say so."""
    manifest = read_manifest(folder) or {"files": {}}
    standing = {name: promised["sha256"] for name, promised in manifest["files"].items()}
    if other := sorted(name for name, content in marts.items() if standing.get(name) != sha256(content)):
        log.warning("release %s stands, but a new run gave other bytes for %s", folder.name, ", ".join(other))


def _refuse_odd_names(release: str, names: list[str]) -> None:
    odd = [name for name in names if not FILE_NAME.fullmatch(name) or name == MANIFEST]
    if odd or not RELEASE_ID.fullmatch(release):
        raise ProjectError(
            f"{len(odd) or 'the release'} of the names cannot be a file's",
            "publication",
            "use lower case, digits, - and _",
        )
