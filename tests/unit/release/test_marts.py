"""Does a mart have the columns, types and order of its contract, and does the ledger hide euros of few rows?"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.content import queries
from triple_aim.definitions.contracts import load_publication
from triple_aim.release.marts import ARROW, build_mart, read_mart
from triple_aim.warehouse.connection import open_warehouse

ROOT = Path(__file__).parents[3]
MARTS = {mart.name: mart for mart in load_publication(ROOT / "contracts").marts}
QUERIES = queries("marts")


def test_a_mart_has_the_columns_types_and_order_of_its_contract() -> None:
    with open_warehouse(None) as warehouse:
        warehouse.run(
            """create table safe.regions as select * from (values
                   ('nl', 'NL01', 'Nederland', cast(2024 as smallint), cast(342 as hugeint)),
                   ('ggd_region', 'GG0001', null, 2024, null)
               ) as t (region_type, region_code, region_name, division_year, municipality_count)"""
        )
        build_mart(warehouse, QUERIES["regions"], MARTS["regions"])
        table = read_mart(warehouse, MARTS["regions"])
    assert table.schema == pa.schema([pa.field(c.name, ARROW[c.type]) for c in MARTS["regions"].columns])
    assert table["region_code"].to_pylist() == ["GG0001", "NL01"]
    assert all(field.nullable for field in table.schema)


@pytest.mark.parametrize("name", MARTS)
def test_the_sql_of_a_mart_has_the_columns_and_grain_of_its_contract(name: str) -> None:
    assert list(QUERIES[name].columns) == [column.name for column in MARTS[name].columns]
    assert list(QUERIES[name].grain) == MARTS[name].grain
