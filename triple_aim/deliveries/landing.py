"""The landing area: every accepted delivery, byte for byte, under its content hash, with a note beside it.

Not here: judging a delivery (``ingest``). The landing is the memory of the installation: the warehouse can be thrown
away and rebuilt from it. No content in it is ever changed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from triple_aim.definitions import Contract, Files
from triple_aim.errors import DeliveryError, ProjectError
from triple_aim.files import sync_folder, write_synced

log = logging.getLogger(__name__)

CHUNK = 1 << 20
Slot: TypeAlias = tuple[int, str]  # period and supplier


@dataclass(frozen=True)
class Found:
    """A file in the deliveries folder that a contract claims."""

    extract: str
    name: str  # relative to the deliveries folder
    path: Path
    files: Files
    size: int
    modified: float


@dataclass(frozen=True)
class Landed:
    """An accepted delivery."""

    extract: str
    sha256: str
    name: str
    supplier: str
    periods: tuple[int, ...]
    sequence: int  # later deliveries replace earlier ones for the same period and supplier
    size: int
    modified: float

    def path(self, landing: Path) -> Path:
        return landing / self.extract / (self.sha256 + "".join(PurePosixPath(self.name).suffixes[-2:]))


def discover(deliveries: Path, contract: Contract) -> list[Found]:
    """The files a contract claims, oldest first; links that lead outside the folder are not followed."""
    if not deliveries.is_dir():
        return []
    base = deliveries.resolve()
    claimed = []
    for path in sorted({p for files in contract.files for p in base.glob(files.pattern)}):
        name = PurePosixPath(path.relative_to(base).as_posix())
        files = contract.files_for(name)
        if not str(name).isprintable():
            raise DeliveryError("a file's name holds control characters", ascii(str(name)), "rename the file")
        if not path.resolve().is_relative_to(base):
            log.warning("%s is a link that leads outside the deliveries folder; it is not followed", name)
        elif files and path.is_file():
            stat = path.stat()
            claimed.append(Found(contract.extract, str(name), path, files, stat.st_size, stat.st_mtime))
    return sorted(claimed, key=lambda found: (found.modified, found.name))


def unclaimed(deliveries: Path, contracts: Iterable[Contract]) -> list[str]:
    """The files in the deliveries folder that no contract claims: misnamed, or not ours."""
    claimed = {found.name for contract in contracts for found in discover(deliveries, contract)}
    return [name for name in delivered_files(deliveries) if name not in claimed]


def delivered_files(deliveries: Path) -> list[str]:
    """Every file in the deliveries folder; hidden ones do not count."""
    base = deliveries.resolve()
    names = (path.relative_to(base) for path in sorted(base.rglob("*")) if path.is_file())
    return [name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)]


def landed(landing: Path, extract: str) -> list[Landed]:
    """Every accepted delivery of an extract, first accepted first."""
    deliveries = []
    for note in sorted((landing / extract).glob("*.json")):
        try:
            told = json.loads(note.read_text())
            deliveries.append(Landed(**{**told, "periods": tuple(told["periods"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise ProjectError(
                "the note of an accepted delivery cannot be read",
                f"landing/{extract}/{note.name}",
                "restore it from backup, or delete it and deliver the file again",
            ) from error
    return sorted(deliveries, key=lambda delivery: delivery.sequence)


def slots_of(known: list[Landed]) -> dict[Slot, Landed]:
    """Which delivery holds for each period and supplier: the last one."""
    return {(period, delivery.supplier): delivery for delivery in known for period in delivery.periods}


def slot_name(extract: str, period: int, supplier: str) -> str:
    """What a manifest calls the place that one delivery fills."""
    return f"{extract}/{period}/{supplier}"


def latest(known: list[Landed], name: str) -> Landed | None:
    """The last accepted content of a file name, for a file may go back to what it was before."""
    return next((delivery for delivery in reversed(known) if delivery.name == name), None)


def is_unchanged(known: list[Landed], found: Found) -> bool:
    """Whether a file kept name, size and time since it was last accepted; then it is not read again."""
    last = latest(known, found.name)
    return last is not None and (last.size, last.modified) == (found.size, found.modified)


@contextmanager
def arriving(landing: Path, found: Found) -> Iterator[tuple[Path, str]]:
    """A private copy of a file and its hash, taken in one read; it is gone afterwards unless it was accepted."""
    folder = landing / found.extract
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for leftover in folder.glob(".arriving-*"):  # of a run that was killed: the warehouse has one writer at a time
        leftover.unlink()
    suffix = "".join(PurePosixPath(found.name).suffixes[-2:])
    copy = folder / f".arriving-{os.getpid()}{suffix}"
    digest = hashlib.sha256()
    try:
        with found.path.open("rb") as source, copy.open("wb") as target:
            before = os.fstat(source.fileno())
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
            after = found.path.stat()
            if any(getattr(before, fact) != getattr(after, fact) for fact in ("st_ino", "st_size", "st_mtime_ns")):
                raise DeliveryError(
                    "the file changed while it was read", found.name, "run again when its delivery is complete"
                )
        yield copy, digest.hexdigest()
    finally:
        copy.unlink(missing_ok=True)


def accept(landing: Path, copy: Path, delivery: Landed) -> None:
    """Keep a copy for good. The note is written last: a delivery without a note was never accepted."""
    folder = landing / delivery.extract
    os.replace(copy, delivery.path(landing))
    draft = folder / f".arriving-{delivery.sha256}-note"
    write_synced(draft, json.dumps(asdict(delivery), indent=1).encode())
    os.replace(draft, folder / f"{delivery.sha256}.json")
    sync_folder(folder)


def kept(landing: Path, delivery: Landed) -> Path:
    """Where an accepted delivery lies, after making sure that it is still what was accepted."""
    path = delivery.path(landing)
    if not path.is_file():
        raise ProjectError(
            "an accepted delivery is gone from the landing area", delivery.name, "restore the landing area from backup"
        )
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() == delivery.sha256:
            return path
    raise ProjectError("an accepted delivery was damaged", f"landing/{path.name}", "restore the landing from backup")
