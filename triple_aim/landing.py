"""The landing area: every accepted delivery, byte for byte, under its content hash, with a note beside it.

Not here: judging a delivery (``ingest``). The landing is the memory of the installation: the warehouse can be thrown
away and rebuilt from it. Nothing in it is ever changed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from triple_aim.contracts import Contract, Files

CHUNK = 1 << 20


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
        if files and path.is_file() and path.resolve().is_relative_to(base):
            stat = path.stat()
            claimed.append(Found(contract.extract, str(name), path, files, stat.st_size, stat.st_mtime))
    return sorted(claimed, key=lambda found: (found.modified, found.name))


def landed(landing: Path, extract: str) -> list[Landed]:
    """Every accepted delivery of an extract, first accepted first."""
    notes = [json.loads(note.read_text()) for note in sorted((landing / extract).glob("*.json"))]
    deliveries = [Landed(**{**note, "periods": tuple(note["periods"])}) for note in notes]
    return sorted(deliveries, key=lambda delivery: delivery.sequence)


@contextmanager
def arriving(landing: Path, found: Found) -> Iterator[tuple[Path, str]]:
    """A private copy of a file and its hash, hashed while it is copied; it is gone afterwards unless it was accepted."""
    folder = landing / found.extract
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    suffix = "".join(PurePosixPath(found.name).suffixes[-2:])
    copy = folder / f".arriving-{os.getpid()}{suffix}"
    digest = hashlib.sha256()
    try:
        with found.path.open("rb") as source, copy.open("wb") as target:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        yield copy, digest.hexdigest()
    finally:
        copy.unlink(missing_ok=True)


def accept(landing: Path, copy: Path, delivery: Landed) -> None:
    """Keep a copy for good. The note is written last: a delivery without a note was never accepted."""
    os.replace(copy, delivery.path(landing))
    note = landing / delivery.extract / f"{delivery.sha256}.json"
    draft = note.with_suffix(".tmp")
    with draft.open("w") as stream:
        json.dump(asdict(delivery), stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, note)
