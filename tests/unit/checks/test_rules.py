"""Does each counted rule count what breaks it?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.unit.cells import regions
from triple_aim.checks.rules import (
    delivery_verdicts,
    extract_verdicts,
    ledger_verdicts,
    municipality_verdicts,
    part_verdicts,
    person_verdicts,
    region_verdicts,
)
from triple_aim.checks.verdicts import Verdict
from triple_aim.indicators.rollup import geography
from triple_aim.warehouse.connection import open_warehouse
from triple_aim.warehouse.sql_files import read_query

ROOT = Path(__file__).parents[3]
CUBES = {path.stem: read_query(path) for path in sorted((ROOT / "sql" / "cube").glob("*.sql"))}


def failing(verdicts: list[Verdict]) -> dict[str, int]:
    return {v.check_id.split(":")[-1]: v.unexpected for v in verdicts if not v.is_passed}


def test_rows_that_are_set_aside_are_a_warning() -> None:
    (verdict,) = extract_verdicts("claims", 97, 3)
    assert (verdict.severity, verdict.checked, verdict.unexpected, verdict.is_passed) == ("warning", 100, 3, False)
    assert extract_verdicts("claims", 97, 0)[0].is_passed


def test_a_file_no_contract_claims_is_a_warning_that_names_it() -> None:
    (verdict,) = delivery_verdicts(9, ["claims/claims 2023.csv", "b", "c", "d"])
    assert (verdict.severity, verdict.checked, verdict.unexpected) == ("warning", 9, 4)
    assert "claims 2023.csv" in verdict.note and verdict.note.endswith("and more")
    assert delivery_verdicts(5, [])[0].note == ""


def ledger(**changes: float) -> pd.DataFrame:
    euros = {"delivered": 110.0, "set_aside": 10.0, "staged": 100.0, "in_cube": 80.0, "excluded": 20.0, **changes}
    rows = {"delivered": 11, "set_aside": 1, "staged": 10, "in_cube": 8, "excluded": 2}
    return pd.DataFrame(
        [("claims", 2022, "", stage, "all", rows[stage], amount) for stage, amount in euros.items()],
        columns=["extract", "period", "supplier", "stage", "reason", "row_count", "amount_eur"],
    )


def test_a_ledger_that_closes_passes_and_a_lost_cent_does_not() -> None:
    assert failing(ledger_verdicts(ledger())) == {}
    assert failing(ledger_verdicts(ledger(in_cube=79.99))) == {"euros_counted": 1}
    assert failing(ledger_verdicts(ledger(delivered=110.01))) == {"euros_staged": 1}
    lost = ledger()
    lost.loc[lost["stage"] == "excluded", "row_count"] = 1
    assert failing(ledger_verdicts(lost)) == {"rows_counted": 1}
    assert all(c.severity == "critical" for c in ledger_verdicts(ledger()))


def test_a_table_of_lines_is_held_to_one_row_each_of_what_it_reads() -> None:
    query = read_query(ROOT / "sql" / "person" / "care_lines.sql")
    with open_warehouse(None) as warehouse:
        warehouse.run("create table person.care_lines as select 2022 as period from range(3)")
        warehouse.run("create table stg.claims as select 2022 + i // 3 as period from range(6) as lines (i)")
        assert failing(person_verdicts(warehouse, query)) == {}
        warehouse.run("insert into person.care_lines values (2022)")
        assert failing(person_verdicts(warehouse, query)) == {"grain": 1}
        warehouse.run("delete from person.care_lines")
        assert failing(person_verdicts(warehouse, query)) == {}


def test_a_table_of_persons_is_held_to_its_grain_and_to_no_negative_count() -> None:
    query = read_query(ROOT / "sql" / "person" / "hospital_use.sql")
    with open_warehouse(None) as warehouse:
        columns = dict.fromkeys(query.columns, "1")
        columns |= {next(name for name in query.columns if name.endswith("_count")): "-1"}
        row = ", ".join(f"{value} as {name}" for name, value in columns.items())
        warehouse.run(f"create table person.hospital_use as select {row} union all select {row}")
        assert failing(person_verdicts(warehouse, query)) == {"grain": 1, "not_negative": 2}


def test_municipalities_that_nobody_knows_are_named() -> None:
    query = read_query(ROOT / "sql" / "cube" / "mortality.sql")
    place = geography(regions(), regions().types, ["GM0034", "GM9999"])
    known, resolved = municipality_verdicts(query, place)
    assert (known.severity, known.checked, known.unexpected) == ("warning", 2, 1)
    assert "GM9999" in known.note and resolved.is_passed


def test_parts_of_a_cube_that_do_not_add_up_to_it_are_counted() -> None:
    query = next(cube for cube in CUBES.values() if cube.part_of)
    whole = CUBES[query.part_of]
    columns = [name for name in query.grain if name != query.axis]
    cell = ", ".join(f"'none' as {name}" for name in columns)
    with open_warehouse(None) as warehouse:
        warehouse.run(f"create table {whole.table} as select {cell}, 10 as {query.total}")
        parts = f"select {cell}, 'x' as {query.axis}, 4 as {query.total}"
        warehouse.run(f"create table {query.table} as {parts} union all select {cell}, 'y', 6")
        assert failing(part_verdicts(warehouse, query)) == {}
        warehouse.run(f"update {query.table} set {query.total} = 7 where {query.axis} = 'y'")
        assert failing(part_verdicts(warehouse, query)) == {"parts": 1}
        assert part_verdicts(warehouse, whole) == []


def test_the_shipped_classifications_pass() -> None:
    assert failing(region_verdicts(regions())) == {}
