"""Reads a delivered file as the view ``RAW``, with its values unchanged; one function per file format.

Not here: types, rules and column names, which the contract defines (``validation``). No format is guessed: every CSV
field is text, and the refusal of a malformed file quotes nothing of it.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pandas as pd

from triple_aim.definitions import CsvFormat, ExcelFormat, Files, ParquetFormat, SpssFormat
from triple_aim.errors import DeliveryError
from triple_aim.warehouse import EngineError, Warehouse, is_machine_failure, literal, quoted

#: A text file is parsed once into a temporary table, because it is read more than once; temporary, so that no delivered
#: row stays in the warehouse file. A Parquet file is read in place, because its columns can be read one by one.
RAW = "temp.main.delivery_raw"
PARSED = "temp.main.delivery_parsed"
LARGEST_RATIO = 200  # a file that unpacks to more than this many times its size is refused
LONGEST_LINE = 1_000_000  # bytes
MOST_COLUMNS = 2_000
LARGEST_BATCH = 1 << 17  # rows
CHUNK = 1 << 20
REDELIVER = "ask the supplier to deliver the file again"


def load_raw(warehouse: Warehouse, path: Path, files: Files, label: str) -> list[str]:
    """Create the view ``RAW`` of a file and return its headers in order, trimmed and in lower case.

    Messages name the file by ``label``. The view has the columns ``line_number`` and ``c0, c1, …``. For a Parquet file
    it reads that file, which must exist as long as the view is used.
    """
    readers: dict[str, Callable[[Warehouse, Path, Any, str], list[str]]] = {
        "csv": _load_csv,
        "parquet": _load_parquet,
        "sav": _load_spss,
        "xlsx": _load_excel,
    }
    if path.stat().st_size == 0:
        raise DeliveryError("the file is empty", label, REDELIVER)
    try:
        headers = readers[files.format.type](warehouse, path, files.format, label)
    except EngineError as error:
        if is_machine_failure(error):
            raise
        # The message of the engine quotes the line, which may contain data of a person; only its number is reported.
        line = re.search(r"[Ll]ine:? (\d+)", str(error))
        raise DeliveryError(
            f"the file is not well-formed {files.format.type}", f"{label}{':' + line[1] if line else ''}", REDELIVER
        ) from None
    # By position, not by name: without a header, the first line contains data of a person.
    duplicates = [str(i + 1) for i, header in enumerate(headers) if headers.count(header) > 1]
    if duplicates:
        raise DeliveryError(f"columns {', '.join(duplicates[:5])} have the same header", f"{label}:1", REDELIVER)
    return headers


def _load_csv(warehouse: Warehouse, path: Path, form: CsvFormat, label: str) -> list[str]:
    with _plain_text(path, form.encoding, label) as (plain, lines):
        with plain.open(encoding="utf-8-sig") as text:
            first = text.readline().strip("\r\n")
        headers = [header.strip().lower() for header in next(csv.reader([first], delimiter=form.delimiter))]
        if not 2 <= len(headers) <= MOST_COLUMNS:
            raise DeliveryError(
                f"the first line is not a header with the delimiter “{form.delimiter}”",
                f"{label}:1",
                "check the delimiter and the file",
            )
        columns = ", ".join(f"'c{i}': 'varchar'" for i in range(len(headers)))
        _replace_raw(
            warehouse,
            f"""select * from read_csv(
                {literal(str(plain))}, delim = {literal(form.delimiter)}, header = true, columns = {{{columns}}},
                auto_detect = false, quote = '"', escape = '"', strict_mode = true, null_padding = false,
                encoding = 'utf-8', compression = 'none', max_line_size = {LONGEST_LINE}
            )""",
        )
    rows = warehouse.value(f"select count(*) from {PARSED}")
    if rows != lines - 1:  # the engine can drop a line without an error
        raise DeliveryError(
            f"{lines - 1:,} lines contain {rows:,} rows",
            label,
            "write one row per line; look for an open quotation mark",
        )
    return headers


@contextmanager
def _plain_text(path: Path, encoding: str, label: str) -> Iterator[tuple[Path, int]]:
    """A CSV file as uncompressed UTF-8, and its number of non-blank lines.

    The whole file is read here, because the engine does not check the checksum or the real size of a gzip file.
    """
    is_packed, is_utf8 = path.suffix == ".gz", encoding == "utf-8"
    scan = _Scan(encoding, label, LARGEST_RATIO * path.stat().st_size if is_packed else None)
    if not is_packed and is_utf8:
        with path.open("rb") as source:
            for _ in scan.read(source):
                pass
        yield path, scan.lines
        return
    plain = path.with_name(f".arriving-{os.getpid()}-plain")
    try:
        with gzip.open(path) if is_packed else path.open("rb") as source, plain.open("wb") as target:
            for text in scan.read(cast(BinaryIO, source)):
                target.write(text)
        yield plain, scan.lines
    finally:
        plain.unlink(missing_ok=True)


class _Scan:
    """Checks a text while it is read: its encoding, zero bytes, the length of its lines, its unpacked size."""

    def __init__(self, encoding: str, label: str, largest_size: int | None) -> None:
        self.encoding, self.label, self.largest_size = encoding, label, largest_size
        self.lines = 0

    def read(self, source: BinaryIO) -> Iterator[bytes]:
        """The text in UTF-8, in chunks."""
        declared = codecs.getincrementaldecoder(self.encoding)()
        utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        is_utf8, is_ascii, size, pending = self.encoding == "utf-8", True, 0, b""
        try:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if self.largest_size is not None and size > self.largest_size:
                    raise DeliveryError("the compressed file unpacks to an unlikely size", self.label, REDELIVER)
                if b"\0" in chunk:
                    raise self._refuse("contains a zero byte: it is binary, or text in another encoding")
                text = declared.decode(chunk)
                yield chunk if is_utf8 else text.encode()
                if not is_utf8 and utf8 is not None:
                    is_ascii = is_ascii and chunk.isascii()
                    utf8 = _if_decodable(utf8, chunk)
                *lines, pending = (pending + chunk).splitlines(keepends=True)
                self.lines += len(lines) - sum(lines.count(end) for end in (b"\n", b"\r\n", b"\r"))
                if len(pending) > LONGEST_LINE:
                    raise self._refuse("has a line without an end")
            declared.decode(b"", final=True)
        except UnicodeError:
            raise self._refuse(f"is not {self.encoding} text") from None
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise DeliveryError("the gzip file is damaged or cut off", self.label, REDELIVER) from None
        if not is_utf8 and not is_ascii and utf8 is not None and _if_decodable(utf8, b"", final=True):
            raise DeliveryError(f"the file is utf-8, not {self.encoding}", self.label, REDELIVER)
        self.lines += bool(pending.strip(b"\r\n"))

    def _refuse(self, what: str) -> DeliveryError:
        return DeliveryError(f"the file {what}", f"{self.label}, after line {self.lines}", REDELIVER)


def _if_decodable(
    decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False
) -> codecs.IncrementalDecoder | None:
    """The decoder, or None when it cannot decode the chunk."""
    try:
        decoder.decode(chunk, final)
    except UnicodeError:
        return None
    return decoder


def _load_parquet(warehouse: Warehouse, path: Path, form: ParquetFormat, label: str) -> list[str]:
    import pyarrow.parquet as pq
    from pyarrow import types

    try:
        # The engine does not check the checksums of pages, so a changed bit would give another number.
        with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:  # no large read-ahead
            headers = list(file.schema_arrow.names)
            unsupported = [
                str(i + 1)
                for i, field in enumerate(file.schema_arrow)
                if types.is_nested(field.type) or types.is_fixed_size_binary(field.type)
            ]
            if unsupported:
                what = f"columns {', '.join(unsupported[:5])} contain lists, records or bytes"
                raise DeliveryError(what, label, "deliver plain columns of text, numbers and dates")
            fields = file.metadata.num_rows * len(headers)
            if fields > LARGEST_RATIO * path.stat().st_size or len(headers) > MOST_COLUMNS:
                raise DeliveryError("the file unpacks to an unlikely size", label, REDELIVER)
            file.scan_contents(batch_size=LARGEST_BATCH)  # reads and checks every page
    except DeliveryError:
        raise
    except Exception:  # a parser has no list of its errors for foreign bytes, and a message may quote them
        raise DeliveryError("the file is not a readable Parquet file", label, REDELIVER) from None
    warehouse.run(f"create or replace temp view {RAW} as {parquet_rows(warehouse, literal(str(path)))}")
    return [header.strip().lower() for header in headers]


def parquet_rows(warehouse: Warehouse, path: str) -> str:
    """The select behind ``RAW`` for a Parquet file; ``path`` is SQL."""
    plain = f"read_parquet({path}, hive_partitioning = false"  # the name of a folder is not a column
    names = [name for name, _ in warehouse.header(f"select * from {plain})")]
    renamed = ", ".join(f"{quoted(name)} as c{i}" for i, name in enumerate(names))  # duplicates are unique here
    return f"select file_row_number + 2 as line_number, {renamed} from {plain}, file_row_number = true)"


def _load_spss(warehouse: Warehouse, path: Path, form: SpssFormat, label: str) -> list[str]:
    import pyreadstat

    try:
        # user_missing keeps codes such as 8 and 9; the contract states what they mean, not the file.
        frame, _ = pyreadstat.read_sav(path, user_missing=True, apply_value_formats=False)
    except Exception:  # as above
        raise DeliveryError("the file is not a readable SPSS file", label, REDELIVER) from None
    return _load_frame(warehouse, frame)


def _load_excel(warehouse: Warehouse, path: Path, form: ExcelFormat, label: str) -> list[str]:
    from python_calamine import CalamineWorkbook

    try:
        with zipfile.ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > LARGEST_RATIO * path.stat().st_size:
            raise DeliveryError("the compressed file unpacks to an unlikely size", label, REDELIVER)
        book = CalamineWorkbook.from_path(path)
        sheet = book.get_sheet_by_name(form.sheet) if form.sheet else book.get_sheet_by_index(0)
        header, *rows = sheet.to_python()
    except DeliveryError:
        raise
    except Exception:  # as above
        what = f" with a sheet “{form.sheet}”" if form.sheet else ""
        raise DeliveryError(f"the file is not a readable Excel file{what}", label, REDELIVER) from None
    while rows and not any(str(cell).strip() for cell in rows[-1]):  # rows with a format but no value
        rows.pop()
    texts = [[_excel_text(cell, form.decimal) for cell in row] for row in rows]
    return _load_frame(warehouse, pd.DataFrame(texts, columns=[str(name) for name in header], dtype=str))


def _excel_text(cell: object, decimal: str) -> str:
    """A cell as text in a CSV; Excel has no integers, so 12.0 is 12."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else str(cell).replace(".", decimal)
    return str(cell)


def _load_frame(warehouse: Warehouse, frame: pd.DataFrame) -> list[str]:
    headers = [str(name).strip().lower() for name in frame.columns]
    with warehouse.named("arriving", frame.set_axis([f"c{i}" for i in range(len(headers))], axis=1)):
        _replace_raw(warehouse, "select * from arriving")
    return headers


def _replace_raw(warehouse: Warehouse, select: str) -> None:
    warehouse.run(
        f"create or replace temp table {PARSED} as select row_number() over () + 1 as line_number, * from ({select})"
    )
    warehouse.run(f"create or replace temp view {RAW} as select * from {PARSED}")


def drop_raw(warehouse: Warehouse) -> None:
    """Drop the view and the table of the last file."""
    warehouse.run(f"drop view if exists {RAW}; drop table if exists {PARSED}")
