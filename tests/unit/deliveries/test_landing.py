"""Does the landing area take exactly what was delivered, once, and notice when it is no longer what it was?"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

import pytest

from triple_aim.definitions.contracts import Contract, load_contracts
from triple_aim.deliveries.landing import (
    Found,
    Landed,
    accept,
    arriving,
    discover,
    is_unchanged,
    kept,
    landed,
    latest,
    unclaimed,
)
from triple_aim.errors import DeliveryError, ProjectError

POPULATION = load_contracts(Path(__file__).parents[3] / "contracts")["population"]


@pytest.fixture
def deliveries(tmp_path: Path) -> Path:
    folder = tmp_path / "deliveries"
    (folder / "population").mkdir(parents=True)
    return folder


def deliver(deliveries: Path, name: str, content: bytes = b"x", modified: int = 1_700_000_000) -> Found:
    path = deliveries / "population" / name
    path.write_bytes(content)
    os.utime(path, (modified, modified))
    return next(found for found in discover(deliveries, POPULATION) if found.path.name == name)


def land(landing: Path, found: Found, sequence: int = 1) -> Landed:
    with arriving(landing, found) as (copy, sha256):
        delivery = Landed(found.extract, sha256, found.name, "", (2021,), sequence, found.size, found.modified)
        accept(landing, copy, delivery)
    return delivery


def test_only_files_a_contract_claims_are_found_oldest_first(deliveries: Path) -> None:
    deliver(deliveries, "population_2022.csv", modified=1_700_000_001)
    deliver(deliveries, "population_2021.csv", modified=1_700_000_002)
    for stranger in ("population_2021.csv.bak", ".~lock.population_2021.csv#", "notes.txt"):
        (deliveries / "population" / stranger).write_text("x")
    (deliveries / "population" / "population_2020.csv").mkdir()
    assert [found.path.name for found in discover(deliveries, POPULATION)] == [
        "population_2022.csv",
        "population_2021.csv",
    ]
    assert discover(deliveries / "absent", POPULATION) == []


def test_a_file_no_contract_claims_is_named(deliveries: Path) -> None:
    deliver(deliveries, "population_2021.csv")
    for name in ("population/population_2022.xls", "claims.csv", ".gitkeep"):
        (deliveries / name).write_bytes(b"x")
    assert unclaimed(deliveries, [POPULATION]) == ["claims.csv", "population/population_2022.xls"]


def test_a_link_that_leads_outside_is_not_followed(
    deliveries: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret.csv").write_text("x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "population_2020.csv").write_text("x")
    (deliveries / "population" / "population_2021.csv").symlink_to(tmp_path / "secret.csv")
    with caplog.at_level(logging.WARNING):
        assert discover(deliveries, POPULATION) == []
    assert "leads outside" in caplog.text
    (deliveries / "population" / "population_2021.csv").unlink()
    (deliveries / "population").rmdir()
    (deliveries / "population").symlink_to(tmp_path / "outside")
    assert discover(deliveries, POPULATION) == []


@pytest.mark.parametrize("name", ["population_2021\n.csv", "population_\x1b[31m2021.csv"])
def test_a_name_that_a_log_would_obey_is_refused(deliveries: Path, name: str) -> None:
    (deliveries / "population" / name).write_text("x")
    with pytest.raises(DeliveryError) as caught:
        discover(deliveries, POPULATION)
    assert str(caught.value).count("\n") == 2 and "\x1b" not in str(caught.value)


def test_an_accepted_file_is_kept_byte_for_byte_under_its_hash(deliveries: Path, tmp_path: Path) -> None:
    found = deliver(deliveries, "population_2021.csv", b"a;b\n1;2\n")
    delivery = land(tmp_path / "landing", found)
    assert delivery.sha256 == hashlib.sha256(b"a;b\n1;2\n").hexdigest()
    assert landed(tmp_path / "landing", "population") == [delivery]
    assert kept(tmp_path / "landing", delivery).read_bytes() == b"a;b\n1;2\n"
    assert (tmp_path / "landing" / "population").stat().st_mode & 0o077 == 0
    assert len(list((tmp_path / "landing" / "population").iterdir())) == 2


def test_what_is_not_accepted_leaves_nothing_behind(deliveries: Path, tmp_path: Path) -> None:
    found = deliver(deliveries, "population_2021.csv")
    folder = tmp_path / "landing" / "population"
    folder.mkdir(parents=True)
    (folder / ".arriving-1.csv").write_text("of a run that was killed")
    (folder / ".arriving-1-note").write_text("{")
    with pytest.raises(DeliveryError), arriving(tmp_path / "landing", found):
        raise DeliveryError("refused", "here", "so")
    assert list(folder.iterdir()) == [] and landed(tmp_path / "landing", "population") == []


@pytest.mark.parametrize("how", ["replaced", "grown", "rewritten"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    deliveries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    found = deliver(deliveries, "population_2021.csv", b"old")

    def meddle(_: int) -> None:
        if how == "replaced":
            (tmp_path / "new").write_bytes(b"new")
            os.utime(tmp_path / "new", (found.modified, found.modified))
            (tmp_path / "new").replace(found.path)
        elif how == "grown":
            found.path.write_bytes(b"older")
            os.utime(found.path, (found.modified, found.modified))
        else:
            found.path.write_bytes(b"new")

    monkeypatch.setattr("triple_aim.deliveries.landing.os.fsync", meddle)
    with pytest.raises(DeliveryError, match="changed while it was read"), arriving(tmp_path / "landing", found):
        pass
    assert list((tmp_path / "landing" / "population").iterdir()) == []


def test_a_file_that_kept_name_size_and_time_is_known(deliveries: Path, tmp_path: Path) -> None:
    first = deliver(deliveries, "population_2021.csv", b"aa", modified=1)
    one = land(tmp_path / "landing", first, 1)
    assert is_unchanged([one], first)
    second = deliver(deliveries, "population_2021.csv", b"bb", modified=2)
    assert not is_unchanged([one], second)
    two = land(tmp_path / "landing", second, 2)
    back = deliver(deliveries, "population_2021.csv", b"aa", modified=1)
    assert latest([one, two], back.name) == two and not is_unchanged([one, two], back)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"extract": "population"}'])
def test_a_note_that_cannot_be_read_stops_the_run(tmp_path: Path, content: str) -> None:
    (tmp_path / "population").mkdir()
    (tmp_path / "population" / "abc.json").write_text(content)
    with pytest.raises(ProjectError, match=r"population/abc\.json"):
        landed(tmp_path, "population")


def test_a_kept_file_that_was_changed_is_noticed(deliveries: Path, tmp_path: Path) -> None:
    delivery = land(tmp_path / "landing", deliver(deliveries, "population_2021.csv", b"aa"))
    delivery.path(tmp_path / "landing").write_bytes(b"ab")
    with pytest.raises(ProjectError, match="damaged"):
        kept(tmp_path / "landing", delivery)


@pytest.mark.parametrize("pattern", ["/etc/*", "../x/*.csv", "a/../../x", "**/x.csv", "a\n.csv"])
def test_a_pattern_cannot_leave_the_deliveries_folder(pattern: str) -> None:
    told = POPULATION.model_dump(mode="json")
    told["files"] = [{"pattern": pattern, "format": {"type": "csv"}}]
    with pytest.raises(ValueError, match="under the deliveries folder"):
        Contract.model_validate_json(json.dumps(told))
