"""Do exports use the notation of the language, hide suppressed values and contain no formula?"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from triple_aim.definitions.contracts import Publication
from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.reports.exports import decimal_text, escape_formulas, export
from triple_aim.reports.selection import select

FILTERS = {"indicator": "avoidable_mortality", "region_type": "ggd_region"}
SUPPRESSED = "GG05"  # in 2017 and 2023


def read_csv(path: Path, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig")), delimiter=delimiter))


@pytest.mark.parametrize(
    ("language", "delimiter", "mark", "missing"), [("nl", ";", ",", "n.b."), ("en", ",", ".", "n/a")]
)
def test_csv_in_the_notation_of_the_language(
    release: Path,
    promise: Publication,
    tmp_path: Path,
    language: str,
    delimiter: str,
    mark: str,
    missing: str,
) -> None:
    out = tmp_path / "x.csv"
    count = export(release, promise, "indicator_values", "csv", out, language, **FILTERS, period=2017)
    rows = read_csv(out, delimiter)
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(rows) == count == 6
    assert {row["period"] for row in rows} == {"2017"}
    assert mark in rows[0]["value"]
    assert float(rows[0]["value"].replace(",", ".")) > 0
    hidden = next(row for row in rows if row["region_code"] == SUPPRESSED)
    assert {hidden[name] for name in ("value", "lower", "upper", "numerator", "comparator_value")} == {missing}


def test_names_that_look_like_formulas_are_escaped(release: Path, promise: Publication, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    export(release, promise, "indicator_values", "csv", out, "nl", **FILTERS, period=2020)
    assert {row["region_name"] for row in read_csv(out, ";") if "GGD 'Y" in row["region_name"]} == {
        "'=GGD 'Ypsilon' & Zuid"
    }


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "\u00a0=1", "fine\n=1", "=1\n=2", "＝1"],
)
def test_formulas_get_a_quote(text: str) -> None:
    for line in escape_formulas(text).split("\n"):
        assert not line.strip().startswith(("=", "+", "-", "@", "＝"))
    assert escape_formulas(text).replace("'", "") == text


@pytest.mark.parametrize("text", ["", "'s-Hertogenbosch", "a=b", "Zorgregio - Oost", "65-74", "line\nline"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert escape_formulas(text) == text


@pytest.mark.parametrize(("value", "text"), [(1e21, "1" + "0" * 21), (-2.5, "-2,5"), (1e-7, "0,0000001"), (3.0, "3")])
def test_numbers_are_written_in_full(value: float, text: str) -> None:
    assert decimal_text(value, ",") == text


def test_a_number_in_a_suppressed_row_is_not_exported(release: Path, promise: Publication) -> None:
    selection = select(release, promise, "indicator_values", {"period": 2017})
    status = selection.rows["status"]
    assert selection.rows.loc[status == "suppressed", "coverage_share"].isna().all()
    assert selection.rows.loc[status == "published", "coverage_share"].notna().all()


def test_xlsx_has_a_data_sheet_and_an_explanation_sheet(release: Path, promise: Publication, tmp_path: Path) -> None:
    out, again = tmp_path / "x.xlsx", tmp_path / "y.xlsx"
    for path in (out, again):
        export(release, promise, "indicator_values", "xlsx", path, "nl", **FILTERS)
    assert out.read_bytes() == again.read_bytes()
    book = CalamineWorkbook.from_path(str(out))
    header, *rows = book.get_sheet_by_name("Gegevens").to_python()
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    hidden = [cell for cell in cells if cell["status"] == "suppressed"]
    assert len(cells) == 72
    assert {cell["value"] for cell in hidden} == {"n.b."}
    assert isinstance(cells[0]["value"], float)
    assert "=GGD 'Ypsilon' & Zuid" in {cell["region_name"] for cell in cells}
    about = {row[0]: row[1] for row in book.get_sheet_by_name("Toelichting").to_python() if len(row) > 1}
    assert about["bron:"] == "mortality; bewerkt door Triple Aim-monitor, de regio die deze monitor draait"
    assert about["Uitgave"] == release.name
    assert about["Selectie"] == "indicator_id = avoidable_mortality, region_type = ggd_region"
    assert "kleine aantallen" in about["avoidable_mortality"]
    assert about["value"] == "Waarde, berekend uit gewijzigde sommen en afgerond"
    parts = zipfile.ZipFile(out)
    sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert 'state="frozen"' in sheet
    assert "<autoFilter" in sheet
    assert 'formatCode="#,##0.0"' in parts.read("xl/styles.xml").decode()


def test_parquet_holds_the_same_rows(release: Path, promise: Publication, tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    export(release, promise, "indicator_values", "parquet", out, period=2017)
    rows = pq.read_table(out).to_pylist()
    assert {row["period"] for row in rows} == {2017}
    assert {row["value"] for row in rows if row["status"] == "suppressed"} == {None}


@pytest.mark.parametrize("table", ["indicators", "reconciliation", "indicator_values"])
@pytest.mark.parametrize("to", ["csv", "xlsx", "parquet"])
def test_every_mart_with_rows_can_be_exported(
    release: Path, promise: Publication, tmp_path: Path, table: str, to: str
) -> None:
    assert export(release, promise, table, to, tmp_path / "x", "en") > 0


def test_refusals_name_the_valid_choices(release: Path, promise: Publication, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    with pytest.raises(ProjectError, match="indicator_values"):
        export(release, promise, 'x" ; drop', "csv", out)
    with pytest.raises(ProjectError, match="region_type"):
        export(release, promise, "indicators", "csv", out, region_type="nl")
    with pytest.raises(NothingToPublish):
        export(release, promise, "indicator_values", "csv", out, indicator="' or 1=1 --")
    assert not out.exists()
