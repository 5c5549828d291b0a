"""Does each expectation of cubes fail when a cube is wrong, and for that cube alone?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cells import regions
from triple_aim.checks.cube_suite import cube_suite, cube_verdicts
from triple_aim.checks.verdicts import Verdict
from triple_aim.indicators.rollup import geography
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.sql_files import Query, read_query

ROOT = Path(__file__).parents[3]
CUBES = {name: read_query(ROOT / "sql" / "cube" / f"{name}.sql") for name in ("mortality", "social_domain_panel")}
TEXTS = {"municipality_code": "'GM0034'", "sex": "'F'", "age_band": "'65-69'", "exclusion": "'none'"}


def fill(warehouse: Warehouse, query: Query, **changes: str) -> None:
    """One cube of two rows, of which the first is changed."""
    sound = {name: TEXTS.get(name, "2022" if name == "period" else "1") for name in query.columns}
    other = sound | {"municipality_code": "'GM0050'"}
    kinds = {name: "varchar" if name in TEXTS else "integer" for name in query.columns}
    rows = [
        ", ".join(f"cast({value} as {kinds[name]}) as {name}" for name, value in row.items())
        for row in (sound | changes, other)
    ]
    warehouse.run(f"create table {query.table} as select {rows[0]} union all select {rows[1]}")


def failing(found: list[Verdict]) -> dict[str, int]:
    return {v.check_id.split(":", 1)[-1]: v.unexpected for v in found if not v.is_passed}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, {}),
        ({"municipality_code": "'GM0050'"}, {"grain": 2}),
        ({"municipality_code": "null"}, {"key_is_complete": 1}),
        ({"death_count": "-1"}, {"not_negative": 1}),
        ({"period": "1999"}, {"period:range": 1}),
        ({"sex": "'X'"}, {"sex:values": 1}),
        ({"age_band": "'old'"}, {"age_band:matches": 1}),
    ],
)
def test_an_expectation_fails_for_the_cube_that_is_wrong(changes: dict[str, str], broken: dict[str, int]) -> None:
    wrong, other = CUBES["mortality"], CUBES["social_domain_panel"]
    with open_warehouse(None) as warehouse:
        fill(warehouse, other)
        fill(warehouse, wrong, **changes)
        found = cube_verdicts(warehouse, {wrong: None, other: None})
    assert failing(found["cube.mortality"]) == broken
    assert failing(found["cube.social_domain_panel"]) == {}
    assert not any("sex" in v.check_id for v in found["cube.social_domain_panel"])
    assert {v.checked for v in found["cube.mortality"]} <= {1, 2}


def test_cubes_without_rows_and_no_cubes_at_all_have_nothing_wrong() -> None:
    query = CUBES["mortality"]
    with open_warehouse(None) as warehouse:
        fill(warehouse, query)
        warehouse.run(f"delete from {query.table}")
        found = cube_verdicts(warehouse, {query: None})["cube.mortality"]
        assert {(v.checked, v.unexpected) for v in found} == {(0, 0)}
        assert len(found) == len(cube_suite())
        assert cube_verdicts(warehouse, {}) == {}


def test_a_municipality_that_nobody_knows_is_a_warning() -> None:
    query = CUBES["mortality"]
    place = geography(regions(), regions().types, ["GM0034", "GM9999"])
    with open_warehouse(None) as warehouse:
        fill(warehouse, query)
        found = cube_verdicts(warehouse, {query: place})["cube.mortality"]
    assert failing(found) == {"municipalities_known": 1}
