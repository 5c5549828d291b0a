"""Does every SQL file of a person table or cube give the same rows on Spark as in the warehouse, for edge cases too?

Both engines run each file on the tables of the warehouse, so a difference comes from that file. New files are tested
without a change here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.content import queries
from tests.spark.edge_cases import EdgeCases
from triple_aim.cubes.build import build_table
from triple_aim.cubes.spark import SparkBuilder, open_cluster
from triple_aim.definitions.contracts import load_contracts
from triple_aim.deliveries.staging import ensure_tables
from triple_aim.warehouse.connection import Warehouse, open_warehouse, qualified
from triple_aim.warehouse.reference_tables import load_reference
from triple_aim.warehouse.sql_files import Query

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
ROOT = Path(__file__).parents[2]
CONTRACTS = load_contracts(ROOT / "contracts")
STAGING, PERSONS, CUBES = (queries(floor) for floor in ("staging", "person", "cube"))
ORDER = TopologicalSorter({query.table: query.sources("person") for query in PERSONS.values()}).static_order()
STEPS = [*(PERSONS[table.removeprefix("person.")] for table in ORDER), *CUBES.values()]
LEAP = 2024
CASES = {"edge cases": None, "without a row": 0}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module", params=CASES)
def warehouse(request: pytest.FixtureRequest, shared: Path) -> Iterator[Warehouse]:
    """A warehouse in which DuckDB built every table."""
    with open_warehouse(None, reach=[shared]) as warehouse:
        ensure_tables(warehouse)
        load_reference(warehouse, ROOT / "reference")
        edge_cases = EdgeCases(ROOT, LEAP)
        for extract, query in STAGING.items():
            warehouse.create(f"delivery.{extract}", edge_cases.table(CONTRACTS[extract], CASES[request.param]))
            warehouse.run(f"create table {qualified(query.table)} as {query.sql}")
            warehouse.run("insert into meta.staged values (?, ?, '', ?, '')", [extract, LEAP, request.param])
        for query in STEPS:
            build_table(warehouse, query, [LEAP])
        yield warehouse


@pytest.fixture(scope="module")
def cluster(remote: str, shared: Path) -> Iterator[SparkBuilder]:
    with open_cluster(remote, shared) as cluster:
        yield cluster


@pytest.mark.parametrize("query", [*STAGING.values(), *STEPS], ids=lambda query: query.table)
def test_a_file_gives_the_same_rows_on_spark(
    query: Query, warehouse: Warehouse, cluster: SparkBuilder, request: pytest.FixtureRequest
) -> None:
    made_of = dict.fromkeys(query.reads, request.node.callspec.params["warehouse"])
    made = cluster.select(warehouse, query, LEAP, made_of).toArrow()
    with _both(warehouse, query, made) as (ours, theirs):
        assert theirs.num_rows == ours.num_rows
        different = [name for name in query.columns if not _same(ours[name], theirs[name])]
    assert not different


def test_the_edge_cases_reach_every_cube(warehouse: Warehouse, request: pytest.FixtureRequest) -> None:
    if request.node.callspec.params["warehouse"] == "edge cases":
        counts = {query.table: warehouse.value(f"select count(*) from {qualified(query.table)}") for query in STEPS}
        assert all(counts.values()), counts


@contextmanager
def _both(warehouse: Warehouse, query: Query, made: pa.Table) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The table as both engines built it, in the same order and types."""
    columns, order = ", ".join(query.columns), ", ".join(query.grain)
    warehouse.run(f"create or replace temp table theirs as select * from {qualified(query.table)} limit 0")
    with warehouse.named("arriving", made):
        warehouse.run("insert into theirs by name select * from arriving")
    yield (
        warehouse.arrow(f"select {columns} from {qualified(query.table)} order by {order}"),
        warehouse.arrow(f"select {columns} from theirs order by {order}"),
    )


def _same(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> bool:
    if not pa.types.is_floating(ours.type):
        return bool(ours.combine_chunks().equals(theirs.combine_chunks()))
    if ours.is_null() != theirs.is_null():
        return False
    return np.allclose(ours.to_numpy(), theirs.to_numpy(), rtol=1e-9, atol=0, equal_nan=True)
