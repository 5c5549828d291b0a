"""Is a file that breaks its contract refused by rule and count, and are tolerable rows set aside one by one?"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triple_aim.definitions.contracts import Contract
from triple_aim.definitions.settings import Project, Settings
from triple_aim.definitions.yaml_reader import read_model
from triple_aim.deliveries.extract import Extract
from triple_aim.deliveries.validation import CHECKED, check_delivery
from triple_aim.errors import ContentError, DeliveryError
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.sql_files import Query

NO_QUERY = cast(Query, None)  # a check uses no staging SQL
CANARY = "kanarie7391"
CONTRACT = """
extract: visits
version: 1.0.0
title: {nl: x, en: x}
meaning: {nl: x, en: x}
grain: one row per visit
level: person
supplier: x
licence: x
files:
  - {pattern: "visits/*_comma.csv", format: {type: csv, decimal: ","}}
  - {pattern: "visits/*.csv", format: {type: csv}}
  - {pattern: "visits/*.parquet", format: {type: parquet}}
period: {file_name: 'visits_(?P<period>[0-9]{4})'}
key: [visit_id]
set_aside: {max_share: 0.25}
ledger: null
rules:
  - {id: ends_after_it_begins, kind: not_before, column: last_day, other: first_day}
  - {id: corrects_a_known_visit, kind: refers_to, column: corrects, other: visit_id}
columns:
  - {name: visit_id, type: text, role: key, meaning: {nl: x, en: x}}
  - {name: place, type: text, role: dimension, source: [Gemeentecode], listed_in: places.code, meaning: {nl: x, en: x}}
  - {name: kind, type: code, role: dimension, codes: {"01": x, "02": x}, meaning: {nl: x, en: x}}
  - {name: first_day, type: date, role: attribute, meaning: {nl: x, en: x}}
  - {name: last_day, type: date, role: attribute, nullable: true, missing: ["-"], meaning: {nl: x, en: x}}
  - {name: n, type: integer, role: measure, range: {min: 0, max: 100}, meaning: {nl: x, en: x}}
  - {name: eur, type: decimal, role: measure, meaning: {nl: x, en: x}}
  - {name: weight, type: number, role: measure, nullable: true, meaning: {nl: x, en: x}}
  - {name: corrects, type: text, role: attribute, nullable: true, pattern: "[a-z][0-9]+", meaning: {nl: x, en: x}}
  - {name: since_2022, type: text, role: attribute, nullable: true, present: {min: 2022}, meaning: {nl: x, en: x}}
"""
HEADER = "visit_id;gemeentecode;kind;first_day;last_day;n;eur;weight;corrects"
GOOD: dict[str, str] = {
    "visit_id": "v1",
    "gemeentecode": "GM0034",
    "kind": "01",
    "first_day": "2021-02-28",
    "last_day": "-",
    "n": "12",
    "eur": "-1.5",
    "weight": "0.25",
    "corrects": "",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("validation")


@pytest.fixture(scope="module")
def contract(folder: Path) -> Contract:
    (folder / "visits.yaml").write_text(CONTRACT)
    return read_model(folder / "visits.yaml", Contract)


@pytest.fixture(scope="module")
def warehouse(folder: Path) -> Iterator[Warehouse]:
    with open_warehouse(None, reach=[folder]) as warehouse:
        warehouse.create("ref.places", pd.DataFrame({"code": ["GM0034", "GM0363"]}))
        yield warehouse


class Checker:
    """Checks files against one contract."""

    def __init__(self, warehouse: Warehouse, contract: Contract, folder: Path) -> None:
        self.warehouse, self.folder = warehouse, folder
        settings = Settings.model_construct(deliveries=folder, work=folder, publication=folder)
        project = Project(root=folder, config=folder / "monitor.toml", settings=settings)
        self.extract = Extract(warehouse, project, contract, NO_QUERY)

    def check(self, text: str | bytes, name: str = "visits_2021.csv") -> list[int]:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return check_delivery(self.extract, f"visits/{name}", path, "abc").periods

    def refusal(self, text: str | bytes, name: str = "visits_2021.csv") -> str:
        with pytest.raises(DeliveryError) as caught:
            self.check(text, name)
        message = str(caught.value)
        assert caught.value.exit_code == 11 and message.count("\n") == 2 and CANARY not in message
        assert f"visits/{name}" in message
        return message

    def rows(self, what: str) -> list[tuple[Any, ...]]:
        return self.warehouse.rows(f"select {what} from {CHECKED} order by line_number")


@pytest.fixture
def checker(warehouse: Warehouse, contract: Contract, folder: Path) -> Checker:
    return Checker(warehouse, contract, folder)


def table(*rows: dict[str, str], header: str = HEADER) -> str:
    lines = [{**GOOD, "visit_id": f"v{i}", **row} for i, row in enumerate(rows, 1)]
    return "\n".join([header, *(";".join(line.values()) for line in lines)]) + "\n"


def test_good_rows_have_the_types_of_the_contract(checker: Checker) -> None:
    assert checker.check(table({}, {"last_day": "2021-03-01", "weight": "1e-3", "corrects": "v1"})) == [2021]
    first = ("v1", "GM0034", "01", datetime.date(2021, 2, 28), None, 12, Decimal("-1.50"), 0.25, None, None)
    assert checker.rows("* exclude (line_number, period, supplier, broken_rule)")[0] == first
    assert checker.rows("line_number, last_day, weight, corrects, broken_rule, period")[1] == (
        3, datetime.date(2021, 3, 1), 0.001, "v1", None, 2021,
    )  # fmt: skip
    assert not (checker.folder / "quarantine").exists()


BROKEN = {
    "dates day first": ({"first_day": "28-02-2021"}, "first_day.type"),
    "a date that does not exist": ({"first_day": "2023-02-29"}, "first_day.type"),
    "an Excel date": ({"first_day": "44255"}, "first_day.type"),
    "a date before another": ({"last_day": "2021-02-27"}, "ends_after_it_begins"),
    "a required value that is blank": ({"visit_id": "  "}, "visit_id.required"),
    "a decimal comma": ({"eur": "1,50"}, "eur.type"),
    "an amount with three decimals": ({"eur": "1.234"}, "eur.type"),
    "a count with a thousands separator": ({"n": "1.000"}, "n.type"),
    "a fraction of a person": ({"n": "1.5"}, "n.type"),
    "fewer than five": ({"n": "<5"}, "n.type"),
    "n.b.": ({"n": "n.b."}, "n.type"),
    "not a number": ({"weight": "NaN"}, "weight.type"),
    "infinity": ({"weight": "inf"}, "weight.type"),
    "a number out of range of a double": ({"weight": "1e999"}, "weight.type"),
    "a count too large for an integer": ({"n": "9" * 19}, "n.type"),
    "an amount too large for a decimal": ({"eur": "9" * 17}, "eur.type"),
    "a count below the range": ({"n": "-1"}, "n.range"),
    "a count above the range": ({"n": "101"}, "n.range"),
    "a code without its zero": ({"kind": "1"}, "kind.code"),
    "a code that Excel made a number": ({"kind": "1E+00"}, "kind.code"),
    "a code that Excel made a date": ({"corrects": "SEP-1"}, "corrects.pattern"),
    "a municipality without its zeros": ({"gemeentecode": "34"}, "place.unlisted"),
    "an unknown municipality": ({"gemeentecode": "GM9999"}, "place.unlisted"),
    "a correction of an unknown visit": ({"corrects": "v99"}, "corrects_a_known_visit"),
    "SQL in a code": ({"gemeentecode": "' or 1 = 1 --"}, "place.unlisted"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_row_is_set_aside_within_the_tolerance_and_refused_above_it(checker: Checker, fault: str) -> None:
    row, rule = BROKEN[fault]
    checker.check(table({}, {}, {}, row))
    assert [broken for (broken,) in checker.rows("broken_rule")] == [None, None, None, rule]
    set_aside = pd.read_parquet(checker.folder / "quarantine" / "visits" / "abc.parquet")
    assert list(set_aside["broken_rule"]) == [rule] and list(set_aside["line_number"]) == [5]
    assert next(iter(row.values())).strip() in [str(value).strip() for value in set_aside.iloc[0]]
    message = checker.refusal(table({}, {}, row))
    assert f"1 of 3 rows break a rule ({rule} 1)" in message and "at most 25.0%" in message


def test_set_aside_rows_of_an_older_contract_are_deleted(checker: Checker) -> None:
    checker.check(table({}, {}, {}, {"n": "x"}))
    assert (checker.folder / "quarantine" / "visits" / "abc.parquet").stat().st_mode & 0o077 == 0
    checker.check(table({}))
    assert not (checker.folder / "quarantine" / "visits" / "abc.parquet").exists()


HEADERS = {
    "renamed": (HEADER.replace("eur", "euro"), "missing: eur; not expected: euro"),
    "dropped": (HEADER.replace(";corrects", ";"), "missing: corrects"),
    "added": (HEADER + ";remark", "not expected: remark"),
    "too early": (HEADER + ";since_2022", "not expected in this period: since_2022"),
    "two names for one": (HEADER + ";place", "several headers fit the column place"),
    "a terminal's escape": (HEADER + ";\x1b[31mred", "not expected: ?"),
    "a person's number": (HEADER + ";123456782", "not expected: column 10"),
}


@pytest.mark.parametrize("fault", HEADERS)
def test_a_header_that_differs_from_the_contract_is_refused(checker: Checker, fault: str) -> None:
    header, word = HEADERS[fault]
    row = ";".join(GOOD.values()) + ";x" * (header.count(";") - HEADER.count(";"))
    message = checker.refusal(f"{header}\n{row}\n")
    assert word in message and "\x1b" not in message and "123456782" not in message


def test_the_first_line_of_a_file_without_header_is_not_quoted(checker: Checker) -> None:
    row = table({"visit_id": CANARY}).splitlines()[1]
    message = checker.refusal(f"{row}\n{row}\n")
    assert "not a header" in message and not any(value in message for value in GOOD.values() if len(value) > 3)


def test_case_order_and_blanks_of_headers_do_not_matter(checker: Checker) -> None:
    names = [f"  {name.upper()} " for name in reversed(HEADER.split(";"))]
    checker.check(";".join(names) + "\n" + ";".join(reversed(GOOD.values())) + "\n")
    assert checker.rows("visit_id, n, broken_rule") == [("v1", 12, None)]


def test_a_column_of_later_years_is_required_then_and_null_before(checker: Checker) -> None:
    assert "missing: since_2022" in checker.refusal(table({}), "visits_2022.csv")
    checker.check(table({"x": "y"}, header=HEADER + ";since_2022"), "visits_2022.csv")
    assert checker.rows("since_2022") == [("y",)]


@pytest.mark.parametrize("text", [HEADER + "\n", HEADER, HEADER + "\n\n\n"])
def test_a_delivery_without_a_row_is_refused(checker: Checker, text: str) -> None:
    assert "no row of any period" in checker.refusal(text)


def test_a_key_that_occurs_twice_is_refused_by_count(checker: Checker) -> None:
    message = checker.refusal(table({"visit_id": CANARY}, {"visit_id": CANARY}, {}))
    assert "1 keys (visit_id) occur more than once" in message


def test_decimals_are_read_only_with_the_mark_of_the_format(checker: Checker) -> None:
    checker.check(table({"eur": "1234,5", "weight": "0,5", "n": "7,0"}), "visits_2021_comma.csv")
    assert checker.rows("eur, weight, n, broken_rule") == [(Decimal("1234.50"), 0.5, 7, None)]
    message = checker.refusal(table({"eur": "1.234,50", "weight": "0,5"}), "visits_2021_comma.csv")
    assert "eur.type 1" in message


def test_direct_identifiers_are_refused(checker: Checker) -> None:
    message = checker.refusal(table({"visit_id": f"{CANARY}@voorbeeld.nl"}))
    assert "column visit_id contains e-mail addresses" in message


def test_types_of_parquet_give_the_same_values_as_text(checker: Checker) -> None:
    day = pd.to_datetime(["2021-02-28", "2021-03-01"])
    frame = pd.DataFrame({"visit_id": [1.0, 2.0], "place": ["GM0034 ", "GM0363"], "kind": ["01", "02"]})
    frame = frame.assign(first_day=day, last_day=[None, day[1].date()], n=[3, 4], eur=[0.1, 0.25])
    frame = frame.assign(weight=[1 / 3, None], corrects=[None, "v1"])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink)
    with pytest.raises(DeliveryError, match="corrects_a_known_visit 1"):
        checker.check(bytes(sink.getvalue()), "visits_2021.parquet")
    assert checker.rows("visit_id, place, first_day, last_day, n, eur, weight")[1] == (
        "2", "GM0363", datetime.date(2021, 3, 1), datetime.date(2021, 3, 1), 4, Decimal("0.25"), None,
    )  # fmt: skip
    assert checker.rows("visit_id, weight, broken_rule")[0] == ("1", 1 / 3, None)


def test_typed_columns_follow_the_same_rules_as_text(checker: Checker) -> None:
    last = (datetime.date(9999, 12, 31) - datetime.date(1970, 1, 1)).days
    columns = {
        "visit_id": [f"v{i}" for i in range(1, 9)],
        "place": ["GM0034"] * 8,
        "kind": ["01"] * 8,
        "first_day": pa.array([0, 1, last, last + 1, None, 0, 0, 0], pa.int32()).cast(pa.date32()),
        "last_day": pa.array([None] * 8, pa.string()),
        "n": pa.array([1, 2, 3, 4, 5, None, 2**31 - 1, 8], pa.int32()),
        "eur": pa.array([1, 2, 3, 4, 5, 6, 7, 10**15], pa.int64()),
        "weight": pa.array([0.5, float("nan"), float("inf"), 1e15, None, 1.0, 1.0, -1e14], pa.float64()),
        "corrects": pa.array([None] * 8, pa.string()),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    with pytest.raises(DeliveryError, match="7 of 8 rows break a rule"):
        checker.check(bytes(sink.getvalue()), "visits_2021.parquet")
    assert checker.rows("broken_rule") == [
        (None,), ("weight.type",), ("weight.type",), ("first_day.type",),
        ("first_day.required",), ("n.required",), ("n.range",), ("eur.type",),
    ]  # fmt: skip
    assert checker.rows("first_day, n, eur, weight")[0] == (datetime.date(1970, 1, 1), 1, Decimal(1), 0.5)


def test_a_missing_code_list_is_an_error_of_the_contract(checker: Checker, contract: Contract) -> None:
    columns = [c.model_copy(update={"listed_in": "nowhere.code"} if c.listed_in else {}) for c in contract.columns]
    other = Checker(checker.warehouse, contract.model_copy(update={"columns": columns}), checker.folder)
    with pytest.raises(ContentError, match=r"nowhere\.code, which does not exist"):
        other.check(table({}))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("n", pa.array([-128], pa.int8())),
        ("n", pa.array([-(2**31)], pa.int32())),
        ("n", pa.array([-(2**63)], pa.int64())),
        ("eur", pa.array([-(2**63)], pa.int64())),
        ("first_day", pa.array([2**31 - 1], pa.int32()).cast(pa.date32())),  # the infinity of the engine
        ("first_day", pa.array([-800_000], pa.int32()).cast(pa.date32())),
    ],
)
def test_the_extreme_values_of_a_type_are_checked(checker: Checker, column: str, values: pa.Array) -> None:
    with pytest.raises(DeliveryError, match=rf"1 of 1 rows break a rule \({column}\.(range|type) 1\)"):
        checker.check(parquet(**{column: values}), "visits_2021.parquet")


def test_nan_is_found_although_the_statistics_of_the_file_omit_it(checker: Checker) -> None:
    weights = pa.array([0.5, float("nan"), 1.0, 1.0], pa.float64())
    checker.check(parquet(weight=weights), "visits_2021.parquet")
    assert checker.rows("weight, broken_rule") == [(0.5, None), (None, "weight.type"), (1.0, None), (1.0, None)]


def test_a_number_is_checked_although_the_statistics_of_the_file_exclude_it(checker: Checker) -> None:
    written = bytearray(parquet(n=pa.array(range(40), pa.int64()), plain=True))
    place = bytes(written).find((20).to_bytes(8, "little") + (21).to_bytes(8, "little"))
    written[place + 2] ^= 0x20
    checker.check(bytes(written), "visits_2021.parquet")
    assert checker.rows("n, broken_rule")[20] == (20 + (0x20 << 16), "n.range")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([["v1"]]), "columns 1 contain lists, records or bytes"),
        (pa.StringArray.from_buffers(1, *pa.array([b"v\xff"], pa.binary()).buffers()[1:]), "a value cannot be read"),
    ],
)
def test_values_that_no_text_can_contain_are_refused_with_the_name_of_the_file(
    checker: Checker, values: pa.Array, message: str
) -> None:
    assert message in checker.refusal(parquet(visit_id=values), "visits_2021.parquet")


def test_a_number_with_zero_decimals_can_be_a_bsn(checker: Checker) -> None:
    keys = [number for number in range(100_000_000, 100_000_600) if is_bsn(number)]
    exported = pa.array([Decimal(number) for number in keys], pa.decimal128(38, 10))
    assert "pass the BSN test" in checker.refusal(parquet(visit_id=exported), "visits_2021.parquet")


def test_the_name_of_a_folder_is_not_a_column(checker: Checker) -> None:
    checker.folder = checker.folder / "n=99"
    checker.folder.mkdir()
    checker.check(parquet(), "visits_2021.parquet")
    assert checker.rows("n") == [(12,)]


def is_bsn(number: int) -> bool:
    return sum(w * int(d) for w, d in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), str(number), strict=True)) % 11 == 0


def parquet(plain: bool = False, **changed: pa.Array) -> bytes:
    """Good rows, as many as a changed column has, in the types of a database."""
    count = max((len(values) for values in changed.values()), default=1)
    columns = {name: pa.array([value or None] * count, pa.string()) for name, value in GOOD.items()}
    columns |= {"visit_id": pa.array([f"v{i}" for i in range(count)]), "n": pa.array([12] * count, pa.int64())}
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(columns | changed), sink, use_dictionary=not plain, compression="none" if plain else "snappy"
    )
    return bytes(sink.getvalue())
