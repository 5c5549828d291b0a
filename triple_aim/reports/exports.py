"""Export of a mart, or a part of it, to CSV, Excel or Parquet.

Not here: the choice of rows (``selection``) or the layout of a workbook (``workbook``).
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

#: The start of a line that a spreadsheet may read as a formula, also after blanks; some accept full-width signs.
FORMULA = re.compile(r"^(?=[^\S\n]*[=+\-@\t\r＝＋－＠])", re.MULTILINE)
#: Delimiter and decimal mark that a spreadsheet in that language expects.
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
    """Write the selected rows of one mart to ``out`` and return their number."""
    filters = {"indicator_id": indicator, "region_type": region_type, "period": period}
    selection = select(release, promise, table, {name: value for name, value in filters.items() if value is not None})
    if to == "csv":
        content = csv_bytes(selection, language)
    elif to == "xlsx":
        content = workbook_bytes(selection, language)
    else:
        content = parquet_bytes(pa.Table.from_pandas(selection.rows, preserve_index=False))
    replace_file(out, content)
    return len(selection.rows)


def csv_bytes(selection: Selection, language: Language) -> bytes:
    """The rows in the notation of the language, as UTF-8 with the byte order mark that spreadsheets need."""
    delimiter, decimal = NOTATION[language]

    def cell(value: Any) -> str:
        if isinstance(value, str):
            return escape_formulas(value)
        if isinstance(value, float):
            return decimal_text(value, decimal)
        return "" if value is None else str(value)

    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(selection.rows.columns)
    writer.writerows(map(cell, row) for row in selection.display_rows(language))
    return text.getvalue().encode("utf-8-sig")


def escape_formulas(text: str) -> str:
    """Put a quote before each line that a spreadsheet would read as a formula."""
    return FORMULA.sub("'", text)


def decimal_text(value: float, decimal: str) -> str:
    """A number with all its digits, without an exponent."""
    return np.format_float_positional(value, trim="-").replace(".", decimal)
