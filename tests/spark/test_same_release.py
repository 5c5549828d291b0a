"""Does a run publish the same bytes with either engine? From the shipped samples, all indicators."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.golden.regenerate import run_samples
from tests.spark.test_same_tables import CUBES, PERSONS
from triple_aim.warehouse.connection import open_warehouse, qualified

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def by_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("by_duckdb")
    run_samples(folder)
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def by_spark(remote: str, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("by_spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIPLE_AIM_ENGINE", "spark")
        patch.setenv("TRIPLE_AIM_SPARK_REMOTE", remote)
        patch.setenv("TRIPLE_AIM_SHARED_STORAGE", str(shared))
        run_samples(folder)
    return folder


def test_every_cube_is_the_same(by_duckdb: Path, by_spark: Path) -> None:
    ours, theirs = cubes(by_duckdb), cubes(by_spark)
    assert [name for name in CUBES if not ours[name].equals(theirs[name])] == []


def test_every_published_byte_is_the_same(by_duckdb: Path, by_spark: Path) -> None:
    ours, theirs = published(by_duckdb), published(by_spark)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_rows_of_persons_stay_on_shared_storage(by_spark: Path, shared: Path) -> None:
    with open_warehouse(by_spark / "work" / "warehouse.duckdb", reach=[shared]) as warehouse:
        assert {warehouse.kind(query.table) for query in PERSONS.values()} == {"VIEW"}
        periods = warehouse.rows("select distinct period from meta.built where table_name = 'person.care_years'")
    kept = sorted(path.parent.name for path in (shared / "person" / "care_years").glob("*/*"))
    assert kept == [str(period) for (period,) in sorted(periods)]  # one folder per year, no old ones


def cubes(folder: Path) -> dict[str, pa.Table]:
    with open_warehouse(folder / "work" / "warehouse.duckdb") as warehouse:
        return {
            name: warehouse.arrow(f"select * from {qualified(query.table)} order by {', '.join(query.grain)}")
            for name, query in CUBES.items()
        }


def published(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "publication" / "current").glob("*.parquet")}
