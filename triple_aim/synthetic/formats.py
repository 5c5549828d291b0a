"""Writes frames as files, one function per format; the same frame gives the same bytes on any day.

Not here: the content of the frames.
"""

from __future__ import annotations

import datetime
import gzip
import io
from pathlib import Path

import pandas as pd
import pyreadstat
import xlsxwriter


def write_csv(path: Path, frame: pd.DataFrame, decimal: str = ".", encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = frame.to_csv(index=False, sep=";", decimal=decimal, date_format="%Y-%m-%d", lineterminator="\n").encode(
        encoding
    )
    # A fixed time in the header keeps the bytes the same on any day.
    path.write_bytes(gzip.compress(data, compresslevel=9, mtime=0) if path.suffix == ".gz" else data)


def write_excel(path: Path, frame: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"created": datetime.datetime(2024, 1, 1)})
        sheet = book.add_worksheet("provisions")
        sheet.write_row(0, 0, list(frame.columns))
        for number, name in enumerate(frame):
            values = frame[name]
            if values.dtype.kind == "M":
                values = values.dt.date
            sheet.write_column(1, number, [None if pd.isna(value) else value for value in values])
    path.write_bytes(buffer.getvalue())


def write_spss(path: Path, frame: pd.DataFrame, items: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    answers = {0.0: "nee", 1.0: "ja", 8.0: "niet van toepassing", 9.0: "onbekend"}
    pyreadstat.write_sav(
        frame,
        str(path),
        variable_value_labels={
            "AGGSA202": {1.0: "man", 2.0: "vrouw"},
            "Opleiding": {1.0: "laag", 2.0: "midden", 3.0: "hoog", 9.0: "onbekend"},
            **dict.fromkeys(items, answers),
        },
        missing_ranges={item: [{"lo": 8, "hi": 9}] for item in items},
        row_compress=True,
    )
    # Bytes 92 to 109 of the header hold the time of writing; a fixed one keeps the bytes the same.
    data = bytearray(path.read_bytes())
    data[92:109] = b"01 Jan 2400:00:00"
    path.write_bytes(bytes(data))
