"""One function a file format: a delivered file becomes the table ``delivery.raw``, as it was delivered.

Not here: types, rules and names; those are the contract's, in ``ingest``. Nothing is sniffed: the header is read,
every CSV field is text, and a file that is not well-formed is refused without quoting any of its content.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from triple_aim.contracts import CsvFormat, ExcelFormat, Files, ParquetFormat, SpssFormat
from triple_aim.errors import DeliveryError
from triple_aim.warehouse import EngineError, Warehouse, literal, quoted

RAW = "delivery.raw"
LARGEST_RATIO = 200  # a gzip that unpacks to more than this many times its size is no delivery
REDELIVER = "ask the supplier to deliver the file again"


def load_raw(warehouse: Warehouse, path: Path, files: Files, label: str) -> list[str]:
    """Fill ``delivery.raw`` from a file and return its headers, trimmed and in lower case, in order.

    ``label`` is the delivery's own name for messages. The table has the columns ``c0, c1, …`` and ``line_number``.
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
        # The engine's message quotes the offending line, which may hold a person; only its number goes on.
        line = re.search(r"[Ll]ine:? (\d+)", str(error))
        raise DeliveryError(
            f"the file is not well-formed {files.format.type}", f"{label}{':' + line[1] if line else ''}", REDELIVER
        ) from None
    twice = sorted({header for header in headers if headers.count(header) > 1})
    if twice:
        raise DeliveryError(f"the header names {', '.join(twice)} twice", f"{label}:1", REDELIVER)
    return headers


def _load_csv(warehouse: Warehouse, path: Path, form: CsvFormat, label: str) -> list[str]:
    packed = path.suffix == ".gz"
    if packed:
        with path.open("rb") as stream:
            stream.seek(-4, io.SEEK_END)
            unpacked = int.from_bytes(stream.read(4), "little")
        if unpacked > LARGEST_RATIO * path.stat().st_size:
            raise DeliveryError("the compressed file unpacks to an unlikely size", label, REDELIVER)
    plain = path
    try:
        with gzip.open(path, "rt", encoding=_codec(form)) if packed else path.open(encoding=_codec(form)) as text:
            first = text.readline()
            if form.encoding == "cp1252":  # the engine does not know this encoding, so it gets a copy it does know
                plain = path.with_suffix(".utf8")
                with plain.open("w", encoding="utf-8", newline="") as copy:
                    copy.write(first)
                    copy.writelines(text)
    except (UnicodeError, gzip.BadGzipFile, EOFError):
        raise DeliveryError(f"the file is not {form.encoding} text, or it is cut off", label, REDELIVER) from None
    headers = [header.strip().lower() for header in next(csv.reader([first.strip("\r\n")], delimiter=form.delimiter))]
    if len(headers) < 2:
        raise DeliveryError(
            f"the first line holds no “{form.delimiter}”", f"{label}:1", "check the delimiter and the file"
        )
    columns = ", ".join(f"'c{i}': 'varchar'" for i in range(len(headers)))
    encoding = "latin-1" if form.encoding == "latin-1" else "utf-8"
    compression = "gzip" if packed and plain is path else "none"
    try:
        _replace_raw(
            warehouse,
            f"""select * from read_csv(
                {literal(str(plain))}, delim = {literal(form.delimiter)}, header = true, columns = {{{columns}}},
                auto_detect = false, quote = '"', escape = '"', strict_mode = true, null_padding = false,
                encoding = '{encoding}', compression = '{compression}', max_line_size = 1000000
            )""",
        )
    finally:
        if plain is not path:
            plain.unlink()
    return headers


def _codec(form: CsvFormat) -> str:
    return "utf-8-sig" if form.encoding == "utf-8" else form.encoding


def _load_parquet(warehouse: Warehouse, path: Path, form: ParquetFormat, label: str) -> list[str]:
    source = f"select * from read_parquet({literal(str(path))})"
    headers = [name for name, _ in warehouse.header(source)]
    renamed = ", ".join(f"{quoted(header)} as c{i}" for i, header in enumerate(headers))
    _replace_raw(warehouse, f"select {renamed} from ({source})")
    return [header.strip().lower() for header in headers]


def _load_spss(warehouse: Warehouse, path: Path, form: SpssFormat, label: str) -> list[str]:
    import pyreadstat

    try:
        # user_missing keeps 8 and 9 as they are; the contract says what they mean, not the file.
        frame, _ = pyreadstat.read_sav(path, user_missing=True, apply_value_formats=False)
    except (pyreadstat.PyreadstatError, UnicodeError):
        raise DeliveryError("the file is not a readable SPSS file", label, REDELIVER) from None
    return _load_frame(warehouse, frame)


def _load_excel(warehouse: Warehouse, path: Path, form: ExcelFormat, label: str) -> list[str]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(path)
        sheet = book.get_sheet_by_name(form.sheet) if form.sheet else book.get_sheet_by_index(0)
        header, *rows = sheet.to_python()
    except (CalamineError, ValueError):
        raise DeliveryError("the file is not a readable Excel file", label, REDELIVER) from None
    frame = pd.DataFrame(rows, columns=[str(name) for name in header], dtype=object)
    return _load_frame(warehouse, frame.apply(_excel_text))


def _excel_text(column: pd.Series[Any]) -> pd.Series[str]:
    """Cells as they would stand in a CSV: Excel knows no integers, so 12.0 is 12."""
    return column.map(lambda cell: str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell))


def _load_frame(warehouse: Warehouse, frame: pd.DataFrame) -> list[str]:
    headers = [str(name).strip().lower() for name in frame.columns]
    with warehouse.named("arriving", frame.set_axis([f"c{i}" for i in range(len(headers))], axis=1)):
        _replace_raw(warehouse, "select * from arriving")
    return headers


def _replace_raw(warehouse: Warehouse, select: str) -> None:
    warehouse.run(f"create or replace table {RAW} as select row_number() over () + 1 as line_number, * from ({select})")
