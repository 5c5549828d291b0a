"""A selection as an Excel workbook: one sheet with the rows, one that explains them.

Not here: CSV and Parquet (``exports``). Texts are written as strings, so that Excel runs none of them as a formula.
"""

from __future__ import annotations

import io
from datetime import datetime

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from triple_aim.errors import ProjectError
from triple_aim.release import read_manifest
from triple_aim.reports.selection import NOT_AVAILABLE, Language, Selection

EXCEL_ROWS = 1_048_575
AIMS = ("health_", "quality_", "cost_", "growth_")
WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "data": "Gegevens",
        "about": "Toelichting",
        "source": "bron:",
        "release": "Uitgave",
        "created": "Gemaakt op",
        "licence": "Licentie",
        "selection": "Selectie",
        "everything": "alles",
        "rows": "Rijen",
        "missing": "niet beschikbaar: onderdrukt, niet te berekenen of niet geleverd; zie status en reason",
        "columns": "Kolommen",
        "indicators": "Indicatoren",
    },
    "en": {
        "data": "Data",
        "about": "About",
        "source": "source:",
        "release": "Release",
        "created": "Created on",
        "licence": "Licence",
        "selection": "Selection",
        "everything": "everything",
        "rows": "Rows",
        "missing": "not available: suppressed, not computable or not delivered; see status and reason",
        "columns": "Columns",
        "indicators": "Indicators",
    },
}


def workbook_bytes(selection: Selection, language: Language) -> bytes:
    """The workbook as a file's bytes; the same selection gives the same bytes."""
    if len(selection.rows) > EXCEL_ROWS:
        raise ProjectError(
            f"{len(selection.rows):,} rows do not fit in a sheet",
            selection.mart.name,
            "select one indicator or period, or export CSV",
        )
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"constant_memory": True})
    book.set_properties({"created": _creation_time(selection)})  # the clock would change the bytes
    _write_rows(book, book.add_worksheet(WORDS[language]["data"]), selection, language)
    page = book.add_worksheet(WORDS[language]["about"])
    heading, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    page.set_column(0, 0, 32)
    page.set_column(1, 1, 110)
    for line, (term, *texts) in enumerate(explanation_lines(selection, language)):
        page.write_string(line, 0, term, wrapped if texts else heading)
        for text in texts:
            page.write_string(line, 1, text, wrapped)
    book.close()
    return sink.getvalue()


def explanation_lines(selection: Selection, language: Language) -> list[tuple[str, ...]]:
    """Rows of the explanation sheet: a term and its texts; a term without text is a heading."""
    words = WORDS[language]
    filters = ", ".join(f"{name} = {value}" for name, value in selection.filters.items())
    title, mart = getattr(selection.promise.title, language), selection.mart
    lines: list[tuple[str, ...]] = [
        (f"{title}: {getattr(mart.title, language)}",),
        (words["source"], selection.source_line(language)),
        (words["release"], selection.release.name),
        (words["created"], _creation_time(selection).date().isoformat()),
        (words["licence"], selection.promise.licence),
        (words["selection"], filters or words["everything"]),
        (words["rows"], str(len(selection.rows))),
        (NOT_AVAILABLE[language], words["missing"]),
        ("",),
        (words["columns"],),
        *((column.name, getattr(column.meaning, language)) for column in mart.columns),
    ]
    if len(selection.used_indicators):
        lines += [("",), (words["indicators"],)]
    for indicator in selection.used_indicators.to_dict("records"):
        texts = [indicator[f"{part}_{language}"] for part in ("title", "meaning", "unit", "cautions")]
        texts += [indicator["population"], indicator["origin"]]
        lines.append((indicator["indicator_id"], "\n".join(text for text in texts if isinstance(text, str) and text)))
    return lines


def _write_rows(book: xlsxwriter.Workbook, sheet: Worksheet, selection: Selection, language: Language) -> None:
    """Write header, rows and number formats; row by row, as the constant-memory mode requires."""
    rows, heading = selection.rows, book.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(rows.columns) - 1)
    for column, name in enumerate(rows.columns):
        longest = rows[name].head(500).map(lambda value: len(str(value))).max()
        sheet.set_column(
            column, column, max(len(name) + 3, min(int(longest), 12 if rows[name].dtype == float else 40) + 1)
        )
        sheet.write_string(0, column, name, heading)
    right = book.add_format({"align": "right"})
    formats: dict[int, Format] = {}
    decimals = {
        column: _decimals(selection, name) for column, name in enumerate(rows.columns) if rows[name].dtype == float
    }
    for line, row in enumerate(selection.display_rows(language), start=1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(line, column, value, right if column in decimals else None)
            elif isinstance(value, bool):
                sheet.write_boolean(line, column, value)
            elif column in decimals and value is not None:
                places = decimals[column][line - 1]
                if places not in formats:
                    formats[places] = book.add_format({"num_format": ("#,##0." + "0" * places).rstrip(".")})
                sheet.write_number(line, column, value, formats[places])
            elif value is not None:
                sheet.write_number(line, column, value)


def _decimals(selection: Selection, measure: str) -> list[int]:
    """Decimals of a measure in each row: those of the indicator, except for counts, shares and percentages."""
    rows, known = selection.rows, selection.indicators.set_index("indicator_id")["decimals"]
    id_column = next((aim for aim in AIMS if measure.startswith(aim)), "") + "indicator_id"
    if measure in ("numerator", "denominator"):
        return [0] * len(rows)
    if id_column in rows and not measure.endswith("_share"):
        return list(rows[id_column].map(known).astype("Float64").fillna(1).astype(int))
    return [1 if measure.endswith("_percent") else 2] * len(rows)


def _creation_time(selection: Selection) -> datetime:
    manifest = read_manifest(selection.release)
    if manifest is None:
        raise ProjectError(
            "the manifest of the release is missing or unreadable", selection.release.name, "triple-aim run"
        )
    return datetime.fromisoformat(manifest["created"]).replace(tzinfo=None)
