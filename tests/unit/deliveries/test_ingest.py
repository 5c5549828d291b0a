"""From a folder of files to stg: is each delivery taken once and whole, and does whatever goes wrong change nothing?"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from triple_aim.definitions.contracts import Contract
from triple_aim.definitions.settings import Project, Settings
from triple_aim.definitions.yaml_reader import read_model
from triple_aim.deliveries.ingest import Ingested, delivered_periods, ingest_extract, inputs
from triple_aim.deliveries.landing import landed
from triple_aim.errors import ContentError, DeliveryError, ProjectError, TripleAimError
from triple_aim.warehouse.connection import open_warehouse
from triple_aim.warehouse.reference_tables import load_reference
from triple_aim.warehouse.sql_files import read_query

CANARY = "kanarie7391"
CONTRACT = """
extract: bills
version: 1.0.0
title: {nl: x, en: x}
meaning: {nl: x, en: x}
grain: one row per bill
level: person
supplier: x
licence: x
files: [{pattern: "bills/*.csv", format: {type: csv}}, {pattern: "bills/*.parquet", format: {type: parquet}}]
period: {file_name: 'bills_(?P<period>[0-9]{4})(_(?P<supplier>[a-z]+))?'}
key: [bill_id]
set_aside: {max_share: 0.5}
ledger: {cube: bills, rows: n, euros: eur, amount: {columns: cents, cents: true, negative_when: {sign: C}}}
columns:
  - {name: bill_id, type: text, role: key, meaning: {nl: x, en: x}}
  - {name: year, type: integer, role: dimension, nullable: true, meaning: {nl: x, en: x}}
  - {name: place, type: text, role: dimension, listed_in: places.code, meaning: {nl: x, en: x}}
  - {name: cents, type: integer, role: measure, meaning: {nl: x, en: x}}
  - {name: sign, type: code, role: attribute, codes: [D, C], meaning: {nl: x, en: x}}
"""
BY_YEAR = CONTRACT.replace("{file_name: 'bills_(?P<period>[0-9]{4})(_(?P<supplier>[a-z]+))?'}", "{column: year}")
STAGING = """-- Bills in signed euros.
-- grain: period, supplier, line_number
select
    period,
    supplier,
    line_number,
    bill_id,
    places.region,
    cast(case sign when 'C' then -cents else cents end * 0.01 as decimal(18, 2)) as amount_eur
from delivery.bills
left join ref.places on places.code = bills.place
"""
HEADER = "bill_id;year;place;cents;sign\n"
FIRST, SECOND = "a1;2021;P1;1050;D\na2;2021;P2;50;C\n", "b1;2021;P1;700;D\n"
YEARS = range(2019, 2024)


class House:
    """A project of one contract in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        for name in ("contracts", "sql/staging", "reference/codes", "deliveries/bills"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        settings = Settings.model_construct(
            deliveries=Path("deliveries"), work=Path("work"), publication=Path("publication"), division_year=2024
        )
        self.folder = folder
        self.project = Project(folder, folder / "monitor.toml", settings)
        self.write("contracts/bills.yaml", CONTRACT)
        self.write("sql/staging/bills.sql", STAGING)
        self.write("reference/codes/places.csv", "code,region\nP1,north\nP2,south\n")
        self.write("reference/codes/places.yaml", "title: x\n")
        self.clock = 1_700_000_000

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def deliver(self, name: str, rows: str, modified: int | None = None) -> Path:
        """A file that is newer than every one before it, unless its time is given."""
        self.clock += 1
        path = self.folder / "deliveries" / "bills" / name
        if path.suffix == ".parquet":
            pd.read_csv(StringIO(HEADER + rows), sep=";", dtype=str).to_parquet(path)
        else:
            path.write_text(HEADER + rows)
        os.utime(path, (modified or self.clock,) * 2)
        return path

    def run(self, periods: Iterable[int] = YEARS) -> Ingested:
        contract = read_model(self.project.contracts / "bills.yaml", Contract)
        query = read_query(self.project.sql / "staging" / "bills.sql")
        with open_warehouse(self.project.warehouse, reach=[self.project.landing, self.project.quarantine]) as warehouse:
            load_reference(warehouse, self.project.reference)
            return ingest_extract(warehouse, self.project, contract, query, periods)

    def fails(self, kind: type[TripleAimError], word: str) -> str:
        """Run, be refused in three lines that quote no row, and leave stg, ledger and landing as they were."""
        before = self.state()
        with pytest.raises(kind) as caught:
            self.run()
        told = str(caught.value)
        assert word in told and told.count("\n") == 2 and CANARY not in told
        assert self.state() == before
        return told

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with open_warehouse(self.project.warehouse, reach=[self.project.landing]) as warehouse:
            return warehouse.rows(sql)

    def bills(self) -> list[str]:
        return [bill for (bill,) in self.ask("select bill_id from stg.bills order by 1")]

    def state(self) -> tuple[Any, ...]:
        """Whatever a reader could see: staged rows, ledger, what they rest on, and the landing."""
        if not self.project.warehouse.exists():
            return ()
        with open_warehouse(self.project.warehouse, reach=[self.project.landing]) as warehouse:
            tables = [
                warehouse.rows(f"select * from {table} order by all") if warehouse.exists(table) else []
                for table in ("stg.bills", "meta.ledger", "meta.staged")
            ]
            schema = warehouse.header("select * from stg.bills") if warehouse.exists("stg.bills") else []
            return (*tables, schema, inputs(warehouse) if tables[2] else {})

    def leftovers(self) -> list[str]:
        kept = {".json", ".csv"}
        there = (self.project.landing / "bills").glob("*")
        return [path.name for path in there if path.suffix not in kept or path.name.startswith(".")]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_delivery_is_staged_and_its_rows_and_euros_are_in_the_ledger(house: House) -> None:
    house.deliver("bills_2021.csv", FIRST + "a3;2021;P9;30000;C\na4;2021;P1;x;D\n")
    assert house.run() == Ingested(accepted=1, unchanged=0, staged_periods=(2021,), rows=2, set_aside=2)
    assert house.bills() == ["a1", "a2"]
    assert house.ask("select stage, reason, row_count, amount_eur from meta.ledger order by all") == [
        ("delivered", "all", 4, Decimal("-290.00")),
        ("set_aside", "cents.type", 1, Decimal("0.00")),
        ("set_aside", "place.unlisted", 1, Decimal("-300.00")),
        ("staged", "all", 2, Decimal("10.00")),
    ]


def test_the_same_bytes_again_change_nothing(house: House) -> None:
    path = house.deliver("bills_2021.csv", FIRST)
    house.run()
    before = house.state()
    assert house.run().unchanged == 1
    path.touch()
    assert house.run().unchanged == 1
    shutil.copy(path, path.with_name("bills_2021_copy.csv".replace("_copy", "") + ".csv"))
    house.deliver("bills_2021.1.csv", FIRST)
    assert house.run().accepted == 0 and house.state() == before


def test_a_newer_file_replaces_its_period_whole(house: House) -> None:
    house.deliver("bills_2020.csv", "z1;2020;P1;1;D\n")
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    house.deliver("bills_2021.v2.csv", SECOND)
    assert house.run().accepted == 1 and house.bills() == ["b1", "z1"]
    assert house.ask("select distinct period, row_count from meta.ledger where stage = 'staged' order by 1") == [
        (2020, 1),
        (2021, 1),
    ]


def test_a_file_that_goes_back_to_its_old_content_is_delivered_again(house: House) -> None:
    path = house.deliver("bills_2021.csv", FIRST)
    house.run()
    old = path.stat().st_mtime
    house.deliver("bills_2021.csv", SECOND)
    house.run()
    house.deliver("bills_2021.csv", FIRST, modified=int(old))
    assert house.run().accepted == 1 and house.bills() == ["a1", "a2"]
    assert house.run().unchanged == 1 and house.bills() == ["a1", "a2"]


def test_two_suppliers_stand_side_by_side(house: House) -> None:
    house.deliver("bills_2021_cz.csv", FIRST)
    house.deliver("bills_2021_vgz.csv", FIRST.replace("a", "c"))
    house.run()
    house.deliver("bills_2021_cz.csv", SECOND)
    house.run()
    assert house.ask("select supplier, bill_id from stg.bills order by all") == [
        ("cz", "b1"), ("vgz", "c1"), ("vgz", "c2"),
    ]  # fmt: skip


def test_a_column_may_tell_several_periods_and_each_is_replaced_alone(house: House) -> None:
    house.write("contracts/bills.yaml", BY_YEAR)
    house.deliver("old.csv", FIRST + "a3;2020;P1;100;D\na4;2019;P9;500;D\na5;;P9;200;D\n")
    assert delivered_periods(house.project, [read_model(house.project.contracts / "bills.yaml", Contract)])[0] == 2006
    assert house.run().staged_periods == (2020, 2021)
    ledger = "select stage, sum(row_count), sum(amount_eur) from meta.ledger group by all order by 1"
    assert house.ask(ledger) == [
        ("delivered", 5, Decimal("18.00")),
        ("set_aside", 2, Decimal("7.00")),  # one of a year without a good row, one of no year
        ("staged", 3, Decimal("11.00")),
    ]
    assert delivered_periods(house.project, [read_model(house.project.contracts / "bills.yaml", Contract)]) == [
        2020,
        2021,
    ]
    house.deliver("new.csv", SECOND)
    house.run()
    assert house.bills() == ["a3", "b1"]


def test_only_the_periods_asked_for_are_taken(house: House) -> None:
    house.deliver("bills_2020.csv", "z1;2020;P1;1;D\n")
    house.deliver("bills_2021.csv", FIRST)
    assert house.run([2021]) == Ingested(1, 0, (2021,), 2, 0)
    assert house.bills() == ["a1", "a2"]


def test_an_extract_that_was_never_delivered_is_an_empty_table(house: House) -> None:
    assert house.run() == Ingested(0, 0, (), 0, 0) and house.bills() == []
    house.write("sql/staging/bills.sql", STAGING.replace("    bill_id,\n", "    bill_id,\n    sign,\n"))
    house.run()
    assert "sign" in dict(house.state()[3])


BAD = {
    "a cut row": "b1;2021;P1;7\n",
    "a key twice": SECOND + SECOND,
    "identifiers": f"{CANARY}@voorbeeld.nl;2021;P1;700;D\n",
    "too many broken rows": f"{CANARY};2021;P9;700;D\n",
    "no rows": "",
    "an amount beyond all ledgers": "".join(f"{CANARY}{n};2021;P1;{'9' * 18};D\n" for n in (1, 2)),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_refused_delivery_leaves_the_last_good_state(house: House, fault: str) -> None:
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    house.deliver("bills_2021.csv", BAD[fault])
    told = house.fails(DeliveryError, "bills")
    assert "99999" not in told and house.leftovers() == []
    assert len(landed(house.project.landing, "bills")) == 1  # it will be judged again, and not be staged later
    house.deliver("bills_2021.csv", SECOND)
    house.run()
    assert house.bills() == ["b1"]


def test_a_refused_file_does_not_hold_up_the_others(house: House) -> None:
    house.deliver("bills_2019.csv", BAD["a cut row"])
    house.deliver("bills_2020.csv", BAD["no rows"])
    house.deliver("bills_2021.csv", FIRST)
    with pytest.raises(DeliveryError, match="1 more files are refused") as caught:
        house.run()
    assert str(caught.value).count("\n") == 2 and house.bills() == ["a1", "a2"]


def test_a_name_without_a_period_is_refused(house: House) -> None:
    house.deliver("bills_new.csv", FIRST)
    with pytest.raises(DeliveryError, match="holds no period"):
        house.run()


# The warehouse is a cache of the landing area.


@pytest.mark.parametrize("damage", ["deleted", "emptied", "cut", "overwritten", "head flipped", "middle flipped"])
def test_a_lost_warehouse_is_rebuilt_from_the_landing(
    house: House, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    house.deliver("bills_2020.csv", FIRST)
    house.deliver("bills_2021.csv", FIRST.replace("a", "z"))
    house.run()
    house.deliver("bills_2021.v2.csv", SECOND)
    house.run()
    shutil.rmtree(house.folder / "deliveries")  # the landing is enough
    before, file = house.state(), house.project.warehouse
    content = file.read_bytes()
    damaged = {
        "emptied": b"",
        "cut": content[: len(content) // 3],
        "overwritten": b"<html>" * 5000,
        "head flipped": content[:4100] + bytes(64) + content[4164:],
        "middle flipped": content[:12288] + bytes(255 - b for b in content[12288:]),
    }
    file.unlink() if damage == "deleted" else file.write_bytes(damaged[damage])
    house.run()
    assert house.state() == before
    assert damage == "deleted" or "rebuilt from the landing area" in caplog.text


def test_damage_that_shows_only_when_rows_are_read_is_told_and_mended_by_the_next_run(house: House) -> None:
    ids = (hashlib.md5(str(n).encode()).hexdigest() for n in range(40_000))
    house.deliver("bills_2021.csv", "".join(f"{key};2021;P1;1;D\n" for key in ids))
    house.run()
    before, file = len(house.bills()), house.project.warehouse
    storage = """pragma_storage_info('delivery."bills rows"')"""
    blocks = house.ask(f"select block_id from {storage} where column_name = 'bill_id'")
    with file.open("r+b") as stream:
        stream.seek(3 * 4096 + 262_144 * max(block for (block,) in blocks) + 1000)
        stream.write(b"damage")
    with pytest.raises(ProjectError, match="run again"):
        house.bills()
    assert not file.exists()
    house.run()
    assert len(house.bills()) == before


def test_a_delivery_without_its_note_is_taken_again(house: House) -> None:
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    before = house.state()
    next((house.project.landing / "bills").glob("*.json")).unlink()
    assert house.run().accepted == 1 and house.state() == before


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_landing_that_lost_a_delivery_stops_the_rebuilding(house: House, damage: str) -> None:
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    house.project.warehouse.unlink()
    file = next((house.project.landing / "bills").glob("*.csv"))
    file.unlink() if damage == "gone" else file.write_text(HEADER + SECOND)
    with pytest.raises(ProjectError, match="accepted delivery") as caught:
        house.run()
    assert caught.value.exit_code == 12


# What is not copied: the rows of a Parquet file.

FORMS = pytest.mark.parametrize("form", ["csv", "parquet"])


def test_a_parquet_file_gives_what_the_same_text_gives_and_is_not_copied(tmp_path: Path) -> None:
    states = []
    for suffix in ("csv", "parquet"):
        house = House(tmp_path / suffix)
        house.write("contracts/bills.yaml", BY_YEAR)
        house.deliver(f"old.{suffix}", FIRST + "a3;2020;P1;100;D\na4;2019;P9;500;D\n")
        house.run()
        house.deliver(f"new.{suffix}", SECOND)
        house.run()
        states.append((*house.ask("from stg.bills order by all"), *house.state()[1], house.bills()))
    assert states[0] == states[1] and house.bills() == ["a3", "b1"]
    assert house.ask('select count(*) from delivery."bills rows"') == [(0,)]


def test_text_and_parquet_replace_each_other(house: House) -> None:
    house.deliver("bills_2021.parquet", FIRST)
    house.deliver("bills_2020.csv", "z1;2020;P1;1;D\n")
    house.run()
    assert house.bills() == ["a1", "a2", "z1"]
    house.deliver("bills_2021.csv", SECOND)
    house.deliver("bills_2020.parquet", "y1;2020;P1;1;D\n")
    house.run()
    assert house.bills() == ["b1", "y1"]
    views = "select count(*) from information_schema.tables where table_schema = 'delivery'"
    assert house.ask(views) == [(4,)]  # what is delivered, the rows of text, a file and its broken lines


def test_a_work_folder_that_was_moved_still_shows_its_files(house: House) -> None:
    house.deliver("bills_2021.parquet", FIRST)
    house.run()
    moved = House(house.folder.with_name("moved"))
    shutil.rmtree(moved.folder)
    house.folder.rename(moved.folder)
    assert moved.bills() == ["a1", "a2"]


def test_a_file_whose_delivery_was_taken_back_is_staged_no_more(house: House) -> None:
    house.deliver("bills_2020.parquet", "z1;2020;P1;1;D\n")
    house.deliver("bills_2021.parquet", FIRST)
    house.run()
    for file in (house.project.landing / "bills").glob(landed(house.project.landing, "bills")[0].sha256 + "*"):
        file.unlink()
    (house.folder / "deliveries" / "bills" / "bills_2020.parquet").unlink()
    house.run()
    assert house.bills() == ["a1", "a2"]
    assert house.ask("select distinct period from meta.ledger") == [(2021,)]


def test_a_file_that_is_gone_without_being_taken_back_stops_the_run(house: House) -> None:
    house.deliver("bills_2021.parquet", FIRST)
    house.run()
    next((house.project.landing / "bills").glob("*.parquet")).unlink()
    with pytest.raises(ProjectError, match="accepted delivery is gone"):
        house.run()


@FORMS
@pytest.mark.parametrize("names", [("bills_2020", "bills_2021"), ("bills_2021_aa", "bills_2021_bb")])
def test_the_bytes_of_another_year_or_supplier_are_refused(house: House, form: str, names: tuple[str, str]) -> None:
    house.deliver(f"{names[0]}.{form}", FIRST)
    house.deliver(f"{names[1]}.{form}", SECOND)
    house.run()
    before = house.state()
    house.deliver(f"{names[1]}.{form}", FIRST)
    with pytest.raises(DeliveryError, match="has the same bytes as"):
        house.run()
    assert house.state() == before
    house.deliver(f"{names[1]}.{form}", FIRST.replace("a", "c"))
    house.run()
    assert house.bills() == ["a1", "a2", "c1", "c2"]


def test_a_flipped_bit_of_an_accepted_file_is_noticed(house: House) -> None:
    path = house.deliver("bills_2021.parquet", FIRST)
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False, "write_page_checksum": True}
    pq.write_table(pq.read_table(path), path, **plain)
    house.run()
    (kept,) = (house.project.landing / "bills").glob("*.parquet")
    damaged = bytearray(kept.read_bytes())
    damaged[damaged.find(b"1050")] = ord("9")
    kept.write_bytes(damaged)
    with pytest.raises(ProjectError, match="damaged"):
        house.run()


def test_another_file_in_the_place_of_an_accepted_one_is_noticed(house: House) -> None:
    house.deliver("bills_2021.parquet", FIRST)
    house.run()
    (kept,) = (house.project.landing / "bills").glob("*.parquet")
    pd.read_parquet(kept).assign(cents="999999").to_parquet(kept)
    with pytest.raises(ProjectError, match="damaged"):
        house.run()


@FORMS
def test_a_delivery_taken_back_counts_no_more_where_no_other_was_before(house: House, form: str) -> None:
    house.write("contracts/bills.yaml", BY_YEAR)
    house.deliver(f"one.{form}", "a1;2020;P1;1;D\na2;2021;P1;1;D\n")
    house.run()
    wrong = house.deliver(f"two.{form}", "b;2021;P1;1;D\nc;2022;P1;1;D\n")
    house.run()
    last = landed(house.project.landing, "bills")[-1]
    for file in (house.project.landing / "bills").glob(f"{last.sha256}*"):
        file.unlink()
    wrong.unlink()
    house.run()
    assert house.bills() == ["a1", "a2"]


# Content that changes.

CHANGES = {
    "contract": ("contracts/bills.yaml", CONTRACT.replace("place, type: text", "place, type: text, nullable: true")),
    "SQL": ("sql/staging/bills.sql", STAGING.replace("    bill_id,\n", "    bill_id,\n    sign,\n")),
    "code list": ("reference/codes/places.csv", "code,region\nP1,west\nP2,south\n"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_staged_under_other_content_is_staged_again(house: House, what: str) -> None:
    house.deliver("bills_2020.csv", "z1;2020;P1;1;D\n")
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    contents = set(house.ask("select fingerprint from meta.staged"))
    house.write(*CHANGES[what])
    house.run([2021])  # the other period may not be lost, nor stay as it was
    assert house.bills() == ["a1", "a2", "z1"]
    assert not contents & set(house.ask("select fingerprint from meta.staged"))
    if what == "code list":
        assert house.ask("select distinct region from stg.bills order by 1") == [("south",), ("west",)]


def test_content_that_does_not_fit_what_was_delivered_leaves_the_last_good_state(house: House) -> None:
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    house.write("contracts/bills.yaml", CONTRACT.replace("codes: [D, C]", "codes: [X, Y]"))
    house.fails(DeliveryError, "sign.code")
    house.write("contracts/bills.yaml", CONTRACT)
    house.write("sql/staging/bills.sql", STAGING.replace("places.region", "places.no_such"))
    assert "sql/staging/bills.sql" in house.fails(ContentError, "where")
    house.write("contracts/bills.yaml", CONTRACT.replace("codes: [D, C]", "codes: [X, Y]"))
    house.write("sql/staging/bills.sql", STAGING)
    house.deliver("bills_2021.csv", SECOND.replace(";D", ";X"))
    house.run()  # the old delivery does not fit, but the new one takes its place
    assert house.bills() == ["b1"]


# Machines that fail.


@pytest.mark.parametrize(
    "call", ["landing.os.fsync", "landing.os.replace", "landing.write_synced", "landing.sync_folder"]
)
def test_a_full_disk_leaves_the_last_good_state(house: House, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    house.deliver("bills_2021.csv", SECOND)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"triple_aim.deliveries.{call}", full)
        told = house.fails(ProjectError, "No space left on device")
        assert "the staged data are unchanged" in told
    house.run()
    assert house.bills() == ["b1"] and house.leftovers() == []


RUN = f"""
import os, resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
import importlib.util
spec = importlib.util.spec_from_file_location("house", {__file__!r})
house = importlib.util.module_from_spec(spec)
sys.modules["house"] = house
spec.loader.exec_module(house)
import triple_aim.deliveries.ingest, triple_aim.deliveries.landing, triple_aim.deliveries.validation
"""
#: What is called when the process dies.
MOMENTS = {
    "when it has copied": "triple_aim.deliveries.landing.os.fsync",
    "while it judges": "triple_aim.deliveries.validation.find_identifiers",
    "when it has staged": "triple_aim.deliveries.ingest.accept",
    "between the file and its note": "triple_aim.deliveries.landing.write_synced",
    "when it has accepted": "triple_aim.deliveries.landing.sync_folder",
}


@pytest.fixture(scope="module")
def clean_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    house = House(tmp_path_factory.mktemp("clean"))
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    house.deliver("bills_2021.csv", SECOND)
    house.run()
    return house.state()


def test_a_run_killed_at_any_moment_is_made_good_by_the_next(
    tmp_path: Path, clean_run: tuple[Any, ...], subtests: pytest.Subtests
) -> None:
    running = {}
    for moment, call in MOMENTS.items():
        house = House(tmp_path / moment)
        house.deliver("bills_2021.csv", FIRST)
        house.run()
        house.deliver("bills_2021.csv", SECOND)
        script = f"{RUN}\n{call} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        script += f"house.House(house.Path({str(tmp_path / moment)!r})).run()\n"
        running[moment] = house, subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)
    for moment, (house, process) in running.items():
        with subtests.test(moment):
            _, errors = process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL, errors.decode()[-500:]
            assert house.bills() == ["a1", "a2"]  # nothing of it shows
            house.run()
            assert house.state() == clean_run and house.leftovers() == []


def test_an_engine_that_may_write_no_further_leaves_the_last_good_state(house: House) -> None:
    house.deliver("bills_2021.csv", FIRST)
    house.run()
    before = house.state()
    ids = [hashlib.md5(str(n).encode()).hexdigest() for n in range(60_000)]
    house.deliver("bills_2021.csv", "".join(f"{key};2021;P1;1;D\n" for key in ids))
    limit = house.project.warehouse.stat().st_size + 50_000
    script = f"""{RUN}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
stage = triple_aim.deliveries.ingest.stage
def limited(*a):
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
    stage(*a)
triple_aim.deliveries.ingest.stage = limited
try:
    house.House(house.Path({str(house.folder)!r})).run()
except house.ProjectError as error:
    print(error, error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "the disk or the memory is full" in done.stdout and done.stdout.endswith("12\n"), done.stderr[-500:]
    assert house.state() == before
    house.run()
    assert len(house.bills()) == 60_000
