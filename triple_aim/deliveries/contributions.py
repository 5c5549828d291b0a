"""What a party contributes to a federation: its manifest, and where accepted contributions lie in the landing area.

Not here: making one (``triple_aim.federation``), judging one (``triple_aim.federation``), adding them up
(``triple_aim.cubes``). A contribution is never changed; the newest of a party counts, whole.
"""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, ValidationError

from triple_aim.definitions import Content, Name
from triple_aim.deliveries.landing import slot_name
from triple_aim.errors import DeliveryError, ProjectError
from triple_aim.files import sha256, sync_folder, write_synced
from triple_aim.periods import FIRST_PERIOD

MANIFEST = "manifest.json"
ARRIVING = ".arriving-"
SLOT = "contribution"
Use = Literal["confidential sums for the party that merges them; not a publication"]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MOST = 10**12  # no count of rows comes near
Number = Annotated[int, Field(ge=0, le=MOST)]
# Short words only: what another party writes is shown to readers.
Supplier = Annotated[str, Field(pattern=r"^[a-z0-9_]*$", max_length=63)]
SlotName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[0-9]{4}/[a-z0-9_]*$", max_length=150)]


def _refuse_other_years(period: int) -> int:
    if not FIRST_PERIOD <= period <= datetime.date.today().year + 1:
        raise ValueError(f"a period is a year from {FIRST_PERIOD} on, to the next")
    return period


Period = Annotated[int, AfterValidator(_refuse_other_years)]


class CubeFile(Content):
    """One cube of a contribution, in ``<cube>.parquet``."""

    sha256: Hash
    content: Hash  # of the SQL, contracts and reference tables that decide its sums
    rows: Number
    periods: list[Period] = Field(min_length=1)
    minimum: int = Field(ge=1)  # persons of a place and period that let its cells pass the border
    places_below_minimum: Number  # places and periods that did not; their rows stand under one exclusion


class LedgerLine(Content):
    """Delivered, staged or set aside rows and euros, as in the mart ``reconciliation``."""

    extract: Name
    period: Period
    supplier: Supplier
    stage: Literal["delivered", "staged", "set_aside"]
    reason: str = Field(pattern=r"^[a-z0-9_.]+$", max_length=130)
    row_count: Number
    amount_eur: str = Field(pattern=r"^-?[0-9]{1,13}\.[0-9]{2}$")


class Contribution(Content):
    """A manifest: who contributes what, made of which deliveries by which content."""

    format: Literal[1] = 1
    use: Use = get_args(Use)[0]
    contributor: Name
    release: str = Field(pattern=r"^[0-9a-f]{16}$")  # the contributor's own, whose checks the sums have passed
    cubes: dict[Name, CubeFile] = Field(min_length=1)
    contracts: dict[Name, str]
    deliveries: dict[SlotName, Hash]  # extract/period/supplier
    ledger: list[LedgerLine]

    @property
    def periods(self) -> set[int]:
        return {period for cube in self.cubes.values() for period in cube.periods}

    def of_extracts(self, extracts: set[str], period: int) -> set[str]:
        """The hashes of what was delivered of some extracts for a period."""
        named = {(extract, str(period)) for extract in extracts}
        return {content for slot, content in self.deliveries.items() if tuple(slot.split("/")[:2]) in named}


@dataclass(frozen=True)
class StoredContribution:
    """A contribution that lies somewhere: its folder, its manifest, and the hash by which it is known."""

    folder: Path
    manifest: Contribution
    sha256: str

    def path(self, cube: str) -> Path:
        return self.folder / f"{cube}.parquet"


def read_contribution(folder: Path) -> StoredContribution:
    """What a folder contributes; files are held to their hashes."""
    where = f"{folder.name}/{MANIFEST}"
    try:
        told = (folder / MANIFEST).read_bytes()
        manifest = Contribution.model_validate_json(told)
        found = {cube: sha256((folder / f"{cube}.parquet").read_bytes()) for cube in manifest.cubes}
    except OSError as error:
        raise DeliveryError(
            f"a file of the contribution cannot be read: {error.strerror}", where, "ask for the whole folder again"
        ) from error
    except ValidationError as error:
        places = sorted({".".join(map(str, fault["loc"][:1])) for fault in error.errors()})
        raise DeliveryError(
            f"the manifest is not one that this version knows ({', '.join(places)})",
            where,
            "let the contributor export again, with the same version as here",
        ) from None
    if changed := sorted(cube for cube, file in manifest.cubes.items() if found[cube] != file.sha256):
        raise DeliveryError(
            f"{', '.join(changed)} changed since it was exported", where, "ask for the whole folder again"
        )
    return StoredContribution(folder, manifest, sha256(told))


def current_contributions(landing: Path) -> list[StoredContribution]:
    """The contribution that counts of each party, by name of the party."""
    newest = [max(_accepted(party), default=None) for party in sorted((landing / "contributions").glob("[a-z]*"))]
    try:
        return [read_contribution(folder) for folder in newest if folder]
    except DeliveryError as error:
        raise ProjectError(
            f"an accepted contribution was damaged: {error.what}",
            f"landing/contributions/{error.where}",
            "restore the landing area from backup, or import the contribution again",
        ) from error


@contextmanager
def copied_contribution(landing: Path, folder: Path) -> Iterator[StoredContribution]:
    """A private copy of a contribution, held to its hashes; it is gone afterwards unless it was accepted."""
    named = read_contribution(folder).manifest
    with ExitStack() as stack:
        with _told_if_disk_fails():
            base = landing / "contributions"
            base.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy = Path(mkdtemp(prefix=ARRIVING, dir=base))  # only its owner may enter
            stack.callback(shutil.rmtree, copy, ignore_errors=True)
            for name in (MANIFEST, *(f"{cube}.parquet" for cube in named.cubes)):
                write_synced(copy / name, (folder / name).read_bytes())
        yield read_contribution(copy)


def clear_leftovers(landing: Path) -> None:
    """Remove the copies of an import that was killed, whoever contributed them."""
    with _told_if_disk_fails():
        for leftover in (landing / "contributions").glob(f"{ARRIVING}*"):
            shutil.rmtree(leftover)


def accept_contributions(landing: Path, copies: Sequence[StoredContribution]) -> list[str]:
    """Keep private copies for good, all or none; the names of those that did not count already."""
    moves: list[tuple[StoredContribution, Path]] = []
    with _told_if_disk_fails(), ExitStack() as undo:
        for copy in copies:
            party = landing / "contributions" / copy.manifest.contributor
            party.mkdir(exist_ok=True, mode=0o700)
            earlier = sorted(_accepted(party))
            if not earlier or not earlier[-1].name.endswith(copy.sha256[:16]):
                sync_folder(copy.folder)
                moves.append((copy, party / f"{len(earlier) + 1:06d}-{copy.sha256[:16]}"))
        for copy, place in moves:
            os.replace(copy.folder, place)
            undo.callback(os.replace, place, copy.folder)
            sync_folder(place.parent)
        undo.pop_all()
    return [copy.manifest.contributor for copy, _ in moves]


@contextmanager
def _told_if_disk_fails() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProjectError(
            f"nothing was accepted, for the landing area could not be written: {error.strerror}",
            "landing/contributions",
            "check its space and permissions, then import again",
        ) from error


def contributed_slots(landing: Path) -> dict[str, str]:
    """What a release calls the places that contributions fill, and the hash of each contribution's manifest."""
    return {
        slot_name(SLOT, period, there.manifest.contributor): there.sha256
        for there in current_contributions(landing)
        for period in sorted(there.manifest.periods)
    }


def _accepted(party: Path) -> list[Path]:
    return [folder for folder in party.glob("[0-9]*") if folder.is_dir()]
