"""The landing area: every accepted delivery, byte for byte, named by its hash, with a note in JSON.

Not here: checking a delivery (``validation``). Files of the landing area are never changed; the warehouse can be
deleted and rebuilt from them.
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
class DeliveredFile:
    """A file in the deliveries folder that a contract claims."""

    extract: str
    name: str  # relative to the deliveries folder
    path: Path
    files: Files
    size: int
    modified: float


@dataclass(frozen=True)
class LandedDelivery:
    """An accepted delivery, as its note describes it."""

    extract: str
    sha256: str
    name: str
    supplier: str
    periods: tuple[int, ...]
    sequence: int  # order of acceptance; a later delivery replaces an earlier one of the same period and supplier
    size: int
    modified: float

    def path(self, landing: Path) -> Path:
        """The file of the delivery in the landing area."""
        return landing / self.extract / (self.sha256 + "".join(PurePosixPath(self.name).suffixes[-2:]))


def discover(deliveries: Path, contract: Contract) -> list[DeliveredFile]:
    """The files that a contract claims, oldest first; links to files outside the folder are not followed."""
    if not deliveries.is_dir():
        return []
    base = deliveries.resolve()
    claimed = []
    for path in sorted({p for files in contract.files for p in base.glob(files.pattern)}):
        name = PurePosixPath(path.relative_to(base).as_posix())
        files = contract.files_for(name)
        if not str(name).isprintable():
            raise DeliveryError("the name of a file contains control characters", ascii(str(name)), "rename the file")
        if not path.resolve().is_relative_to(base):
            log.warning("%s is a link to a file outside the deliveries folder; it is not followed", name)
        elif files and path.is_file():
            stat = path.stat()
            claimed.append(DeliveredFile(contract.extract, str(name), path, files, stat.st_size, stat.st_mtime))
    return sorted(claimed, key=lambda file: (file.modified, file.name))


def unclaimed_files(deliveries: Path, contracts: Iterable[Contract]) -> list[str]:
    """The files in the deliveries folder that no contract claims: misnamed or misplaced."""
    claimed = {file.name for contract in contracts for file in discover(deliveries, contract)}
    return [name for name in delivered_files(deliveries) if name not in claimed]


def delivered_files(deliveries: Path) -> list[str]:
    """Every file in the deliveries folder that is not hidden."""
    base = deliveries.resolve()
    names = (path.relative_to(base) for path in sorted(base.rglob("*")) if path.is_file())
    return [name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)]


def landed_deliveries(landing: Path, extract: str) -> list[LandedDelivery]:
    """Every accepted delivery of an extract, in the order of acceptance."""
    deliveries = []
    for note in sorted((landing / extract).glob("*.json")):
        try:
            fields = json.loads(note.read_text())
            deliveries.append(LandedDelivery(**{**fields, "periods": tuple(fields["periods"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise ProjectError(
                "the note of an accepted delivery cannot be read",
                f"landing/{extract}/{note.name}",
                "restore it from backup, or delete it and deliver the file again",
            ) from error
    return sorted(deliveries, key=lambda delivery: delivery.sequence)


def deliveries_by_slot(known: list[LandedDelivery]) -> dict[Slot, LandedDelivery]:
    """The current delivery of each period and supplier: the last accepted one."""
    return {(period, delivery.supplier): delivery for delivery in known for period in delivery.periods}


def slot_name(extract: str, period: int, supplier: str) -> str:
    """The name of a slot in a manifest; one delivery fills a slot."""
    return f"{extract}/{period}/{supplier}"


def latest_delivery(known: list[LandedDelivery], name: str) -> LandedDelivery | None:
    """The last accepted delivery with a file name; a file may return to an earlier content."""
    return next((delivery for delivery in reversed(known) if delivery.name == name), None)


def is_unchanged(known: list[LandedDelivery], file: DeliveredFile) -> bool:
    """Whether a file has the same name, size and time as when it was last accepted."""
    last = latest_delivery(known, file.name)
    return last is not None and (last.size, last.modified) == (file.size, file.modified)


@contextmanager
def private_copy(landing: Path, file: DeliveredFile) -> Iterator[tuple[Path, str]]:
    """A private copy of a file and its hash, from one read; the copy is deleted at the end unless it was landed."""
    folder = landing / file.extract
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Copies of a killed run; no other run can be active, because the warehouse has one writer.
    for leftover in folder.glob(".arriving-*"):
        leftover.unlink()
    suffix = "".join(PurePosixPath(file.name).suffixes[-2:])
    copy = folder / f".arriving-{os.getpid()}{suffix}"
    digest = hashlib.sha256()
    try:
        with file.path.open("rb") as source, copy.open("wb") as target:
            before = os.fstat(source.fileno())
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
            after = file.path.stat()
            if any(getattr(before, name) != getattr(after, name) for name in ("st_ino", "st_size", "st_mtime_ns")):
                raise DeliveryError(
                    "the file changed while it was read", file.name, "run again when its copying is complete"
                )
        yield copy, digest.hexdigest()
    finally:
        copy.unlink(missing_ok=True)


def land_delivery(landing: Path, copy: Path, delivery: LandedDelivery) -> None:
    """Move a copy into the landing area. The note is written last: a delivery without a note is not accepted."""
    folder = landing / delivery.extract
    os.replace(copy, delivery.path(landing))
    draft = folder / f".arriving-{delivery.sha256}-note"
    write_synced(draft, json.dumps(asdict(delivery), indent=1).encode())
    os.replace(draft, folder / f"{delivery.sha256}.json")
    sync_folder(folder)


def verified_path(landing: Path, delivery: LandedDelivery) -> Path:
    """The path of an accepted delivery; raises when the file is missing or has another hash."""
    path = delivery.path(landing)
    if not path.is_file():
        raise ProjectError(
            "an accepted delivery is missing from the landing area",
            delivery.name,
            "restore the landing area from backup",
        )
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() == delivery.sha256:
            return path
    raise ProjectError(
        "an accepted delivery is damaged", f"landing/{path.name}", "restore the landing area from backup"
    )
