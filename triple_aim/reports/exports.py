"""A mart, or a part of it, as the file a monitor's editor works with: CSV, Excel or Parquet.

Not here: which rows (``selection``) or how a workbook is laid out (``workbook``).
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from triple_aim.definitions import Publication
from triple_aim.files import parquet_bytes, replace_file
from triple_aim.reports.selection import Language, Selection, select
from triple_aim.reports.workbook import workbook_bytes

Kind = Literal["csv", "xlsx", "parquet"]

#: Where a line begins like a formula, after blanks or not; to some spreadsheets full-width signs count too.
FORMULA = re.compile(r"^(?=[^\S\n]*[=+\-@\t\r＝＋－＠])", re.MULTILINE)
#: Delimiter and decimal mark a spreadsheet of that language expects.
NOTATION: dict[Language, tuple[str, str]] = {"nl": (";", ","), "en": (",", ".")}


def export(
    release: Path,
    promise: Publication,
    table: str,
    to: Kind,
    out: Path,
    language: Language = "nl",
    *,
    indicator: str | None = None,
    region_type: str | None = None,
    period: int | None = None,
) -> int:
    """Write the rows of one mart that fit the selection to ``out``; the number of rows."""
    asked = {"indicator_id": indicator, "region_type": region_type, "period": period}
    selection = select(release, promise, table, {name: value for name, value in asked.items() if value is not None})
    if to == "csv":
        content = csv_bytes(selection, language)
    elif to == "xlsx":
        content = workbook_bytes(selection, language)
    else:
        content = parquet_bytes(pa.Table.from_pandas(selection.rows, preserve_index=False))
    replace_file(out, content)
    return len(selection.rows)


def csv_bytes(selection: Selection, language: Language) -> bytes:
    """In the notation of the language, as UTF-8 with the mark that tells spreadsheets so."""
    delimiter, decimal = NOTATION[language]

    def cell(value: Any) -> str:
        if isinstance(value, str):
            return harmless(value)
        if isinstance(value, float):
            return number(value, decimal)
        return "" if value is None else str(value)

    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(selection.rows.columns)
    writer.writerows(map(cell, row) for row in selection.lines(language))
    return text.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """A text no spreadsheet takes for a formula: each line that begins like one gets a quote in front."""
    return FORMULA.sub("'", text)


def number(value: float, decimal: str) -> str:
    """A number in full, never in powers of ten."""
    return np.format_float_positional(value, trim="-").replace(".", decimal)
