"""From a folder of files to stg: is each delivery staged once and completely, and does a failure change nothing?"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.forks import Forks, forks_of
from triple_aim.definitions.contracts import Contract
from triple_aim.definitions.settings import Project, Settings
from triple_aim.definitions.yaml_reader import read_model
from triple_aim.deliveries.ingest import Ingested, delivered_periods, ingest_extract, staged_inputs
from triple_aim.deliveries.landing import landed_deliveries
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


class Installation:
    """A project with one contract, in its own folder."""

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
        """Write a file that is newer than all before it, unless its time is given."""
        self.clock += 1
        path = self.folder / "deliveries" / "bills" / name
        if path.suffix == ".parquet":
            pd.read_csv(StringIO(HEADER + rows), sep=";", dtype=str).to_parquet(path)
        else:
            path.write_text(HEADER + rows)
        os.utime(path, (modified or self.clock,) * 2)
        return path

    @property
    def contract(self) -> Contract:
        return read_model(self.project.contracts / "bills.yaml", Contract)

    def delivered_periods(self) -> list[int]:
        return delivered_periods(self.project, [self.contract])

    def run(self, periods: Iterable[int] = YEARS) -> Ingested:
        query = read_query(self.project.sql / "staging" / "bills.sql")
        with open_warehouse(self.project.warehouse, reach=[self.project.landing, self.project.quarantine]) as warehouse:
            load_reference(warehouse, self.project.reference)
            return ingest_extract(warehouse, self.project, self.contract, query, periods)

    def assert_refused(self, error_type: type[TripleAimError], word: str) -> str:
        """Run, and expect an error of three lines that quotes no row and leaves stg, ledger and landing unchanged."""
        before = self.state()
        with pytest.raises(error_type) as caught:
            self.run()
        message = str(caught.value)
        assert word in message and message.count("\n") == 2 and CANARY not in message
        assert self.state() == before
        return message

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_warehouse(self.project.warehouse, reach=[self.project.landing]) as warehouse:
            return warehouse.rows(sql)

    def bills(self) -> list[str]:
        return [bill for (bill,) in self.query("select bill_id from stg.bills order by 1")]

    def state(self) -> tuple[Any, ...]:
        """All that a reader can see: staged rows, their schema, the ledger, and the deliveries behind them."""
        if not self.project.warehouse.exists():
            return ()
        with open_warehouse(self.project.warehouse, reach=[self.project.landing]) as warehouse:
            tables = [
                warehouse.rows(f"select * from {table} order by all") if warehouse.exists(table) else []
                for table in ("stg.bills", "meta.ledger", "meta.staged")
            ]
            schema = warehouse.header("select * from stg.bills") if warehouse.exists("stg.bills") else []
            return (*tables, schema, staged_inputs(warehouse) if tables[2] else {})

    def leftovers(self) -> list[str]:
        """The files in the landing area that are neither deliveries nor notes."""
        paths = (self.project.landing / "bills").glob("*")
        return [path.name for path in paths if path.suffix not in {".json", ".csv"} or path.name.startswith(".")]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_a_delivery_is_staged_and_its_rows_and_euros_are_in_the_ledger(installation: Installation) -> None:
    installation.deliver("bills_2021.csv", FIRST + "a3;2021;P9;30000;C\na4;2021;P1;x;D\n")
    assert installation.run() == Ingested(accepted=1, unchanged=0, staged_periods=(2021,), rows=2, set_aside=2)
    assert installation.bills() == ["a1", "a2"]
    assert installation.query("select stage, reason, row_count, amount_eur from meta.ledger order by all") == [
        ("delivered", "all", 4, Decimal("-290.00")),
        ("set_aside", "cents.type", 1, Decimal("0.00")),
        ("set_aside", "place.unlisted", 1, Decimal("-300.00")),
        ("staged", "all", 2, Decimal("10.00")),
    ]


def test_the_same_bytes_again_change_nothing(installation: Installation) -> None:
    path = installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    before = installation.state()
    assert installation.run().unchanged == 1
    path.touch()
    assert installation.run().unchanged == 1
    shutil.copy(path, path.with_name("bills_2021_copy.csv".replace("_copy", "") + ".csv"))
    installation.deliver("bills_2021.1.csv", FIRST)
    assert installation.run().accepted == 0 and installation.state() == before


def test_a_newer_file_replaces_all_rows_of_its_period(installation: Installation) -> None:
    installation.deliver("bills_2020.csv", "z1;2020;P1;1;D\n")
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    installation.deliver("bills_2021.v2.csv", SECOND)
    assert installation.run().accepted == 1 and installation.bills() == ["b1", "z1"]
    assert installation.query(
        "select distinct period, row_count from meta.ledger where stage = 'staged' order by 1"
    ) == [
        (2020, 1),
        (2021, 1),
    ]


def test_a_file_that_returns_to_its_old_content_is_staged_again(installation: Installation) -> None:
    path = installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    old = path.stat().st_mtime
    installation.deliver("bills_2021.csv", SECOND)
    installation.run()
    installation.deliver("bills_2021.csv", FIRST, modified=int(old))
    assert installation.run().accepted == 1 and installation.bills() == ["a1", "a2"]
    assert installation.run().unchanged == 1 and installation.bills() == ["a1", "a2"]


def test_two_suppliers_of_one_period_are_both_staged(installation: Installation) -> None:
    installation.deliver("bills_2021_cz.csv", FIRST)
    installation.deliver("bills_2021_vgz.csv", FIRST.replace("a", "c"))
    installation.run()
    installation.deliver("bills_2021_cz.csv", SECOND)
    installation.run()
    assert installation.query("select supplier, bill_id from stg.bills order by all") == [
        ("cz", "b1"), ("vgz", "c1"), ("vgz", "c2"),
    ]  # fmt: skip


def test_periods_of_a_column_are_replaced_separately(installation: Installation) -> None:
    installation.write("contracts/bills.yaml", BY_YEAR)
    installation.deliver("old.csv", FIRST + "a3;2020;P1;100;D\na4;2019;P9;500;D\na5;;P9;200;D\n")
    assert installation.delivered_periods()[0] == 2006
    assert installation.run().staged_periods == (2020, 2021)
    ledger = "select stage, sum(row_count), sum(amount_eur) from meta.ledger group by all order by 1"
    assert installation.query(ledger) == [
        ("delivered", 5, Decimal("18.00")),
        ("set_aside", 2, Decimal("7.00")),  # one of a year without a good row, one without a year
        ("staged", 3, Decimal("11.00")),
    ]
    assert installation.delivered_periods() == [2020, 2021]
    installation.deliver("new.csv", SECOND)
    installation.run()
    assert installation.bills() == ["a3", "b1"]


def test_only_the_requested_periods_are_staged(installation: Installation) -> None:
    installation.deliver("bills_2020.csv", "z1;2020;P1;1;D\n")
    installation.deliver("bills_2021.csv", FIRST)
    assert installation.run([2021]) == Ingested(1, 0, (2021,), 2, 0)
    assert installation.bills() == ["a1", "a2"]


def test_an_extract_without_a_delivery_is_an_empty_table(installation: Installation) -> None:
    assert installation.run() == Ingested(0, 0, (), 0, 0) and installation.bills() == []
    installation.write("sql/staging/bills.sql", STAGING.replace("    bill_id,\n", "    bill_id,\n    sign,\n"))
    installation.run()
    assert "sign" in dict(installation.state()[3])


BAD = {
    "an incomplete row": "b1;2021;P1;7\n",
    "a duplicate key": SECOND + SECOND,
    "identifiers": f"{CANARY}@voorbeeld.nl;2021;P1;700;D\n",
    "too many broken rows": f"{CANARY};2021;P9;700;D\n",
    "no rows": "",
    "an amount too large for the ledger": "".join(f"{CANARY}{n};2021;P1;{'9' * 18};D\n" for n in (1, 2)),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_refused_delivery_leaves_the_last_good_state(installation: Installation, fault: str) -> None:
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    installation.deliver("bills_2021.csv", BAD[fault])
    message = installation.assert_refused(DeliveryError, "bills")
    assert "99999" not in message and installation.leftovers() == []
    assert (
        len(landed_deliveries(installation.project.landing, "bills")) == 1
    )  # it is not landed, so it is checked again
    installation.deliver("bills_2021.csv", SECOND)
    installation.run()
    assert installation.bills() == ["b1"]


def test_a_refused_file_does_not_stop_the_others(installation: Installation) -> None:
    installation.deliver("bills_2019.csv", BAD["an incomplete row"])
    installation.deliver("bills_2020.csv", BAD["no rows"])
    installation.deliver("bills_2021.csv", FIRST)
    with pytest.raises(DeliveryError, match="1 more files are refused") as caught:
        installation.run()
    assert str(caught.value).count("\n") == 2 and installation.bills() == ["a1", "a2"]


def test_a_name_without_a_period_is_refused(installation: Installation) -> None:
    installation.deliver("bills_new.csv", FIRST)
    with pytest.raises(DeliveryError, match="holds no period"):
        installation.run()


# The warehouse is a cache of the landing area.


@pytest.mark.parametrize("damage", ["deleted", "emptied", "cut", "overwritten", "head flipped", "middle flipped"])
def test_a_lost_warehouse_is_rebuilt_from_the_landing(
    installation: Installation, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    installation.deliver("bills_2020.csv", FIRST)
    installation.deliver("bills_2021.csv", FIRST.replace("a", "z"))
    installation.run()
    installation.deliver("bills_2021.v2.csv", SECOND)
    installation.run()
    shutil.rmtree(installation.folder / "deliveries")  # the landing is enough
    before, file = installation.state(), installation.project.warehouse
    content = file.read_bytes()
    damaged = {
        "emptied": b"",
        "cut": content[: len(content) // 3],
        "overwritten": b"<html>" * 5000,
        "head flipped": content[:4100] + bytes(64) + content[4164:],
        "middle flipped": content[:12288] + bytes(255 - b for b in content[12288:]),
    }
    file.unlink() if damage == "deleted" else file.write_bytes(damaged[damage])
    installation.run()
    assert installation.state() == before
    assert damage == "deleted" or "rebuilt from the landing area" in caplog.text


def test_damage_found_while_reading_is_reported_and_repaired_by_the_next_run(installation: Installation) -> None:
    ids = (hashlib.md5(str(n).encode()).hexdigest() for n in range(40_000))
    installation.deliver("bills_2021.csv", "".join(f"{key};2021;P1;1;D\n" for key in ids))
    installation.run()
    before, file = len(installation.bills()), installation.project.warehouse
    storage = """pragma_storage_info('delivery."bills rows"')"""
    blocks = installation.query(f"select block_id from {storage} where column_name = 'bill_id'")
    with file.open("r+b") as stream:
        stream.seek(3 * 4096 + 262_144 * max(block for (block,) in blocks) + 1000)
        stream.write(b"damage")
    with pytest.raises(ProjectError, match="run again"):
        installation.bills()
    assert not file.exists()
    installation.run()
    assert len(installation.bills()) == before


def test_a_delivery_without_its_note_is_accepted_again(installation: Installation) -> None:
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    before = installation.state()
    next((installation.project.landing / "bills").glob("*.json")).unlink()
    assert installation.run().accepted == 1 and installation.state() == before


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_lost_or_changed_delivery_stops_the_rebuild(installation: Installation, damage: str) -> None:
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    installation.project.warehouse.unlink()
    file = next((installation.project.landing / "bills").glob("*.csv"))
    file.unlink() if damage == "missing" else file.write_text(HEADER + SECOND)
    with pytest.raises(ProjectError, match="accepted delivery") as caught:
        installation.run()
    assert caught.value.exit_code == 12


# The rows of a Parquet file are not copied.

FORMS = pytest.mark.parametrize("form", ["csv", "parquet"])


def test_a_parquet_file_gives_the_same_rows_as_text_and_is_not_copied(tmp_path: Path) -> None:
    states = []
    for suffix in ("csv", "parquet"):
        installation = Installation(tmp_path / suffix)
        installation.write("contracts/bills.yaml", BY_YEAR)
        installation.deliver(f"old.{suffix}", FIRST + "a3;2020;P1;100;D\na4;2019;P9;500;D\n")
        installation.run()
        installation.deliver(f"new.{suffix}", SECOND)
        installation.run()
        states.append(
            (*installation.query("from stg.bills order by all"), *installation.state()[1], installation.bills())
        )
    assert states[0] == states[1] and installation.bills() == ["a3", "b1"]
    assert installation.query('select count(*) from delivery."bills rows"') == [(0,)]


def test_text_and_parquet_replace_each_other(installation: Installation) -> None:
    installation.deliver("bills_2021.parquet", FIRST)
    installation.deliver("bills_2020.csv", "z1;2020;P1;1;D\n")
    installation.run()
    assert installation.bills() == ["a1", "a2", "z1"]
    installation.deliver("bills_2021.csv", SECOND)
    installation.deliver("bills_2020.parquet", "y1;2020;P1;1;D\n")
    installation.run()
    assert installation.bills() == ["b1", "y1"]
    views = "select count(*) from information_schema.tables where table_schema = 'delivery'"
    assert installation.query(views) == [(4,)]  # delivered rows, rows from text, a file and its broken lines


def test_a_work_folder_can_be_moved(installation: Installation) -> None:
    installation.deliver("bills_2021.parquet", FIRST)
    installation.run()
    moved = Installation(installation.folder.with_name("moved"))
    shutil.rmtree(moved.folder)
    installation.folder.rename(moved.folder)
    assert moved.bills() == ["a1", "a2"]


def test_a_withdrawn_file_is_no_longer_staged(installation: Installation) -> None:
    installation.deliver("bills_2020.parquet", "z1;2020;P1;1;D\n")
    installation.deliver("bills_2021.parquet", FIRST)
    installation.run()
    for file in (installation.project.landing / "bills").glob(
        landed_deliveries(installation.project.landing, "bills")[0].sha256 + "*"
    ):
        file.unlink()
    (installation.folder / "deliveries" / "bills" / "bills_2020.parquet").unlink()
    installation.run()
    assert installation.bills() == ["a1", "a2"]
    assert installation.query("select distinct period from meta.ledger") == [(2021,)]


def test_a_missing_file_that_was_not_withdrawn_stops_the_run(installation: Installation) -> None:
    installation.deliver("bills_2021.parquet", FIRST)
    installation.run()
    next((installation.project.landing / "bills").glob("*.parquet")).unlink()
    with pytest.raises(ProjectError, match="accepted delivery is missing"):
        installation.run()


@FORMS
@pytest.mark.parametrize("names", [("bills_2020", "bills_2021"), ("bills_2021_aa", "bills_2021_bb")])
def test_the_bytes_of_another_year_or_supplier_are_refused(
    installation: Installation, form: str, names: tuple[str, str]
) -> None:
    installation.deliver(f"{names[0]}.{form}", FIRST)
    installation.deliver(f"{names[1]}.{form}", SECOND)
    installation.run()
    before = installation.state()
    installation.deliver(f"{names[1]}.{form}", FIRST)
    with pytest.raises(DeliveryError, match="has the same bytes as"):
        installation.run()
    assert installation.state() == before
    installation.deliver(f"{names[1]}.{form}", FIRST.replace("a", "c"))
    installation.run()
    assert installation.bills() == ["a1", "a2", "c1", "c2"]


def test_a_changed_byte_of_an_accepted_file_is_detected(installation: Installation) -> None:
    path = installation.deliver("bills_2021.parquet", FIRST)
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False, "write_page_checksum": True}
    pq.write_table(pq.read_table(path), path, **plain)
    installation.run()
    (stored,) = (installation.project.landing / "bills").glob("*.parquet")
    damaged = bytearray(stored.read_bytes())
    damaged[damaged.find(b"1050")] = ord("9")
    stored.write_bytes(damaged)
    with pytest.raises(ProjectError, match="damaged"):
        installation.run()


def test_another_file_in_place_of_an_accepted_one_is_detected(installation: Installation) -> None:
    installation.deliver("bills_2021.parquet", FIRST)
    installation.run()
    (stored,) = (installation.project.landing / "bills").glob("*.parquet")
    pd.read_parquet(stored).assign(cents="999999").to_parquet(stored)
    with pytest.raises(ProjectError, match="damaged"):
        installation.run()


@FORMS
def test_a_withdrawn_delivery_is_unstaged_in_all_its_periods(installation: Installation, form: str) -> None:
    installation.write("contracts/bills.yaml", BY_YEAR)
    installation.deliver(f"one.{form}", "a1;2020;P1;1;D\na2;2021;P1;1;D\n")
    installation.run()
    wrong = installation.deliver(f"two.{form}", "b;2021;P1;1;D\nc;2022;P1;1;D\n")
    installation.run()
    last = landed_deliveries(installation.project.landing, "bills")[-1]
    for file in (installation.project.landing / "bills").glob(f"{last.sha256}*"):
        file.unlink()
    wrong.unlink()
    installation.run()
    assert installation.bills() == ["a1", "a2"]


# Changes of contract, SQL and code lists.

CHANGES = {
    "contract": ("contracts/bills.yaml", CONTRACT.replace("place, type: text", "place, type: text, nullable: true")),
    "SQL": ("sql/staging/bills.sql", STAGING.replace("    bill_id,\n", "    bill_id,\n    sign,\n")),
    "code list": ("reference/codes/places.csv", "code,region\nP1,west\nP2,south\n"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_content_stages_everything_again(installation: Installation, what: str) -> None:
    installation.deliver("bills_2020.csv", "z1;2020;P1;1;D\n")
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    fingerprints = set(installation.query("select fingerprint from meta.staged"))
    installation.write(*CHANGES[what])
    installation.run([2021])  # the other period is staged again too
    assert installation.bills() == ["a1", "a2", "z1"]
    assert not fingerprints & set(installation.query("select fingerprint from meta.staged"))
    if what == "code list":
        assert installation.query("select distinct region from stg.bills order by 1") == [("south",), ("west",)]


def test_content_that_does_not_fit_the_deliveries_leaves_the_last_good_state(installation: Installation) -> None:
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    installation.write("contracts/bills.yaml", CONTRACT.replace("codes: [D, C]", "codes: [X, Y]"))
    installation.assert_refused(DeliveryError, "sign.code")
    installation.write("contracts/bills.yaml", CONTRACT)
    installation.write("sql/staging/bills.sql", STAGING.replace("places.region", "places.no_such"))
    assert "sql/staging/bills.sql" in installation.assert_refused(ContentError, "where")
    installation.write("contracts/bills.yaml", CONTRACT.replace("codes: [D, C]", "codes: [X, Y]"))
    installation.write("sql/staging/bills.sql", STAGING)
    installation.deliver("bills_2021.csv", SECOND.replace(";D", ";X"))
    installation.run()  # the old delivery does not fit, but the new one replaces it
    assert installation.bills() == ["b1"]


# Failures of the machine.


@pytest.mark.parametrize(
    "call", ["landing.os.fsync", "landing.os.replace", "landing.write_synced", "landing.sync_folder"]
)
def test_a_full_disk_leaves_the_last_good_state(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    installation.deliver("bills_2021.csv", SECOND)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"triple_aim.deliveries.{call}", full)
        message = installation.assert_refused(ProjectError, "No space left on device")
        assert "the staged data are unchanged" in message
    installation.run()
    assert installation.bills() == ["b1"] and installation.leftovers() == []


IMPORTS = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("ingest_tests", {__file__!r})
ingest_tests = importlib.util.module_from_spec(spec)
sys.modules["ingest_tests"] = ingest_tests
spec.loader.exec_module(ingest_tests)
import triple_aim.deliveries.ingest, triple_aim.deliveries.landing, triple_aim.deliveries.validation
"""
#: The function that is called when the process is killed.
MOMENTS = {
    "after copying": "triple_aim.deliveries.landing.os.fsync",
    "during the check": "triple_aim.deliveries.validation.find_identifiers",
    "after staging": "triple_aim.deliveries.ingest.land_delivery",
    "between the file and its note": "triple_aim.deliveries.landing.write_synced",
    "after landing": "triple_aim.deliveries.landing.sync_folder",
}


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with forks_of(IMPORTS) as forks:
        yield forks


@pytest.fixture(scope="module")
def clean_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    installation = Installation(tmp_path_factory.mktemp("clean"))
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    installation.deliver("bills_2021.csv", SECOND)
    installation.run()
    return installation.state()


def test_a_run_killed_at_any_moment_is_completed_by_the_next(
    tmp_path: Path, clean_run: tuple[Any, ...], forks: Forks, subtests: pytest.Subtests
) -> None:
    for moment, call in MOMENTS.items():
        with subtests.test(moment):
            installation = Installation(tmp_path / moment)
            installation.deliver("bills_2021.csv", FIRST)
            installation.run()
            installation.deliver("bills_2021.csv", SECOND)
            exit_code, printed = forks.run(
                f"import os, signal, ingest_tests, triple_aim\n"
                f"{call} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
                f"ingest_tests.Installation(ingest_tests.Path({str(installation.folder)!r})).run()"
            )
            assert exit_code == -signal.SIGKILL, printed
            assert installation.bills() == ["a1", "a2"]  # nothing of the killed run is visible
            installation.run()
            assert installation.state() == clean_run and installation.leftovers() == []


def test_an_engine_that_cannot_write_leaves_the_last_good_state(installation: Installation, forks: Forks) -> None:
    installation.deliver("bills_2021.csv", FIRST)
    installation.run()
    before = installation.state()
    ids = [hashlib.md5(str(n).encode()).hexdigest() for n in range(60_000)]
    installation.deliver("bills_2021.csv", "".join(f"{key};2021;P1;1;D\n" for key in ids))
    limit = installation.project.warehouse.stat().st_size + 50_000
    _, printed = forks.run(f"""
import resource, signal, ingest_tests, triple_aim
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
stage = triple_aim.deliveries.ingest.stage
def limited(*a):
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
    stage(*a)
triple_aim.deliveries.ingest.stage = limited
try:
    ingest_tests.Installation(ingest_tests.Path({str(installation.folder)!r})).run()
except ingest_tests.ProjectError as error:
    print(error, error.exit_code)
""")
    assert "the disk or the memory is full" in printed and printed.endswith("12\n"), printed[-500:]
    assert installation.state() == before
    installation.run()
    assert len(installation.bills()) == 60_000
