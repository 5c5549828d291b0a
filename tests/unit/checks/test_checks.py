"""Does each rule count what breaks it, and does Great Expectations judge the counts?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import regions, specs
from triple_aim.checks import (
    Count,
    as_frame,
    cube_counts,
    delivery_counts,
    indicator_counts,
    judge,
    ledger_counts,
    mart_counts,
    region_counts,
)
from triple_aim.definitions.contracts import load_publication
from triple_aim.definitions.specs import Expectation, Spec
from triple_aim.indicators.rollup import geography
from triple_aim.indicators.rows import NO_ROWS, TOO_FEW
from triple_aim.warehouse.connection import open_warehouse
from triple_aim.warehouse.sql_files import read_query

ROOT = Path(__file__).parents[3]


def count(unexpected: int, severity: str = "critical", name: str = "a:b") -> Count:
    return Count(name, "ind/a", "nothing is wrong", severity, 10, unexpected)  # type: ignore[arg-type]


def failing(counts: list[Count]) -> dict[str, int]:
    return {c.check_id.split(":")[-1]: c.unexpected for c in counts if c.unexpected}


def test_great_expectations_passes_zero_and_nothing_else() -> None:
    verdicts = judge([count(0, name="a:zero"), count(3, name="a:three"), count(1, "warning", "a:one")])
    assert [verdict.is_passed for verdict in verdicts] == [True, False, False]
    assert judge([]) == []
    frame = as_frame(verdicts)
    assert frame["unexpected_count"].tolist() == [0, 3, 1] and frame["severity"].tolist()[2] == "warning"


def test_a_file_no_contract_claims_is_a_warning_that_names_it() -> None:
    (count,) = delivery_counts(9, ["claims/claims 2023.csv", "b", "c", "d"])
    assert (count.severity, count.checked, count.unexpected) == ("warning", 9, 4)
    assert "claims 2023.csv" in count.note and count.note.endswith("and more")
    assert delivery_counts(5, [])[0].note == ""


def ledger(**changes: float) -> pd.DataFrame:
    euros = {"delivered": 110.0, "set_aside": 10.0, "staged": 100.0, "in_cube": 80.0, "excluded": 20.0, **changes}
    rows = {"delivered": 11, "set_aside": 1, "staged": 10, "in_cube": 8, "excluded": 2}
    return pd.DataFrame(
        [("claims", 2022, "", stage, "all", rows[stage], amount) for stage, amount in euros.items()],
        columns=["extract", "period", "supplier", "stage", "reason", "row_count", "amount_eur"],
    )


def test_a_ledger_that_closes_passes_and_a_lost_cent_does_not() -> None:
    assert failing(ledger_counts(ledger())) == {}
    assert failing(ledger_counts(ledger(in_cube=79.99))) == {"euros_counted": 1}
    assert failing(ledger_counts(ledger(delivered=110.01))) == {"euros_staged": 1}
    lost = ledger()
    lost.loc[lost["stage"] == "excluded", "row_count"] = 1
    assert failing(ledger_counts(lost)) == {"rows_counted": 1}
    assert all(c.severity == "critical" for c in ledger_counts(ledger()))


def rows(**changes: object) -> pd.DataFrame:
    """Two years of one region, by sex and in total, of premature mortality."""
    sound = pd.DataFrame(
        [
            {
                "source": "mortality", "region_type": "nl", "region_code": "NL01", "period": period, "sex": sex,
                "age_group": "all", "segment_type": "none", "segment": "all", "value": 400.0, "lower": 380.0,
                "upper": 420.0, "numerator": 200.0 if sex == "all" else 100.0, "status": "published",
                "coverage_share": 1.0, "reason": "",
            }
            for period in (2021, 2022) for sex in ("all", "F", "M")
        ]
    )  # fmt: skip
    for column, value in changes.items():
        sound.loc[0, column] = value
    return sound


def counted(spec: Spec, table: pd.DataFrame) -> list[Count]:
    """What is counted of one indicator, beside another one that is sound."""
    other = specs()["crude_mortality"]
    table = pd.concat([rows().assign(indicator_id=other.id), table.assign(indicator_id=spec.id)], ignore_index=True)
    return indicator_counts([other, spec], table)[spec.id]


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, {}),
        ({"period": 2022}, {"unique": 1}),
        ({"status": "fine"}, {"status": 1}),
        ({"value": np.nan}, {"value_when_published": 1}),
        ({"value": 430.0}, {"interval_holds_value": 1}),
        ({"value": 9e9, "upper": 9e9}, {"range": 1}),
        ({"status": "not_computed", "reason": TOO_FEW, "value": np.nan}, {"coverage": 1}),
        ({"numerator": 190.0}, {"parts_by_sex": 1}),
    ],
)
def test_a_rule_counts_what_breaks_it(changes: dict[str, object], broken: dict[str, int]) -> None:
    found = failing(counted(specs()["premature_mortality"], rows(**changes)))
    assert {name: found.get(name) for name in broken} == broken
    assert broken or not found


def test_a_jump_between_years_is_told_unless_a_break_was_declared() -> None:
    base = specs()["zvw_cost_standardised"]
    jump = rows().assign(value=[400.0, 1, 1, 600, 1, 1], lower=0.0, upper=1e4, source="claims")
    totals = jump[jump["sex"] == "all"].assign(value=[4000.0, 6000.0])
    assert failing(counted(base, totals)) == ({} if breaks(base, 2022) else {"change": 1})
    early = totals.assign(period=[2014, 2015])
    assert failing(counted(base, early)) == {}


def breaks(spec, year: int) -> bool:  # type: ignore[no-untyped-def]
    return any(item.from_ == year and not item.comparable for item in spec.breaks)


def test_a_spec_decides_how_grave_a_value_out_of_range_is() -> None:
    spec = specs()["premature_mortality"]
    grave = spec.model_copy(
        update={"expect": spec.expect.model_copy(update={"range": Expectation(max=1, severity="critical")})}
    )
    assert [c.severity for c in counted(grave, rows()) if c.unexpected] == ["critical"]


def test_an_indicator_nobody_delivered_is_a_remark_not_a_failure() -> None:
    (told,) = counted(specs()["smoking"], NO_ROWS)
    assert (told.severity, told.unexpected, told.note) == ("warning", 0, "no source")


def test_a_cube_is_held_to_its_grain_and_its_municipalities() -> None:
    query = read_query(ROOT / "sql" / "cube" / "social_domain_panel.sql")
    with open_warehouse(None) as warehouse:
        values = ["2022", "'GM0034'", "'none'", "1", "5", "-3", *["9"] * 9]
        columns = ", ".join(f"{value} as {name}" for name, value in zip(query.columns, values, strict=False))
        warehouse.run(f"create table cube.social_domain_panel as select {columns} union all select {columns}")
        place = geography(regions(), regions().types, ["GM0034", "GM9999"])
        assert failing(cube_counts(warehouse, query, place)) == {
            "grain": 1,
            "not_negative": 2,
            "municipalities_known": 1,
        }


def test_a_table_of_lines_is_held_to_one_row_each_of_what_it_reads() -> None:
    query = read_query(ROOT / "sql" / "person" / "care_lines.sql")
    with open_warehouse(None) as warehouse:
        warehouse.run("create table person.care_lines as select 2022 as period from range(3)")
        warehouse.run("create table stg.claims as select 2022 + i // 3 as period from range(6) as lines (i)")
        assert failing(cube_counts(warehouse, query, None)) == {}
        warehouse.run("insert into person.care_lines values (2022)")
        assert failing(cube_counts(warehouse, query, None)) == {"grain": 1}
        warehouse.run("delete from person.care_lines")
        assert failing(cube_counts(warehouse, query, None)) == {}


def test_a_mart_is_held_to_its_grain_and_to_having_rows() -> None:
    mart = next(m for m in load_publication(ROOT / "contracts").marts if m.name == "regions")
    with open_warehouse(None) as warehouse:
        warehouse.run("create table mart.regions as select 'nl' as region_type, 'NL01' as region_code from range(2)")
        assert failing(mart_counts(warehouse, mart, True)) == {"grain": 1}
        warehouse.run("delete from mart.regions")
        assert failing(mart_counts(warehouse, mart, True)) == {"has_rows": 1}
        assert failing(mart_counts(warehouse, mart, False)) == {}


def test_the_shipped_classifications_pass() -> None:
    assert failing(region_counts(regions())) == {}
