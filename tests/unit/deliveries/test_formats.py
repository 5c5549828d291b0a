"""Is a malformed file refused in three lines that quote nothing of it, and a good file read unchanged?"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from triple_aim.definitions.contracts import CsvFormat, ExcelFormat, Files, ParquetFormat, SpssFormat
from triple_aim.deliveries.formats import LONGEST_LINE, MOST_COLUMNS, RAW, load_raw
from triple_aim.errors import DeliveryError
from triple_aim.warehouse.connection import Warehouse, open_warehouse

CANARY = "kanarie7391"
HEADER = "id;name;amount\n"
ROWS = "".join(f"{n};{CANARY};{n}.50\n" for n in range(1, 2001))
PLAIN = (HEADER + ROWS).encode()
FRAME = pd.DataFrame({"id": range(2000), "name": [CANARY] * 2000, "amount": [0.5] * 2000})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats")


@pytest.fixture(scope="module")
def warehouse(folder: Path) -> Iterator[Warehouse]:
    with open_warehouse(None, reach=[folder]) as warehouse:
        yield warehouse


def csv(encoding: str = "utf-8", delimiter: str = ";") -> Files:
    form = CsvFormat.model_validate({"type": "csv", "encoding": encoding, "delimiter": delimiter})
    return Files(pattern="x/*", format=form)


PARQUET = Files(pattern="x/*", format=ParquetFormat(type="parquet"))
SAV = Files(pattern="x/*", format=SpssFormat(type="sav"))
XLSX = Files(pattern="x/*", format=ExcelFormat(type="xlsx", decimal=","))


def refusal(warehouse: Warehouse, path: Path, files: Files) -> str:
    """The message of a refusal; it has three lines and quotes nothing of the file, and no copy of the file remains."""
    with pytest.raises(DeliveryError) as caught:
        load_raw(warehouse, path, files, f"x/{path.name}")
    message = str(caught.value)
    assert caught.value.exit_code == 11
    assert message.count("\n") == 2 and f"where: x/{path.name}" in message and "correct: " in message
    assert CANARY not in message and str(path.parent) not in message
    assert caught.value.__cause__ is None and not list(path.parent.glob(".arriving-*"))
    return message


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(FRAME), sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue()


def xlsx(frame: pd.DataFrame | None = None) -> bytes:
    sink = io.BytesIO()
    (FRAME.head(20) if frame is None else frame).to_excel(sink, index=False, engine="xlsxwriter")
    return sink.getvalue()


def zip_bomb() -> bytes:
    sink = io.BytesIO(xlsx())
    with zipfile.ZipFile(sink, "a", compression=zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/image1.png", bytes(30_000_000))
    return sink.getvalue()


def flipped(content: bytes, place: float) -> bytes:
    start = int(len(content) * place)
    return content[:start] + bytes(255 - byte for byte in content[start : start + 64]) + content[start + 64 :]


def gzip_with_forged_size(content: bytes) -> bytes:
    return gzip.compress(content)[:-4] + struct.pack("<I", 10)


CUT = HEADER.encode() + "1;één;1.5\n2;één".encode()
BROKEN: dict[str, tuple[str, bytes, Files, str]] = {
    "cut in a row": ("a.csv", PLAIN[:-20], csv(), ":2001"),
    "cut in a character": ("a.csv", CUT[:-2], csv(), "is not utf-8"),
    "short row": ("a.csv", PLAIN + b"1;2\n", csv(), ":2002"),
    "long row": ("a.csv", HEADER.encode() + b"1;2;3;4\n" + ROWS.encode(), csv(), ":2"),
    "unbalanced quote at the start": ("a.csv", HEADER.encode() + b'"1;2;3\n' + ROWS.encode(), csv(), ""),
    "unbalanced quote at the end": ("a.csv", PLAIN + b'1;2;"3\n', csv(), ""),
    "text after a closing quote": ("a.csv", PLAIN + b'1;"2"x;3\n', csv(), ""),
    "line break in a field": ("a.csv", PLAIN + b'1;"2\n2";3\n', csv(), "2,002 lines contain 2,001 rows"),
    "zero byte": ("a.csv", PLAIN + b"1;\0;3\n", csv(), "zero byte"),
    "mixed line ends": ("a.csv", HEADER.encode() + b"1;2;3\r\n4;5;6\n", csv(), ""),
    "wrong delimiter": ("a.csv", PLAIN.replace(b";", b","), csv(), "not a header with the delimiter “;”"),
    "utf-16": ("a.csv", PLAIN.decode().encode("utf-16"), csv(), "zero byte"),
    "utf-16 where latin-1 was declared": ("a.csv", PLAIN.decode().encode("utf-16"), csv("latin-1"), "zero byte"),
    "latin-1 where utf-8 was declared": ("a.csv", PLAIN + "1;één;3\n".encode("latin-1"), csv(), "is not utf-8"),
    "utf-8 where latin-1 was declared": ("a.csv", PLAIN + "1;één;3\n".encode(), csv("latin-1"), "is utf-8"),
    "endless line": ("a.csv", PLAIN + b"x" * (LONGEST_LINE + (1 << 21)), csv(), "line without an end"),
    "too many columns": ("a.csv", b";".join([b"c"] * (MOST_COLUMNS + 1)) + b"\n", csv(), "not a header"),
    "two columns with the same header": ("a.csv", b"id;ID ;x\n1;2;3\n", csv(), "columns 1, 2 have the same header"),
    "empty": ("a.csv", b"", csv(), "empty"),
    "html": ("a.csv", b"<!doctype html>\n<html><body>Not found</body></html>\n", csv(), "not a header"),
    "gzip named csv": ("a.csv", gzip.compress(PLAIN), csv(), "after line 0"),
    "csv named gzip": ("a.csv.gz", PLAIN, csv(), "damaged or cut off"),
    "excel named csv": ("a.csv", xlsx(), csv(), "after line 0"),
    "gzip cut off": ("a.csv.gz", gzip.compress(PLAIN)[:-40], csv(), "damaged or cut off"),
    "gzip flipped": ("a.csv.gz", flipped(gzip.compress(PLAIN), 0.5), csv(), ""),
    "gzip with another size": ("a.csv.gz", gzip_with_forged_size(PLAIN), csv(), "damaged or cut off"),
    "gzip bomb": ("a.csv.gz", gzip.compress(HEADER.encode() + b"1;2;3\n" * 4_000_000), csv(), "unlikely size"),
    "parquet cut off": ("a.parquet", parquet()[:-30], PARQUET, "readable Parquet"),
    "parquet flipped in the data": ("a.parquet", flipped(parquet(), 0.1), PARQUET, "readable Parquet"),
    "parquet flipped in the footer": ("a.parquet", flipped(parquet(), 0.9), PARQUET, "readable Parquet"),
    "parquet of no bytes": ("a.parquet", b"", PARQUET, "empty"),
    "csv named parquet": ("a.parquet", PLAIN, PARQUET, "readable Parquet"),
    "sav cut off": ("a.sav", b"", SAV, "SPSS"),
    "csv named sav": ("a.sav", PLAIN, SAV, "SPSS"),
    "excel cut off": ("a.xlsx", xlsx()[:-200], XLSX, "Excel"),
    "excel flipped": ("a.xlsx", flipped(xlsx(), 0.4), XLSX, "Excel"),
    "csv named excel": ("a.xlsx", PLAIN, XLSX, "Excel"),
    "excel bomb": ("a.xlsx", zip_bomb(), XLSX, "unlikely size"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_file_that_is_not_well_formed_is_refused(warehouse: Warehouse, folder: Path, fault: str) -> None:
    name, content, files, word = BROKEN[fault]
    path = folder / name
    if fault == "sav cut off":
        pyreadstat.write_sav(FRAME, path)
        content = path.read_bytes()[:500]
    path.write_bytes(content)
    assert word in refusal(warehouse, path, files)


WELL_FORMED = {
    "a byte order mark": ("a.csv", b"\xef\xbb\xbf" + PLAIN, csv()),
    "Windows line ends": ("a.csv", PLAIN.replace(b"\n", b"\r\n"), csv()),
    "old Mac line ends": ("a.csv", PLAIN.replace(b"\n", b"\r"), csv()),
    "no last line end": ("a.csv", PLAIN[:-1], csv()),
    "blank lines": ("a.csv", PLAIN + b"\n\n", csv()),
    "upper case and blanks in the header": ("a.csv", PLAIN.replace(b"id;name", b' ID ;"Name"'), csv()),
    "gzip in two members": ("a.csv.gz", gzip.compress(PLAIN[:5000]) + gzip.compress(PLAIN[5000:]), csv()),
    "cp1252": ("a.csv", PLAIN.replace(b"5\n", "5\n".encode("cp1252")), csv("cp1252")),
    "parquet": ("a.parquet", parquet(), PARQUET),
}


@pytest.mark.parametrize("form", WELL_FORMED)
def test_a_well_formed_file_is_read_completely(warehouse: Warehouse, folder: Path, form: str) -> None:
    name, content, files = WELL_FORMED[form]
    path = folder / name
    path.write_bytes(content)
    assert load_raw(warehouse, path, files, name) == ["id", "name", "amount"]
    sql = f"select count(*), count(distinct c0), min(line_number), max(line_number) from {RAW} where c1 = '{CANARY}'"
    assert warehouse.rows(sql) == [(2000, 2000, 2, 2001)]


@pytest.mark.parametrize(
    ("encoding", "character"), [("latin-1", "\xeb"), ("cp1252", "\u20ac"), ("utf-8", "\U0001f600")]
)
def test_letters_outside_ascii_are_read(warehouse: Warehouse, folder: Path, encoding: str, character: str) -> None:
    path = folder / "letters.csv"
    path.write_text(f"a;b\n1;{character}\n", encoding=encoding)
    load_raw(warehouse, path, csv(encoding), "x")
    assert warehouse.rows(f"select c1 from {RAW}") == [(character,)]


def test_excel_numbers_and_dates_become_the_text_of_a_csv(warehouse: Warehouse, folder: Path) -> None:
    path = folder / "cells.xlsx"
    days = pd.to_datetime(["2023-02-28", "2024-02-29"]).date
    frame = pd.DataFrame({"code": ["0034", "34"], "n": [12.0, 7.0], "eur": [1.5, 2.25], "day": days})
    path.write_bytes(xlsx(pd.concat([frame, pd.DataFrame({"code": [" "]})])))
    assert load_raw(warehouse, path, XLSX, "x") == ["code", "n", "eur", "day"]
    assert warehouse.rows(f"select * from {RAW}") == [
        (2, "0034", "12", "1,5", "2023-02-28"),
        (3, "34", "7", "2,25", "2024-02-29"),
    ]


def test_a_missing_sheet_is_named(warehouse: Warehouse, folder: Path) -> None:
    path = folder / "sheet.xlsx"
    path.write_bytes(xlsx())
    files = Files(pattern="x/*", format=ExcelFormat(type="xlsx", sheet="provisions"))
    assert "“provisions”" in refusal(warehouse, path, files)


def test_two_parquet_columns_with_the_same_name_are_refused(warehouse: Warehouse, folder: Path) -> None:
    path = folder / "duplicate.parquet"
    pq.write_table(pa.table([pa.array([1, 2]), pa.array([3, 4])], names=["a", "A "]), path)
    assert "columns 1, 2 have the same header" in refusal(warehouse, path, PARQUET)


def test_a_parquet_file_with_an_unlikely_number_of_rows_is_refused(warehouse: Warehouse, folder: Path) -> None:
    path = folder / "bomb.parquet"
    pq.write_table(pa.table({name: np.ones(1_000_000) for name in "abcde"}), path)
    assert "unlikely size" in refusal(warehouse, path, PARQUET)
