"""Does the content follow the rules of the project: floors of SQL, names, schemas, the lock file?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.content import queries
from triple_aim.cubes.build import build_table
from triple_aim.cubes.columns import TYPES, column_type
from triple_aim.definitions.contracts import load_contracts, load_publication
from triple_aim.definitions.json_schemas import SCHEMAS, schema_text
from triple_aim.deliveries.staging import ensure_tables
from triple_aim.deliveries.validation import SQL_TYPES
from triple_aim.errors import ContentError
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.reference_tables import load_reference
from triple_aim.warehouse.sql_files import Query, read_query

ROOT = Path(__file__).parents[2]
QUERIES = {folder: queries(folder) for folder in ("staging", "person", "cube", "marts")}
ALL_QUERIES = [
    pytest.param(query, id=f"{folder}/{name}") for folder, named in QUERIES.items() for name, query in named.items()
]

#: Endings of column names; a column with a count, a sum or a quotient has one of them.
SUFFIXES = (
    "_count _sum _sumsq _eur _years _rate _share _percent _code _label _date _id _type _name _key _group _band _year "
    "_number _seq _status _version _nl _en _on _icd10 _reference _reason _source _unit _value _lower _upper _judgement "
    "_kind _credit _from _to _until _breaks _class _condition _month _quantity _quintile"
).split()
#: Names without such an ending: dimensions and texts.
WORDS = (
    "activity age aim answer basis category check_id condition decimals denominator difference domain education "
    "exclusion expectation extract item judgement law lower methods note numerator origin owner percent period "
    "polarity population reason segment severity sex share source stage status stratum subject supplier suppression "
    "trend unit upper value weight"
).split()


@pytest.mark.parametrize("query", ALL_QUERIES)
def test_a_query_has_a_purpose_and_its_grain_is_among_its_columns(query: Query) -> None:
    assert query.purpose.endswith(".")
    assert set(query.grain) <= set(query.columns)
    assert query.params <= {"period"}


@pytest.mark.parametrize("query", ALL_QUERIES)
def test_column_names_come_from_the_vocabulary(query: Query) -> None:
    unknown = [
        name
        for name in query.columns
        if name not in WORDS and not name.endswith(tuple(SUFFIXES)) and not name.startswith("is_")
    ]
    assert not unknown


@pytest.mark.parametrize(
    ("folder", "table"),
    [
        ("staging", "stg.claims"),
        ("staging", "person.care_years"),
        ("person", "delivery.claims"),
        ("person", "cube.claims"),
        ("cube", "delivery.claims"),
        ("marts", "ind.smoking"),
        ("marts", "cube.claims"),
        ("marts", "person.care_years"),
    ],
)
def test_a_floor_cannot_read_a_schema_it_may_not(tmp_path: Path, folder: str, table: str) -> None:
    path = tmp_path / folder / "forbidden.sql"
    path.parent.mkdir()
    path.write_text(f"-- Reads a forbidden schema.\n-- grain: period\nselect period from {table}\n")
    with pytest.raises(ContentError, match=re.escape(f"it reads {table}")):
        read_query(path)


def test_a_statement_other_than_a_select_is_refused(tmp_path: Path) -> None:
    (tmp_path / "marts").mkdir()
    path = tmp_path / "marts" / "forbidden.sql"
    path.write_text("-- Deletes.\n-- grain: period\ndelete from safe.indicator_values\n")
    with pytest.raises(ContentError, match="exactly one select"):
        read_query(path)


@pytest.fixture
def staged() -> Iterator[Warehouse]:
    """Every staged table, typed by its contract and its SQL, without rows."""
    with open_warehouse(None) as warehouse:
        ensure_tables(warehouse)
        load_reference(warehouse, ROOT / "reference")
        for contract in load_contracts(ROOT / "contracts").values():
            types_of = "".join(f", {column.name} {SQL_TYPES[column.type]}" for column in contract.columns)
            warehouse.run(
                f"create table delivery.{contract.extract} "
                f"(period integer, line_number bigint, supplier varchar{types_of}); "
                f"create table stg.{contract.extract} as {QUERIES['staging'][contract.extract].sql}"
            )
        yield warehouse


def build_cubes(warehouse: Warehouse, periods: list[int]) -> None:
    steps = TopologicalSorter({query.table: query.sources("person") for query in QUERIES["person"].values()})
    for table in steps.static_order():
        build_table(warehouse, QUERIES["person"][table.removeprefix("person.")], periods)
    for query in QUERIES["cube"].values():
        build_table(warehouse, query, periods)


def test_one_name_has_one_type_in_every_cube(staged: Warehouse) -> None:
    types: dict[str, set[str]] = {}
    build_cubes(staged, [])
    for query in QUERIES["cube"].values():
        for name, kind in staged.header(f'select * from cube."{query.name}"'):
            types.setdefault(name, set()).add(kind)
            assert kind == (column_type(name) or "VARCHAR"), f"{query.name}.{name}"
    assert {name: kinds for name, kinds in types.items() if len(kinds) > 1} == {}
    assert set(TYPES.values()) <= {kind for kinds in types.values() for kind in kinds}


def test_no_identifier_of_a_person_reaches_a_cube(staged: Warehouse) -> None:
    staged.run(
        """insert into stg.insured_population by name select 2023 as period, '' as supplier, 1 as line_number,
               'CANARY' as person_key, 'GM0001' as municipality_code, 'F' as sex, 70 as age, '70-74' as age_band,
               '1' as ses_quintile, date '2020-01-01' as start_date, date '9999-12-31' as until_date;
           insert into stg.claims by name select 2023 as period, '' as supplier, range as line_number,
               'CANARY' as person_key, 'hospital' as care_kind, activity, 'CANARY' as diagnosis_icd10,
               'CANARY' as atc_code, date '2023-03-01' as start_date, date '2023-03-04' as until_date,
               'CANARY' as provider_code, 'D' as debit_credit, 'CANARY' as reference_number, 1 as amount_eur
           from range(5) cross join (select distinct activity from ref.activities);
           insert into stg.claims by name select 2023 as period, '' as supplier, 9 as line_number,
               'CANARY' as person_key, 'hospital' as care_kind, 'admission_acute' as activity,
               'J449' as diagnosis_icd10, date '2023-06-01' as start_date, date '2023-06-04' as until_date,
               'CANARY' as provider_code, 'D' as debit_credit, 1 as amount_eur"""
    )
    for extract in ("insured_population", "claims"):
        staged.run("insert into meta.staged values (?, 2023, '', 'delivery', 'content')", [extract])
    build_cubes(staged, [2023])
    assert staged.value("select count(*) from person.care_lines where person_number = 1")
    for name in (name for name in QUERIES["cube"] if name.startswith("claims")):
        assert staged.value(f"select count(*) from cube.{name}")
        assert not staged.value(f"select count(*) from cube.{name} as cell where cast(cell as varchar) like '%CANARY%'")


def test_no_module_names_a_person_table() -> None:
    table = re.compile(rf"person\.\"?({'|'.join(QUERIES['person'])})\b")
    for path in [*(ROOT / "triple_aim").rglob("*.py"), *(ROOT / "assets").glob("*.py")]:
        assert not table.search(path.read_text()), path.name


def test_both_questionnaires_have_the_same_sql() -> None:
    survey, experience = (
        (ROOT / "sql" / "cube" / f"{name}.sql").read_text().partition("\n")[2] for name in ("survey", "experience")
    )
    assert experience == survey.replace("stg.survey", "stg.experience_survey")


def test_one_name_has_one_type_in_every_mart() -> None:
    types: dict[str, set[str]] = {}
    for mart in load_publication(ROOT / "contracts").marts:
        for column in mart.columns:
            types.setdefault(column.name, set()).add(column.type)
    assert {name: kinds for name, kinds in types.items() if len(kinds) > 1} == {}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_equals_that_of_the_model(name: str) -> None:
    assert (ROOT / name).read_text() == schema_text(SCHEMAS[name]), "run: make reference"


def test_content_points_to_its_schema() -> None:
    for path in [*(ROOT / "contracts").glob("*.yaml"), *(ROOT / "indicator_specs").rglob("*.yaml")]:
        schema = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
        assert schema, path.name
        assert (path.parent / schema[1]).resolve().relative_to(ROOT).as_posix() in SCHEMAS


def test_the_lock_names_no_machine_and_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?:|file:|--index|--find-links|(^|\s)/\w", text)
    assert all("==" in line for line in text.splitlines() if re.match(r"[a-z0-9]", line))


def test_no_file_of_the_project_names_a_folder_of_a_machine() -> None:
    named = "|".join(("/work" + "/", "/ho" + "me/", "/Use" + "rs/", "/ro" + "ot/"))
    folder = re.compile(rf"(?<![\w.)}}~/])(?:{named})")
    run_output = {"work", "publication"}
    kept = [path for path in ROOT.iterdir() if path.name not in run_output and not path.name.startswith(".")]
    files = [path for top in kept for path in ([top] if top.is_file() else top.rglob("*"))]
    kinds = {".py", ".sql", ".yaml", ".toml", ".md", ".csv", ".html", ".json", ".lock", ""}
    for path in files:
        if path.is_file() and path.suffix in kinds:
            found = folder.search(path.read_text(errors="ignore"))
            assert not found, f"{path.relative_to(ROOT)}: {found}"
