"""Does the landing area store each delivery once, unchanged, and detect later damage?"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

import pytest

from triple_aim.definitions.contracts import Contract, load_contracts
from triple_aim.deliveries.landing import (
    DeliveredFile,
    LandedDelivery,
    discover,
    is_unchanged,
    land_delivery,
    landed_deliveries,
    latest_delivery,
    private_copy,
    unclaimed_files,
    verified_path,
)
from triple_aim.errors import DeliveryError, ProjectError

POPULATION = load_contracts(Path(__file__).parents[3] / "contracts")["population"]


@pytest.fixture
def deliveries(tmp_path: Path) -> Path:
    folder = tmp_path / "deliveries"
    (folder / "population").mkdir(parents=True)
    return folder


def deliver(deliveries: Path, name: str, content: bytes = b"x", modified: int = 1_700_000_000) -> DeliveredFile:
    path = deliveries / "population" / name
    path.write_bytes(content)
    os.utime(path, (modified, modified))
    return next(file for file in discover(deliveries, POPULATION) if file.path.name == name)


def land(landing: Path, file: DeliveredFile, sequence: int = 1) -> LandedDelivery:
    with private_copy(landing, file) as (copy, sha256):
        delivery = LandedDelivery(file.extract, sha256, file.name, "", (2021,), sequence, file.size, file.modified)
        land_delivery(landing, copy, delivery)
    return delivery


def test_discovery_gives_only_claimed_files_oldest_first(deliveries: Path) -> None:
    deliver(deliveries, "population_2022.csv", modified=1_700_000_001)
    deliver(deliveries, "population_2021.csv", modified=1_700_000_002)
    for unclaimed in ("population_2021.csv.bak", ".~lock.population_2021.csv#", "notes.txt"):
        (deliveries / "population" / unclaimed).write_text("x")
    (deliveries / "population" / "population_2020.csv").mkdir()
    assert [file.path.name for file in discover(deliveries, POPULATION)] == [
        "population_2022.csv",
        "population_2021.csv",
    ]
    assert discover(deliveries / "absent", POPULATION) == []


def test_unclaimed_files_are_listed(deliveries: Path) -> None:
    deliver(deliveries, "population_2021.csv")
    for name in ("population/population_2022.xls", "claims.csv", ".gitkeep"):
        (deliveries / name).write_bytes(b"x")
    assert unclaimed_files(deliveries, [POPULATION]) == ["claims.csv", "population/population_2022.xls"]


def test_a_link_to_a_file_outside_the_folder_is_not_followed(
    deliveries: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret.csv").write_text("x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "population_2020.csv").write_text("x")
    (deliveries / "population" / "population_2021.csv").symlink_to(tmp_path / "secret.csv")
    with caplog.at_level(logging.WARNING):
        assert discover(deliveries, POPULATION) == []
    assert "outside the deliveries folder" in caplog.text
    (deliveries / "population" / "population_2021.csv").unlink()
    (deliveries / "population").rmdir()
    (deliveries / "population").symlink_to(tmp_path / "outside")
    assert discover(deliveries, POPULATION) == []


@pytest.mark.parametrize("name", ["population_2021\n.csv", "population_\x1b[31m2021.csv"])
def test_a_name_with_control_characters_is_refused(deliveries: Path, name: str) -> None:
    (deliveries / "population" / name).write_text("x")
    with pytest.raises(DeliveryError) as caught:
        discover(deliveries, POPULATION)
    assert str(caught.value).count("\n") == 2 and "\x1b" not in str(caught.value)


def test_a_landed_file_is_stored_unchanged_under_its_hash(deliveries: Path, tmp_path: Path) -> None:
    file = deliver(deliveries, "population_2021.csv", b"a;b\n1;2\n")
    delivery = land(tmp_path / "landing", file)
    assert delivery.sha256 == hashlib.sha256(b"a;b\n1;2\n").hexdigest()
    assert landed_deliveries(tmp_path / "landing", "population") == [delivery]
    assert verified_path(tmp_path / "landing", delivery).read_bytes() == b"a;b\n1;2\n"
    assert (tmp_path / "landing" / "population").stat().st_mode & 0o077 == 0
    assert len(list((tmp_path / "landing" / "population").iterdir())) == 2


def test_a_refused_file_leaves_no_copy(deliveries: Path, tmp_path: Path) -> None:
    file = deliver(deliveries, "population_2021.csv")
    folder = tmp_path / "landing" / "population"
    folder.mkdir(parents=True)
    (folder / ".arriving-1.csv").write_text("of a killed run")
    (folder / ".arriving-1-note").write_text("{")
    with pytest.raises(DeliveryError), private_copy(tmp_path / "landing", file):
        raise DeliveryError("refused", "here", "so")
    assert list(folder.iterdir()) == [] and landed_deliveries(tmp_path / "landing", "population") == []


@pytest.mark.parametrize("how", ["replaced", "grown", "rewritten"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    deliveries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    file = deliver(deliveries, "population_2021.csv", b"old")

    def change(_: int) -> None:
        if how == "replaced":
            (tmp_path / "new").write_bytes(b"new")
            os.utime(tmp_path / "new", (file.modified, file.modified))
            (tmp_path / "new").replace(file.path)
        elif how == "grown":
            file.path.write_bytes(b"older")
            os.utime(file.path, (file.modified, file.modified))
        else:
            file.path.write_bytes(b"new")

    monkeypatch.setattr("triple_aim.deliveries.landing.os.fsync", change)
    with pytest.raises(DeliveryError, match="changed while it was read"), private_copy(tmp_path / "landing", file):
        pass
    assert list((tmp_path / "landing" / "population").iterdir()) == []


def test_a_file_with_the_same_name_size_and_time_is_unchanged(deliveries: Path, tmp_path: Path) -> None:
    first = deliver(deliveries, "population_2021.csv", b"aa", modified=1)
    one = land(tmp_path / "landing", first, 1)
    assert is_unchanged([one], first)
    second = deliver(deliveries, "population_2021.csv", b"bb", modified=2)
    assert not is_unchanged([one], second)
    two = land(tmp_path / "landing", second, 2)
    back = deliver(deliveries, "population_2021.csv", b"aa", modified=1)
    assert latest_delivery([one, two], back.name) == two and not is_unchanged([one, two], back)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"extract": "population"}'])
def test_an_unreadable_note_stops_the_run(tmp_path: Path, content: str) -> None:
    (tmp_path / "population").mkdir()
    (tmp_path / "population" / "abc.json").write_text(content)
    with pytest.raises(ProjectError, match=r"population/abc\.json"):
        landed_deliveries(tmp_path, "population")


def test_a_changed_file_in_the_landing_area_is_detected(deliveries: Path, tmp_path: Path) -> None:
    delivery = land(tmp_path / "landing", deliver(deliveries, "population_2021.csv", b"aa"))
    delivery.path(tmp_path / "landing").write_bytes(b"ab")
    with pytest.raises(ProjectError, match="damaged"):
        verified_path(tmp_path / "landing", delivery)


@pytest.mark.parametrize("pattern", ["/etc/*", "../x/*.csv", "a/../../x", "**/x.csv", "a\n.csv"])
def test_a_pattern_cannot_leave_the_deliveries_folder(pattern: str) -> None:
    fields = POPULATION.model_dump(mode="json")
    fields["files"] = [{"pattern": pattern, "format": {"type": "csv"}}]
    with pytest.raises(ValueError, match="under the deliveries folder"):
        Contract.model_validate_json(json.dumps(fields))
