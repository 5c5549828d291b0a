"""Are the samples the same bytes each time, and is every file one that a contract claims?"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from triple_aim.contracts import load_contracts
from triple_aim.samples import write_samples

CONTRACTS = Path(__file__).parents[2] / "contracts"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder, persons=200)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def test_the_same_seed_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_samples(tmp_path, persons=200)
    assert contents(tmp_path) == contents(written)


def test_another_seed_gives_other_people(written: Path, tmp_path: Path) -> None:
    write_samples(tmp_path, seed=1, persons=200)
    first, second = contents(written), contents(tmp_path)
    assert first.keys() == second.keys()
    same = {name.split("/")[0] for name in first if first[name] == second[name]}
    assert same == {"population"}  # an average has no seed


def test_every_file_is_claimed_by_the_contract_of_its_folder(written: Path) -> None:
    contracts = load_contracts(CONTRACTS)
    names = contents(written)
    assert len(names) == 16
    assert all(contracts[name.split("/")[0]].files_for(PurePosixPath(name)) for name in names)
