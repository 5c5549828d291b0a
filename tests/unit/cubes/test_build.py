"""Is a cube rebuilt only if its SQL or sources changed, and does missing differ from zero?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from triple_aim.cubes.build import build_table
from triple_aim.cubes.cells import load_cells, municipality_codes
from triple_aim.cubes.columns import column_type
from triple_aim.cubes.ledger import parts_that_differ, reconcile
from triple_aim.definitions.contracts import load_contracts
from triple_aim.deliveries.staging import ensure_tables
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.sql_files import Query, read_query

SQL = """-- Visits by municipality.
-- grain: period, municipality_code, sex, exclusion
select
    period,
    municipality_code,
    sex,
    exclusion,
    count(*) as visit_count,
    cast(sum(euros) as decimal(38, 2)) as visit_eur
from stg.visits
where period = $period and municipality_code in (select municipality_code from ref.places)
group by
    period,
    municipality_code,
    sex,
    exclusion
"""


@pytest.fixture
def query(tmp_path: Path) -> Query:
    path = tmp_path / "cube" / "visits.sql"
    path.parent.mkdir()
    path.write_text(SQL)
    return read_query(path)


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse(None) as opened:
        ensure_tables(opened)
        opened.run("create table ref.places as select * from (values ('GM0001'), ('GM0002')) as t (municipality_code)")
        opened.run(
            """create table stg.visits as select * from (values
                   (2021, 'GM0001', 'M', 'none', 10.10), (2021, 'GM0001', 'M', 'none', 5.05),
                   (2021, 'GM0002', 'F', 'none', 1.00), (2022, 'GM0001', 'F', 'none', 7.00),
                   (2022, 'GM0009', 'F', 'none', 7.00), (2022, 'GM0001', 'F', 'other_year', 3.00)
               ) as t (period, municipality_code, sex, exclusion, euros)"""
        )
        for period in (2021, 2022):
            opened.run("insert into meta.staged values (?, ?, ?, ?, ?)",
                       ["visits", period, "", f"hash{period}", "content"])  # fmt: skip
        yield opened


def test_only_changed_periods_are_rebuilt(warehouse: Warehouse, query: Query) -> None:
    assert build_table(warehouse, query, [2020, 2021, 2022]) == [2021, 2022]
    assert build_table(warehouse, query, [2020, 2021, 2022]) == []
    warehouse.run("update meta.staged set delivery = 'other' where period = 2022")
    assert build_table(warehouse, query, [2021, 2022]) == [2022]


def test_a_changed_reference_table_rebuilds_its_readers(warehouse: Warehouse, query: Query) -> None:
    build_table(warehouse, query, [2021, 2022])
    warehouse.run("insert into ref.places values ('GM0009')")
    assert build_table(warehouse, query, [2021, 2022]) == [2021, 2022]
    assert municipality_codes(warehouse, query) == ["GM0001", "GM0002", "GM0009"]


def test_changed_sql_and_a_withdrawn_delivery_rebuild_the_cube(
    warehouse: Warehouse, query: Query, tmp_path: Path
) -> None:
    build_table(warehouse, query, [2021, 2022])
    (tmp_path / "cube" / "visits.sql").write_text(SQL.replace("count(*) as visit_count", "2 * count(*) as visit_count"))
    assert build_table(warehouse, read_query(tmp_path / "cube" / "visits.sql"), [2021, 2022]) == [2021, 2022]
    assert warehouse.value("select max(visit_count) from cube.visits where period = 2021") == 4
    warehouse.run("delete from meta.staged where period = 2021")
    build_table(warehouse, query, [2021, 2022])
    assert warehouse.value("select count(*) from cube.visits where period = 2021") == 0


PERSON_SQL = """-- Visits that count, one row each.
-- grain: period, person_key
select
    period,
    municipality_code as person_key,
    euros
from stg.visits
where period = $period and euros > 1
"""
OVER_PERSON_SQL = """-- Persons.
-- grain: period
select
    period,
    count(*) as person_count
from person.visits
where period = $period
group by period
"""


def person_and_cube(folder: Path, person_sql: str) -> tuple[Query, Query]:
    for floor, text in (("person", person_sql), ("cube", OVER_PERSON_SQL)):
        path = folder / floor / "visits.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return read_query(folder / "person" / "visits.sql"), read_query(folder / "cube" / "visits.sql")


def test_a_changed_person_table_rebuilds_the_cube_that_reads_it(warehouse: Warehouse, tmp_path: Path) -> None:
    person, cube = person_and_cube(tmp_path, PERSON_SQL)
    assert build_table(warehouse, person, [2020, 2021, 2022]) == [2021, 2022]
    assert build_table(warehouse, cube, [2020, 2021, 2022]) == [2021, 2022]
    assert build_table(warehouse, person, [2021, 2022]) == build_table(warehouse, cube, [2021, 2022]) == []
    warehouse.run("update meta.staged set delivery = 'other' where period = 2022")
    assert build_table(warehouse, person, [2021, 2022]) == build_table(warehouse, cube, [2021, 2022]) == [2022]
    person, cube = person_and_cube(tmp_path, PERSON_SQL.replace("euros > 1", "euros > 5.05"))
    assert build_table(warehouse, person, [2021]) == build_table(warehouse, cube, [2021]) == [2021]
    assert warehouse.value("select person_count from cube.visits where period = 2021") == 1


def test_a_cube_loses_the_periods_of_its_person_table(warehouse: Warehouse, tmp_path: Path) -> None:
    person, cube = person_and_cube(tmp_path, PERSON_SQL)
    build_table(warehouse, person, [2021, 2022])
    build_table(warehouse, cube, [2021, 2022])
    warehouse.run("delete from meta.staged where period = 2021")
    assert build_table(warehouse, person, [2021, 2022]) == build_table(warehouse, cube, [2021, 2022]) == [2021]
    assert warehouse.rows("select period from cube.visits") == [(2022,)]


def test_other_columns_rebuild_the_table(warehouse: Warehouse, query: Query, tmp_path: Path) -> None:
    build_table(warehouse, query, [2021, 2022])
    path = tmp_path / "cube" / "visits.sql"
    path.write_text(SQL.replace("count(*) as visit_count,", "count(*) as visit_count,\n    count(*) as other_count,"))
    assert build_table(warehouse, read_query(path), [2021, 2022]) == [2021, 2022]
    assert [name for name, _ in warehouse.header("select * from cube.visits")][4:6] == ["visit_count", "other_count"]


def test_names_decide_types(warehouse: Warehouse, query: Query) -> None:
    build_table(warehouse, query, [2021])
    types = dict(warehouse.header("select * from cube.visits"))
    assert (types["visit_count"], types["visit_eur"], types["sex"]) == ("BIGINT", "DECIMAL(18,2)", "VARCHAR")
    assert column_type("insured_years") == "DECIMAL(38,9)" and column_type("municipality_code") is None


def test_cells_distinguish_missing_from_zero(warehouse: Warehouse, query: Query) -> None:
    build_table(warehouse, query, [2021, 2022])
    cells = load_cells(warehouse, query)
    assert cells.labels == {
        "period": ["2021", "2022"], "municipality_code": ["GM0001", "GM0002"], "sex": ["F", "M"], "age_band": ["all"],
    }  # fmt: skip
    counts = cells.sums["visit_count"][..., 0]
    assert counts[0].tolist() == [[0, 2], [1, 0]]  # delivered, and nobody of that sex
    assert counts[1, 0].tolist() == [1, 0]  # the excluded row is not counted
    assert np.isnan(counts[1, 1]).all()  # GM0002 delivered nothing in 2022
    assert cells.keep("sex", np.array([False, True])).labels["sex"] == ["M"]
    assert cells.periods() == [2021, 2022]


def test_the_ledger_follows_rows_and_euros_into_the_cube(warehouse: Warehouse, query: Query) -> None:
    build_table(warehouse, query, [2021, 2022])
    ledger = load_contracts(Path(__file__).parents[3] / "contracts")["claims"]
    assert ledger.ledger is not None
    counted = ledger.ledger.model_copy(update={"cube": "visits", "rows": "visit_count", "euros": "visit_eur"})
    contract = ledger.model_copy(update={"extract": "visits", "ledger": counted})
    rows = reconcile(warehouse, [contract]).set_index(["period", "stage", "reason"])
    assert rows.loc[(2021, "in_cube", "all"), "row_count"] == 3
    assert float(rows.loc[(2021, "in_cube", "all"), "amount_eur"]) == 16.15
    assert rows.loc[(2022, "excluded", "other_year"), "row_count"] == 1


PARTS_SQL = """-- Euros of visits by kind.
-- grain: period, municipality_code, sex, age_band, kind, exclusion
-- parts of: visits.visit_eur
-- members: ref.kinds
select
    period,
    municipality_code,
    sex,
    age_band,
    kind,
    exclusion,
    sum(euros) as visit_eur
from stg.visits
where period = $period
group by all
"""
WHOLE_SQL = """-- Euros of visits.
-- grain: period, municipality_code, sex, age_band, exclusion
select
    period,
    municipality_code,
    sex,
    age_band,
    exclusion,
    sum(euros) as visit_eur
from stg.visits
where period = $period
group by all
"""


@pytest.fixture
def split(tmp_path: Path) -> Iterator[tuple[Warehouse, Query, Query]]:
    """A cube of four municipalities in two years, and its parts by kind of visit."""
    (tmp_path / "cube").mkdir(exist_ok=True)
    queries = []
    for name, text in (("visits", WHOLE_SQL), ("visit_kinds", PARTS_SQL)):
        (tmp_path / "cube" / f"{name}.sql").write_text(text)
        queries.append(read_query(tmp_path / "cube" / f"{name}.sql"))
    whole, parts = queries[0], replace(queries[1], members=("clinic", "home", "phone"))
    with open_warehouse(None) as opened:
        ensure_tables(opened)
        opened.run(
            """create table stg.visits as select * from (values
                   (2022, 'GM0001', 'F', 'home', 'none', 2.25), (2022, 'GM0001', 'F', 'clinic', 'none', 5.00),
                   (2022, 'GM0001', 'M', 'home', 'none', 1.00), (2022, 'GM0002', 'M', 'home', 'none', 4.00),
                   (2023, 'GM0001', 'M', 'home', 'none', 9.00), (2023, 'GM0001', 'M', 'home', 'other_year', 3.00)
               ) as t (period, municipality_code, sex, kind, exclusion, euros);
               alter table stg.visits add column age_band varchar default '40-44'"""
        )
        for period in (2022, 2023):
            opened.run("insert into meta.staged values (?, ?, ?, ?, ?)",
                       ["visits", period, "", f"hash{period}", "content"])  # fmt: skip
        for query in (whole, parts):
            build_table(opened, query, [2022, 2023])
        yield opened, whole, parts


def test_parts_have_the_axes_of_their_cube_and_missing_is_not_zero(split: tuple[Warehouse, Query, Query]) -> None:
    warehouse, whole, parts = split
    cells = load_cells(warehouse, whole, [parts])
    names = [f"visit_eur[kind={kind}]" for kind in ("clinic", "home", "phone")]
    assert list(cells.sums) == ["visit_eur", *names]
    clinic, home, phone = (cells.sums[name][..., 0] for name in names)
    assert clinic[0].tolist() == [[5.0, 0.0], [0.0, 0.0]]  # (municipality, sex)
    assert home[0].tolist() == [[2.25, 1.0], [0.0, 4.0]]
    assert phone[0].tolist() == [[0.0, 0.0], [0.0, 0.0]]  # nobody had it, and it was delivered
    assert home[1, 0].tolist() == [0.0, 9.0] and np.isnan(phone[1, 1]).all()  # GM0002 delivered nothing in 2023
    assert np.nansum(cells.sums["visit_eur"]) == sum(np.nansum(cells.sums[name]) for name in names)


def test_parts_that_do_not_add_up_are_counted(split: tuple[Warehouse, Query, Query]) -> None:
    warehouse, whole, parts = split
    assert parts_that_differ(warehouse, parts) == (4, 0)
    warehouse.run("update cube.visit_kinds set visit_eur = visit_eur + 0.01 where municipality_code = 'GM0002'")
    warehouse.run("delete from cube.visit_kinds where period = 2023")
    assert parts_that_differ(warehouse, parts) == (4, 2)
    warehouse.run("update cube.visit_kinds set sex = 'unknown' where municipality_code = 'GM0002'")
    assert parts_that_differ(warehouse, parts) == (4, 3)  # a cell without its part, and a part without its cell
    with pytest.raises(ValueError, match="invalid entry"):
        load_cells(warehouse, whole, [parts])


def test_columns_that_are_parts_have_both_names(warehouse: Warehouse, query: Query) -> None:
    build_table(warehouse, query, [2021, 2022])
    cells = load_cells(warehouse, replace(query, parts=(("euros[kind=visit]", "visit_eur"),)))
    assert cells.sums["euros[kind=visit]"] is cells.sums["visit_eur"]
