"""Does the coverage page show every measure of the menu, with its indicators and the data it needs?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cells import specs
from triple_aim.definitions.measures import load_menu
from triple_aim.errors import ContentError
from triple_aim.reference_docs.coverage import coverage

HEADER = "id,aim,domain,measure_en,measure_nl,data_needed_en,data_needed_nl,origin"


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    (tmp_path / "menu").mkdir()
    rows = (
        "TA05,Health,mortality,Mortality ratio,Sterfteratio,deaths,sterfte,IHI",
        "TA99,Joy,work,Pride,Trots,a diary,een dagboek,X",
    )
    (tmp_path / "menu" / "measures.csv").write_text("\n".join((HEADER, *rows)) + "\n")
    return tmp_path


def test_a_measure_shows_its_indicators_or_the_data_it_needs(reference: Path) -> None:
    shipped = specs()
    listed = [shipped["standardised_mortality_ratio"], shipped["crude_mortality"]]
    page = list(coverage(load_menu(reference), listed))
    assert "2 measures: 1 covered by 1 indicators, 1 not covered." in page
    ratio = "[standardised_mortality_ratio](indicators.md#standardised_mortality_ratio)"
    assert f"| TA05 | Mortality ratio | {ratio} | deaths | IHI |" in page
    assert "| TA99 | Pride | **not covered** | a diary | X |" in page
    beyond = page[page.index("## Indicators beyond the menu") :]
    assert next(line for line in beyond if line.startswith("| [")).startswith("| [crude_mortality]")


def test_a_project_may_have_no_menu(tmp_path: Path) -> None:
    assert load_menu(tmp_path) == {}


def test_a_menu_with_a_wrong_column_is_refused(reference: Path) -> None:
    path = reference / "menu" / "measures.csv"
    path.write_text(path.read_text().replace("origin", "source"))
    with pytest.raises(ContentError, match="other columns"):
        load_menu(reference)
