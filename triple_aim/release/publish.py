"""Writes a release atomically: readers see all of its files or none.

Not here: which values may be shown (``triple_aim.disclosure``), finding and reading a release (``store``, ``reader``).
A release is never edited. ``current`` is a symbolic link; replacing that link makes a release public.
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
from triple_aim.files import open_to_readers, parquet_bytes, sha256, sync_folder, write_synced
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
class WriteResult:
    """The folder of the release, and whether this call made it current."""

    path: Path
    is_new: bool


def release_id(content_hash: str, inputs: Mapping[str, str], secret_fingerprint: str) -> str:
    """The id of a release: a hash of its inputs, its content, the secret of its noise and library versions."""
    facts = {
        "content": content_hash,
        "inputs": dict(inputs),
        "secret": secret_fingerprint,
        "engines": library_versions(),
    }
    return sha256(json.dumps(facts, sort_keys=True).encode())[:16]


def write_release(
    publication: Path,
    release: str,
    marts: Mapping[str, pa.Table],
    extra: Mapping[str, bytes],
    facts: Mapping[str, object],
) -> WriteResult:
    """Write ``release`` and make it current; write nothing when it is current and undamaged."""
    if not marts.get("indicator_values", pa.table({})).num_rows:
        raise NothingToPublish(
            "there is no indicator value", "mart indicator_values", "deliver an extract, then run again"
        )
    _refuse_invalid_names(release, [*marts, *extra])
    files = {f"{name}.parquet": parquet_bytes(table) for name, table in marts.items()} | dict(extra)
    rows = {f"{name}.parquet": table.num_rows for name, table in marts.items()}
    with _exclusive_lock(publication) as releases:
        folder = releases / release
        is_intact = folder.is_dir() and not verify(folder)
        if is_intact:
            _warn_of_different_bytes(folder, {name: files[name] for name in rows})
        else:
            _write_folder(folder, files, rows, facts)
        if is_intact and linked_release(publication) == folder:
            return WriteResult(folder, is_new=False)
        _make_current(publication, release)
        return WriteResult(folder, is_new=True)


def delete_old_releases(publication: Path, keep: int) -> list[str]:
    """Delete all but the newest ``keep`` releases and the current one; returns the deleted ids."""
    with _exclusive_lock(publication) as releases:
        current = current_release(publication)
        old = [release.path for release in history(publication)[keep:] if release.path != current]
        for path in old:
            _delete_release(path, releases)
        return [path.name for path in old]


def _write_folder(
    folder: Path, files: Mapping[str, bytes], rows: Mapping[str, int], facts: Mapping[str, object]
) -> None:
    """Write all files to a temporary folder, verify them, then rename the folder to that of the release."""
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
                f"{name} has {found} rows after writing, not {count}", str(staging), "check the disk, then run again"
            )
    manifest = {
        "release": release,
        "number": 1 + max((earlier.number for earlier in history(releases.parent)), default=0),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "facts": dict(facts),
        "files": {
            name: {"rows": rows.get(name), "bytes": len(content), "sha256": sha256(content)}
            for name, content in sorted(files.items())
        },
    }
    write_synced(staging / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    if problems := problems_in(staging, release):
        raise ProjectError(f"the written release is damaged: {problems[0]}", str(staging), "check the disk")
    open_to_readers(staging)
    for written in {(staging / name).parent for name in files}:
        sync_folder(written)
    if folder.exists():  # the caller has found it damaged
        log.warning("release %s was damaged and is written again", release)
        _delete_release(folder, releases)
    os.replace(staging, folder)
    sync_folder(releases)


def _make_current(publication: Path, release: str) -> None:
    """Replace the link ``current``; from then on readers see the new release."""
    link = publication / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / release)
    os.replace(link, publication / "current")
    sync_folder(publication)


@contextmanager
def _exclusive_lock(publication: Path) -> Iterator[Path]:
    """Lock the folder of releases against other writers, and remove leftovers of interrupted ones."""
    try:
        releases = publication.resolve() / "releases"
        for folder in (releases.parent, releases):
            if not folder.exists():
                folder.mkdir(parents=True)
                open_to_readers(folder)
        with (releases / ".lock").open("a") as lock:
            try:
                # The kernel releases this lock when its holder dies, so it is never stale.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ProjectError(
                    "another run is publishing", str(releases), "wait until it has ended, then run again"
                ) from error
            _remove_leftovers(releases)
            try:
                yield releases
            finally:
                _remove_leftovers(releases)
    except OSError as error:
        raise ProjectError(
            f"the publication cannot be written: {error.strerror}; the current release is unchanged",
            str(publication),
            "check disk space and permissions of the folder, then run again",
        ) from error


def _remove_leftovers(releases: Path) -> None:
    for leftover in [*releases.glob(".tmp-*"), *releases.parent.glob(".current-*")]:
        shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()


def _delete_release(release: Path, releases: Path) -> None:
    """Rename the folder before deleting its files, so that no reader finds a release with files missing."""
    renamed = releases / f".tmp-{release.name}-gone"
    os.replace(release, renamed)
    shutil.rmtree(renamed)


def _warn_of_different_bytes(folder: Path, marts: Mapping[str, bytes]) -> None:
    """Log a warning when the same inputs gave other bytes than the existing release, which is kept."""
    manifest = read_manifest(folder) or {"files": {}}
    published = {name: file["sha256"] for name, file in manifest["files"].items()}
    if different := sorted(name for name, content in marts.items() if published.get(name) != sha256(content)):
        log.warning("release %s is kept, but a new run gave other bytes for %s", folder.name, ", ".join(different))


def _refuse_invalid_names(release: str, names: list[str]) -> None:
    invalid = [name for name in names if not FILE_NAME.fullmatch(name) or name == MANIFEST]
    if invalid or not RELEASE_ID.fullmatch(release):
        raise ProjectError(
            f"{len(invalid) or 'the release'} of the names cannot be a file name",
            "publication",
            "use lower case, digits, - and _",
        )
