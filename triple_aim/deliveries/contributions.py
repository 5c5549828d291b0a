"""The contribution of a party to a federation: its manifest, and its place in the landing area once accepted.

Not here: making or checking one (``triple_aim.federation``), adding them up (``triple_aim.cubes``). A contribution is
never changed; the newest one of a party replaces its older ones.
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
from triple_aim.files import close_to_others, sha256, sync_folder, write_synced
from triple_aim.periods import FIRST_PERIOD

MANIFEST = "manifest.json"
ARRIVING = ".arriving-"
CONTRIBUTION = "contribution"
Use = Literal["confidential sums for the party that merges them; not a publication"]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
LARGEST_COUNT = 10**12  # far above every real count of rows
RowCount = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
# Short names only: readers see what another party writes.
Supplier = Annotated[str, Field(pattern=r"^[a-z0-9_]*$", max_length=63)]
SlotName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[0-9]{4}/[a-z0-9_]*$", max_length=150)]


def _refuse_other_years(period: int) -> int:
    if not FIRST_PERIOD <= period <= datetime.date.today().year + 1:
        raise ValueError(f"a period is a year from {FIRST_PERIOD} to next year")
    return period


Period = Annotated[int, AfterValidator(_refuse_other_years)]


class CubeFile(Content):
    """One cube of a contribution, stored in ``<cube>.parquet``."""

    sha256: Hash
    fingerprint: Hash  # of the SQL, contracts and reference tables that determine its sums
    rows: RowCount
    periods: list[Period] = Field(min_length=1)
    minimum: int = Field(ge=1)  # persons that a place and period need for their cells to be exported
    places_below_minimum: RowCount  # places and periods with fewer; their rows are in one exclusion


class LedgerLine(Content):
    """The rows and euros delivered, staged or set aside, as in the mart ``reconciliation``."""

    extract: Name
    period: Period
    supplier: Supplier
    stage: Literal["delivered", "staged", "set_aside"]
    reason: str = Field(pattern=r"^[a-z0-9_.]+$", max_length=130)
    row_count: RowCount
    amount_eur: str = Field(pattern=r"^-?[0-9]{1,13}\.[0-9]{2}$")


class Contribution(Content):
    """A manifest: the contributor, its cubes, and the deliveries and contracts behind them."""

    format: Literal[1] = 1
    use: Use = get_args(Use)[0]
    contributor: Name
    release: str = Field(pattern=r"^[0-9a-f]{16}$")  # of the contributor; the sums passed its checks
    cubes: dict[Name, CubeFile] = Field(min_length=1)
    contracts: dict[Name, str]
    deliveries: dict[SlotName, Hash]  # extract/period/supplier
    ledger: list[LedgerLine]

    @property
    def periods(self) -> set[int]:
        return {period for cube in self.cubes.values() for period in cube.periods}

    def delivery_hashes(self, extracts: set[str], period: int) -> set[str]:
        """The hashes of the deliveries of these extracts for a period."""
        wanted = {(extract, str(period)) for extract in extracts}
        return {sha256 for slot, sha256 in self.deliveries.items() if tuple(slot.split("/")[:2]) in wanted}


@dataclass(frozen=True)
class StoredContribution:
    """A contribution on disk: its folder, its manifest, and the hash of the manifest, which identifies it."""

    folder: Path
    manifest: Contribution
    sha256: str

    def path(self, cube: str) -> Path:
        return self.folder / f"{cube}.parquet"


def read_contribution(folder: Path) -> StoredContribution:
    """Read a contribution and check its files against their hashes."""
    where = f"{folder.name}/{MANIFEST}"
    try:
        manifest_bytes = (folder / MANIFEST).read_bytes()
        manifest = Contribution.model_validate_json(manifest_bytes)
        hashes = {cube: sha256((folder / f"{cube}.parquet").read_bytes()) for cube in manifest.cubes}
    except OSError as error:
        raise DeliveryError(
            f"a file of the contribution cannot be read: {error.strerror}", where, "ask for the whole folder again"
        ) from error
    except ValidationError as error:
        fields = sorted({".".join(map(str, fault["loc"][:1])) for fault in error.errors()})
        raise DeliveryError(
            f"this version cannot read the manifest ({', '.join(fields)})",
            where,
            "ask the contributor to export again with the version of this installation",
        ) from None
    if changed := sorted(cube for cube, file in manifest.cubes.items() if hashes[cube] != file.sha256):
        raise DeliveryError(f"{', '.join(changed)} changed after the export", where, "ask for the whole folder again")
    return StoredContribution(folder, manifest, sha256(manifest_bytes))


def current_contributions(landing: Path) -> list[StoredContribution]:
    """The newest contribution of each party, ordered by the name of the party."""
    newest = [max(_accepted(party), default=None) for party in sorted((landing / "contributions").glob("[a-z]*"))]
    try:
        return [read_contribution(folder) for folder in newest if folder]
    except DeliveryError as error:
        raise ProjectError(
            f"an accepted contribution is damaged: {error.what}",
            f"landing/contributions/{error.where}",
            "restore the landing area from backup, or import the contribution again",
        ) from error


@contextmanager
def copied_contribution(landing: Path, folder: Path) -> Iterator[StoredContribution]:
    """A private, checked copy of a contribution; it is deleted at the end unless it was accepted."""
    manifest = read_contribution(folder).manifest
    with ExitStack() as stack:
        with _reporting_disk_errors():
            base = landing / "contributions"
            close_to_others()
            base.mkdir(parents=True, exist_ok=True)
            copy = Path(mkdtemp(prefix=ARRIVING, dir=base))  # only its owner may enter
            stack.callback(shutil.rmtree, copy, ignore_errors=True)
            for name in (MANIFEST, *(f"{cube}.parquet" for cube in manifest.cubes)):
                write_synced(copy / name, (folder / name).read_bytes())
        yield read_contribution(copy)


def clear_leftovers(landing: Path) -> None:
    """Delete the copies of all parties that a killed import left."""
    with _reporting_disk_errors():
        for leftover in (landing / "contributions").glob(f"{ARRIVING}*"):
            shutil.rmtree(leftover)


def accept_contributions(landing: Path, copies: Sequence[StoredContribution]) -> list[str]:
    """Move private copies into the landing area, all or none; the contributors whose copy is new."""
    moves: list[tuple[StoredContribution, Path]] = []
    with _reporting_disk_errors(), ExitStack() as undo:
        for copy in copies:
            party = landing / "contributions" / copy.manifest.contributor
            party.mkdir(exist_ok=True)
            earlier = sorted(_accepted(party))
            if not earlier or not earlier[-1].name.endswith(copy.sha256[:16]):
                sync_folder(copy.folder)
                moves.append((copy, party / f"{len(earlier) + 1:06d}-{copy.sha256[:16]}"))
        for copy, target in moves:
            os.replace(copy.folder, target)
            undo.callback(os.replace, target, copy.folder)
            sync_folder(target.parent)
        undo.pop_all()
    return [copy.manifest.contributor for copy, _ in moves]


@contextmanager
def _reporting_disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProjectError(
            f"nothing was accepted: the landing area could not be written ({error.strerror})",
            "landing/contributions",
            "check its free space and permissions, then import again",
        ) from error


def contributed_slots(landing: Path) -> dict[str, str]:
    """The slots that contributions fill, with the hash of the manifest of each contribution."""
    return {
        slot_name(CONTRIBUTION, period, contribution.manifest.contributor): contribution.sha256
        for contribution in current_contributions(landing)
        for period in sorted(contribution.manifest.periods)
    }


def _accepted(party: Path) -> list[Path]:
    return [folder for folder in party.glob("[0-9]*") if folder.is_dir()]
