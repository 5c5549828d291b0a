"""Do the public files give the known totals after ingestion?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.content import queries
from tests.external.conftest import DATA, ROOT
from triple_aim.definitions.contracts import load_contracts
from triple_aim.definitions.settings import Project, Settings
from triple_aim.deliveries.ingest import ingest_extract
from triple_aim.errors import DeliveryError
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.reference_tables import load_reference

pytestmark = [
    pytest.mark.external,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data here; set TRIPLE_AIM_SHARED_DATA"),
]
CONTRACTS = load_contracts(ROOT / "contracts")
STAGING = queries("staging")

# The profile of each file, computed once and independently, and the place of the rest row.
PROFILE = """
2011 13475 17011613 16632561 35.268 271167 21 first
2012 13476 17109334 16705472 34.507 288288 29 first
2013 13478 17117617 16756200 36.167 282385 6 first
2014 13479 17182701 16804781 36.741 298389 4 first
2015 13482 17268188 16869489 39.503 299376 5 first
2016 13479 17382030 16963551 41.706 311439 9 first
2017 13482 17503170 17049530 42.901 358232 1 first
2018 13483 17640798 17169513 44.659 381255 2 first
2019 13369 17893125 17284472 46.348 440964 0 first
2020 13063 17915602 17359447 45.338 393575 0 last
2021 13065 18036256 17448226 47.553 416086 1 last
2022 12989 18213573 17577921 51.013 444200 0 last
2023 12989 18295155 17685510 55.154 428642 3 middle
"""


def project_in(folder: Path, deliveries: Path) -> Project:
    settings = Settings.model_construct(
        deliveries=deliveries, work=folder / "work", publication=folder / "publication", division_year=2024
    )
    return Project(ROOT, folder / "monitor.toml", settings)


@pytest.fixture(scope="session")
def profile(staged: Warehouse) -> dict[int, tuple[object, ...]]:
    """By year, as staged: rows, persons, insured years, € mrd, rest persons, negative cells, place of the rest row."""
    costs = [name for name, _ in staged.header("select * from stg.vektis_open") if name.startswith("cost_")]
    euros = " + ".join(f"coalesce({name}, 0)" for name in costs)
    rows = staged.rows(
        f"""select period, count(*), sum(insured_person_count), cast(round(sum(insured_years)) as bigint),
                cast(round(sum({euros}) / 1e9, 3) as double),
                sum(insured_person_count) filter (where is_rest_row),
                case min(line_number) filter (where is_rest_row)
                    when 2 then 'first' when max(line_number) then 'last' else 'middle' end,
                count(*) filter (where is_rest_row)
            from stg.vektis_open group by period"""
    )
    assert all(rest_rows == 1 for *_, rest_rows in rows)
    return {period: tuple(facts) for period, *facts, _ in rows}


@pytest.mark.parametrize("line", PROFILE.strip().splitlines(), ids=lambda line: line[:4])
def test_a_vektis_file_is_staged_completely(profile: dict[int, tuple[object, ...]], line: str) -> None:
    year, rows, persons, years, euros, rest, _, place = line.split()
    assert profile[int(year)] == (int(rows), int(persons), int(years), float(euros), int(rest), place)


def test_vektis_negative_cells_are_kept(staged: Warehouse) -> None:
    """Staging adds up cells by kind of care, so negative cells are counted in the files."""
    expected = {int(line.split()[0]): int(line.split()[6]) for line in PROFILE.strip().splitlines()}
    files = {year: (DATA / "vektis_open" / f"vektis_{year}_gemeente.csv").read_text() for year in expected}
    found = {year: text.count(";-") for year, text in files.items()}
    assert found == expected
    ledger = "select stage, sum(amount_eur) from meta.ledger where extract = 'vektis_open' group by all order by 1"
    total = 1e9 * sum(float(line.split()[4]) for line in PROFILE.strip().splitlines())
    (_, delivered), (_, kept) = staged.rows(ledger)  # nothing is set aside, so there are two stages
    assert delivered == kept and float(kept) == pytest.approx(total, rel=1e-5)


def test_every_vektis_name_has_a_code_and_every_age_a_band(staged: Warehouse) -> None:
    unknown = "municipality_code = 'unknown' or age_band = 'unknown' or sex = 'unknown'"
    assert staged.value(f"select count(*) from stg.vektis_open where not is_rest_row and ({unknown})") == 0
    assert staged.value("select count(distinct age_band) from stg.vektis_open where not is_rest_row") == 19
    codes = "select count(distinct municipality_code) from stg.vektis_open where not is_rest_row and period = "
    assert [staged.value(codes + year) for year in ("2018", "2020", "2023")] == [355, 344, 342]


def test_panel_holds_the_municipalities_that_delivered(staged: Warehouse) -> None:
    counted = "count(wmo_household_help_client_count), count(youth_care_client_count), count(*)"
    found = staged.rows(f"select period, {counted} from stg.social_domain_panel group by period order by period")
    assert [(period, rows) for period, _, _, rows in found] == [(2017, 305), (2018, 309), (2019, 322)]
    assert all(wmo <= rows and youth <= rows for _, wmo, youth, rows in found)


def test_table_book_keeps_the_suppression_of_its_source(staged: Warehouse) -> None:
    found = staged.rows(
        "select coalesce(suppression, 'shown'), count(*), count(percent) from stg.ggd_results group by 1"
    )
    assert sorted(found) == [
        ("fewer than 5 answers", 88, 0),
        ("fewer than 50 respondents", 25, 0),
        ("shown", 1818, 1818),
    ]


def test_young_adult_table_is_read_under_numbered_headers(staged: Warehouse) -> None:
    shown = [f"count({item}_percent)" for item in ("good_self_rated_health", "severe_loneliness", "obesity", "smoking")]
    (found,) = staged.rows(f"select count(*), {', '.join(shown)} from stg.rivm_results")
    assert found == (365, 350, 348, 300, 347)


def test_boundary_changes_are_read(staged: Warehouse) -> None:
    assert staged.value("select count(*) from stg.boundary_changes") > 1000
    assert staged.value("select count(*) from meta.ledger where stage = 'set_aside'") == 0


@pytest.mark.parametrize("damage", ["cut", "other year's columns", "decimal comma"])
def test_a_damaged_public_file_is_refused(staged: Warehouse, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "deliveries" / "vektis_open"
    folder.mkdir(parents=True)
    year = 2013 if damage == "other year's columns" else 2023
    shutil.copy(DATA / "vektis_open" / f"vektis_{year}_gemeente.csv", folder / "vektis_2023_gemeente.csv")
    content = (folder / "vektis_2023_gemeente.csv").read_bytes()
    if damage == "cut":
        content = content[: len(content) // 2]
    if damage == "decimal comma":
        content = content.replace(b".", b",")
    (folder / "vektis_2023_gemeente.csv").write_bytes(content)
    project = project_in(tmp_path, tmp_path / "deliveries")
    with open_warehouse(project.warehouse, reach=[project.work]) as warehouse:
        load_reference(warehouse, project.reference)
        with pytest.raises(DeliveryError) as caught:
            ingest_extract(warehouse, project, CONTRACTS["vektis_open"], STAGING["vektis_open"], [2023])
        assert warehouse.value("select count(*) from stg.vektis_open") == 0
    assert "AMSTERDAM" not in str(caught.value) and str(caught.value).count("\n") == 2
