"""Does the cluster rebuild only changed periods, remove old files, and report errors without values of rows?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from triple_aim.cubes.build import build_table
from triple_aim.cubes.spark import SparkBuilder, open_cluster
from triple_aim.deliveries.staging import ensure_tables
from triple_aim.errors import ProjectError
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.sql_files import Query, read_query

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
YEARS = [2021, 2022]
PERSON = """-- Visits that count, one row each.
-- grain: period, person_key
select
    period,
    person_key,
    cast(euros as decimal(18, 2)) as visit_eur
from stg.visits
where period = $period and euros > 1
"""
CUBE = """-- Persons and their euros.
-- grain: period
select
    period,
    count(*) as person_count,
    sum(visit_eur) as visit_eur
from person.visits
where period = $period
group by period
"""


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared storage"
    folder.mkdir()
    return folder


@pytest.fixture
def cluster(remote: str, shared: Path) -> Iterator[SparkBuilder]:
    with open_cluster(remote, shared) as cluster:
        yield cluster


@pytest.fixture
def warehouse(shared: Path) -> Iterator[Warehouse]:
    with open_warehouse(None, reach=[shared]) as opened:
        ensure_tables(opened)
        opened.run(
            """create table stg.visits as select * from (values
                   (2021, 'a', 10.10), (2021, 'b', 5.05), (2021, 'c', 1.00), (2022, 'a', 7.00)
               ) as t (period, person_key, euros)"""
        )
        for period in YEARS:
            opened.run("insert into meta.staged values ('visits', ?, '', ?, 'content')", [period, f"hash{period}"])
        yield opened


@pytest.fixture
def steps(tmp_path: Path) -> tuple[Query, Query]:
    return read(tmp_path, "person", PERSON), read(tmp_path, "cube", CUBE)


def read(folder: Path, floor: str, sql: str) -> Query:
    path = folder / floor / "visits.sql"
    path.parent.mkdir(exist_ok=True)
    path.write_text(sql)
    return read_query(path)


def build(warehouse: Warehouse, steps: tuple[Query, Query], cluster: SparkBuilder | None) -> list[list[int]]:
    return [build_table(warehouse, step, YEARS, cluster) for step in steps]


def test_only_changed_periods_are_rebuilt_and_old_files_are_removed(
    warehouse: Warehouse, steps: tuple[Query, Query], cluster: SparkBuilder, shared: Path
) -> None:
    assert build(warehouse, steps, cluster) == [YEARS, YEARS]
    assert build(warehouse, steps, cluster) == [[], []]
    warehouse.run("update stg.visits set euros = 8 where period = 2022")
    warehouse.run("update meta.staged set delivery = 'other' where period = 2022")
    assert build(warehouse, steps, cluster) == [[2022], [2022]]
    assert warehouse.rows("select period, cast(visit_eur as varchar) from cube.visits order by all") == [
        (2021, "15.15"), (2022, "8.00"),
    ]  # fmt: skip
    assert warehouse.value("select count(*) from person.visits") == 3
    warehouse.run("delete from meta.staged where period = 2021")
    assert build(warehouse, steps, cluster) == [[2021], [2021]]
    assert warehouse.rows("select period from cube.visits") == warehouse.rows("select period from person.visits")
    assert [path.parent.name for path in (shared / "person" / "visits").glob("*/*")] == ["2022"]
    assert len(list((shared / "stg" / "visits" / "2022").iterdir())) == 1


def test_a_year_without_rows_is_built(warehouse: Warehouse, cluster: SparkBuilder, tmp_path: Path) -> None:
    steps = read(tmp_path, "person", PERSON.replace("euros > 1", "euros > 10")), read(tmp_path, "cube", CUBE)
    assert build(warehouse, steps, cluster) == [YEARS, YEARS]
    assert warehouse.rows("select period, person_count from cube.visits") == [(2021, 1)]


def test_another_engine_changes_no_cube(
    warehouse: Warehouse, steps: tuple[Query, Query], cluster: SparkBuilder
) -> None:
    build(warehouse, steps, None)
    assert build(warehouse, steps, cluster) == [YEARS, []]  # person tables move, sums do not change
    assert warehouse.kind("person.visits") == "VIEW"
    assert build(warehouse, steps, None) == [YEARS, []]
    assert warehouse.kind("person.visits") == "BASE TABLE"


def test_a_missing_table_is_reported(
    warehouse: Warehouse, steps: tuple[Query, Query], cluster: SparkBuilder, shared: Path, tmp_path: Path
) -> None:
    build(warehouse, steps, cluster)
    for path in (shared / "person" / "visits" / "2021").iterdir():
        path.rename(tmp_path / "elsewhere")
    cube = read(tmp_path, "cube", CUBE.replace("count(*)", "1 + count(*)"))
    with pytest.raises(ProjectError, match=r"person\.visits of 2021 is missing"):
        build_table(warehouse, cube, YEARS, cluster)


def test_a_failed_cast_is_reported_without_the_value(
    warehouse: Warehouse,
    steps: tuple[Query, Query],
    cluster: SparkBuilder,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    build_table(warehouse, steps[0], YEARS, cluster)
    warehouse.run("update stg.visits set person_key = 'a-pseudonym' where period = 2022")
    warehouse.run("update meta.staged set delivery = 'other' where period = 2022")
    wrong = read(tmp_path, "person", PERSON.replace("cast(euros as", "cast(person_key as"))
    with pytest.raises(ProjectError, match="the cluster refused") as caught:
        build_table(warehouse, wrong, YEARS, cluster)
    assert caught.value.exit_code == 12
    assert "a-pseudonym" not in f"{caught.value}{capfd.readouterr().err}"


def test_the_check_of_shared_storage_leaves_no_file(cluster: SparkBuilder, shared: Path) -> None:
    assert cluster.name().startswith("Spark ")
    assert not list(shared.iterdir())


def test_a_missing_cluster_is_reported_without_the_token(shared: Path, remote: str) -> None:
    nowhere = open_cluster("sc://127.0.0.1:9/;token=secret", shared)
    with pytest.raises(ProjectError, match="does not answer") as caught, nowhere:
        pytest.fail("nobody listens there")
    assert caught.value.exit_code == 12 and "secret" not in str(caught.value)


def test_missing_storage_is_not_created(remote: str, shared: Path) -> None:
    with pytest.raises(ProjectError, match="does not exist") as caught, open_cluster(remote, shared / "unmounted"):
        pytest.fail("the folder is not there")
    assert caught.value.exit_code == 12 and not (shared / "unmounted").exists()
