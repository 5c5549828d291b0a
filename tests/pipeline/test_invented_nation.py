"""Does the monitor compute the true values of the indicators of a synthetic nation?

The true values come from the persons and services themselves, before these become deliveries with defects and
corrections. The computed values are those of every indicator before the disclosure gate.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import pandas as pd
import pytest

from tests import content
from triple_aim.cubes.build import build_table
from triple_aim.cubes.cells import load_cells
from triple_aim.definitions.programme import Programme
from triple_aim.deliveries.ingest import delivered_periods, ingest_extract
from triple_aim.indicators.compute import indicator_rows
from triple_aim.synthetic import generator
from triple_aim.synthetic.delivery_files import write_nation
from triple_aim.synthetic.nation import DEATHS, Nation
from triple_aim.synthetic.tables import model_tables
from triple_aim.warehouse.connection import open_warehouse
from triple_aim.warehouse.reference_tables import load_reference

#: Five years of a nation; ``tests/golden/test_true_values.py`` checks the same on the three years of the samples.
pytestmark = pytest.mark.slow
NATION = Nation(persons=5000, years=(2019, 2020, 2021, 2022, 2023), municipalities=5, lines=20)
KEY = ["indicator_id", "segment", "period", "region_code"]
#: Rare services occur more often here, so that their indicators can be computed for so few persons.
RARE = ["ADM-ACUTE", "ADM-PLAN", "AMP", "ED", "GGZ-ADM"]
RARE_FACTOR = 5
#: Indicators that are estimates, with the allowed relative error below and above the true value.
ESTIMATES = {
    "cost_gini": (-0.01, 0.0),  # from classes of cost, so a lower bound
    "zvw_cost_completed": (-0.03, 0.03),  # of claims that are not booked yet
}
#: Changes may be near zero: the error is relative to at least one euro or one percent.
CHANGES = ["zvw_cost_change", "zvw_cost_growth", "zvw_cost_growth_compound", "zvw_cost_growth_trend"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The true and the computed value of each indicator of the nation, one or both."""
    folder = tmp_path_factory.mktemp("nation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "model_tables", with_more_rare_services)
        patch.setitem(DEATHS, "deaths_at_birth", 3 * DEATHS["deaths_at_birth"])
        write_nation(NATION, folder, memory_limit="1GB")
    true = pd.read_parquet(folder / "indicators.parquet")
    return true.merge(_values(folder / "monitor.toml"), "outer", on=KEY, suffixes=("_true", ""))


def with_more_rare_services() -> dict[str, pd.DataFrame]:
    """The tables of the nation, with higher rates of rare services."""
    tables = model_tables()
    rare = tables["care"].loc[tables["care"]["performance_code"].isin(RARE), "care_row"]
    rates = tables["rates"]
    rates.loc[rates["care_row"].isin(rare), "rate"] *= RARE_FACTOR
    return tables


@pytest.fixture(scope="module")
def programme() -> Programme:
    return content.programme()


@pytest.fixture(scope="module")
def surveys(programme: Programme) -> set[str]:
    """Indicators that are estimated from a sample."""
    asked = {"survey", "experience"}
    return {
        name
        for name, spec in programme.specs.items()
        if asked & {*programme.cubes_of(spec)} or any(route.healthy for route in spec.compute)
    }


def _values(config: Path) -> pd.DataFrame:
    """The values that the monitor computes from the deliveries."""
    programme = content.programme_of(config)
    project = programme.project
    with open_warehouse(project.warehouse, reach=project.reach, memory_limit="1GB", threads=2) as warehouse:
        load_reference(warehouse, project.reference)
        periods = delivered_periods(project, programme.contracts.values())
        for contract in programme.contracts.values():
            ingested = ingest_extract(warehouse, project, contract, programme.staging[contract.extract], periods)
            assert ingested.set_aside <= contract.set_aside.max_share * ingested.rows, contract.extract
        for queries in (programme.persons, programme.cubes):
            known = {query.table: query for query in queries.values()}
            reads = {table: [read for read in query.reads if read in known] for table, query in known.items()}
            for table in TopologicalSorter(reads).static_order():
                build_table(warehouse, known[table], periods)
        cells = {
            name: load_cells(warehouse, query, programme.parts_of(name)) for name, query in programme.cubes.items()
        }
        regions = programme.regions(warehouse)
    parts = [
        indicator_rows(spec, cells, regions, programme.tables, programme.publication.run_off).assign(indicator_id=name)
        for name, spec in programme.specs.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    total = (rows["sex"] == "all") & (rows["age_group"] == "all")
    return rows.loc[
        total & rows["region_type"].isin(["nl", "municipality"]), [*KEY, "value", "lower", "upper", "status"]
    ]


def test_every_indicator_has_a_true_and_a_computed_value(rows: pd.DataFrame, programme: Programme) -> None:
    assert set(rows.loc[rows["value_true"].notna(), "indicator_id"]) == set(programme.specs)
    assert set(rows.loc[rows["value"].notna(), "indicator_id"]) == set(programme.specs)
    # Every computed value has a true value; a true value without a computed one is too rare for a rate.
    without_truth = rows.loc[rows["value_true"].isna() & rows["value"].notna(), "indicator_id"]
    assert without_truth.empty, sorted(set(without_truth))
    assert set(rows.loc[rows["value"].isna(), "status"]) == {"not_computed"}


def test_every_value_from_a_register_is_the_true_value(rows: pd.DataFrame, surveys: set[str]) -> None:
    computed = rows[rows["value"].notna() & ~rows["indicator_id"].isin({*surveys, *ESTIMATES})]
    least = computed["indicator_id"].isin(CHANGES).map({True: 1.0, False: 1e-6})
    error = (computed["value"] - computed["value_true"]).abs() / computed["value_true"].abs().clip(lower=least)
    wrong = computed[error > 1e-8]
    assert wrong.empty, sorted(set(wrong["indicator_id"]))


@pytest.mark.parametrize("indicator", ESTIMATES)
def test_an_estimate_is_near_the_true_value(rows: pd.DataFrame, indicator: str) -> None:
    computed = rows[(rows["indicator_id"] == indicator) & rows["value"].notna()]
    assert (computed["value"] / computed["value_true"] - 1).between(*ESTIMATES[indicator]).all()


def test_intervals_of_surveys_contain_the_true_value_as_often_as_stated(rows: pd.DataFrame, surveys: set[str]) -> None:
    computed = rows[rows["indicator_id"].isin(surveys) & rows["lower"].notna()]
    assert set(computed["indicator_id"]) == surveys
    is_covered = (computed["lower"] <= computed["value_true"]) & (computed["value_true"] <= computed["upper"])
    # Items share their respondents, so the number of covered values varies more than that of independent ones.
    assert is_covered.mean() > 0.85


def test_the_last_year_is_provisional(rows: pd.DataFrame) -> None:
    cost = rows[(rows["indicator_id"] == "zvw_cost_per_insured_year") & (rows["segment"] == "all")]
    status = cost.groupby("period")["status"].agg(set)
    assert status.pop(2023) == {"provisional"}
    assert all(each == {"published"} for each in status)
