"""Does the monitor find in an invented nation what is true of it?

The truth comes from the people and services themselves, before they become deliveries with defects and corrections;
what is held to it are the values of every indicator before the gate.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import pandas as pd
import pytest

from triple_aim.cubes.build import build_table
from triple_aim.cubes.cells import load_cells
from triple_aim.definitions.programme import Programme, load_programme
from triple_aim.definitions.settings import load_project
from triple_aim.deliveries.ingest import delivered_periods, ingest_extract
from triple_aim.indicators.compute import indicator_rows
from triple_aim.synthetic import maker
from triple_aim.synthetic.delivering import write_nation
from triple_aim.synthetic.nation import DEATHS, Nation
from triple_aim.synthetic.tables import model_tables
from triple_aim.warehouse.connection import open_warehouse
from triple_aim.warehouse.reference_tables import load_reference

NATION = Nation(persons=5000, years=(2019, 2020, 2021, 2022, 2023), municipalities=5, lines=20)
KEY = ["indicator_id", "segment", "period", "region_code"]
#: What is rare must happen often enough for an indicator to be made of so few persons.
RARE = ["ADM-ACUTE", "ADM-PLAN", "AMP", "ED", "GGZ-ADM"]
OFTEN = 5
#: Estimates of what cannot be known exactly: how far they may be off, to either side, as a part of the truth.
ESTIMATES = {
    "cost_gini": (-0.01, 0.0),  # of classes of cost, hence a lower bound
    "zvw_cost_completed": (-0.03, 0.03),  # of what is not booked yet
}
#: What changes may change by next to nothing: it is held as one euro or one percent would be.
CHANGES = ["zvw_cost_change", "zvw_cost_growth", "zvw_cost_growth_compound", "zvw_cost_growth_trend"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """True and found value of each indicator of the nation, as far as there is either."""
    folder = tmp_path_factory.mktemp("nation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maker, "model_tables", often_ill)
        patch.setitem(DEATHS, "deaths_at_birth", 3 * DEATHS["deaths_at_birth"])
        write_nation(NATION, folder, memory_limit="1GB")
    true = pd.read_parquet(folder / "indicators.parquet")
    return true.merge(_values(folder / "monitor.toml"), "outer", on=KEY, suffixes=("_true", ""))


def often_ill() -> dict[str, pd.DataFrame]:
    """The tables of the nation, with more of what is rare."""
    tables = model_tables()
    rare = tables["care"].loc[tables["care"]["performance_code"].isin(RARE), "care_row"]
    rates = tables["rates"]
    rates.loc[rates["care_row"].isin(rare), "rate"] *= OFTEN
    return tables


@pytest.fixture(scope="module")
def programme() -> Programme:
    return load_programme(load_project(Path(__file__).parents[2] / "data_samples" / "monitor.toml"))


@pytest.fixture(scope="module")
def surveys(programme: Programme) -> set[str]:
    """Indicators that rest on a sample."""
    asked = {"survey", "experience"}
    return {
        name
        for name, spec in programme.specs.items()
        if asked & {*programme.cubes_of(spec)} or any(route.healthy for route in spec.compute)
    }


def _values(config: Path) -> pd.DataFrame:
    """What the monitor makes of the deliveries, from landing to indicators."""
    programme = load_programme(load_project(config))
    project = programme.project
    with open_warehouse(project.warehouse, reach=project.reach, memory_limit="1GB", threads=2) as warehouse:
        load_reference(warehouse, project.reference)
        periods = delivered_periods(project, programme.contracts.values())
        for contract in programme.contracts.values():
            taken = ingest_extract(warehouse, project, contract, programme.staging[contract.extract], periods)
            assert taken.set_aside <= contract.set_aside.max_share * taken.rows, contract.extract
        for queries in (programme.persons, programme.cubes):
            known = {query.table: query for query in queries.values()}
            reads = {table: [read for read in query.reads if read in known] for table, query in known.items()}
            for table in TopologicalSorter(reads).static_order():
                build_table(warehouse, known[table], periods)
        cells = {name: load_cells(warehouse, query) for name, query in programme.cubes.items()}
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


def test_every_indicator_has_a_true_value_and_a_found_one(rows: pd.DataFrame, programme: Programme) -> None:
    assert set(rows.loc[rows["value_true"].notna(), "indicator_id"]) == set(programme.specs)
    assert set(rows.loc[rows["value"].notna(), "indicator_id"]) == set(programme.specs)
    # Nothing is told of which the truth is not known, and what is true and not told is too rare for a rate.
    lacking = rows.loc[rows["value_true"].isna() & rows["value"].notna(), "indicator_id"]
    assert lacking.empty, sorted(set(lacking))
    assert set(rows.loc[rows["value"].isna(), "status"]) == {"not_computed"}


def test_every_value_of_a_register_is_the_true_one(rows: pd.DataFrame, surveys: set[str]) -> None:
    told = rows[rows["value"].notna() & ~rows["indicator_id"].isin({*surveys, *ESTIMATES})]
    least = told["indicator_id"].isin(CHANGES).map({True: 1.0, False: 1e-6})
    error = (told["value"] - told["value_true"]).abs() / told["value_true"].abs().clip(lower=least)
    wrong = told[error > 1e-8]
    assert wrong.empty, sorted(set(wrong["indicator_id"]))


@pytest.mark.parametrize("indicator", ESTIMATES)
def test_what_can_only_be_estimated_is_near_the_true_value(rows: pd.DataFrame, indicator: str) -> None:
    told = rows[(rows["indicator_id"] == indicator) & rows["value"].notna()]
    assert (told["value"] / told["value_true"] - 1).between(*ESTIMATES[indicator]).all()


def test_intervals_of_surveys_hold_the_true_value_as_often_as_they_say(rows: pd.DataFrame, surveys: set[str]) -> None:
    told = rows[rows["indicator_id"].isin(surveys) & rows["lower"].notna()]
    assert set(told["indicator_id"]) == surveys
    held = (told["lower"] <= told["value_true"]) & (told["value_true"] <= told["upper"])
    # Items share their respondents, so that the count of those held varies more than that of as many coins.
    assert held.mean() > 0.85


def test_the_last_year_is_still_filling_up(rows: pd.DataFrame) -> None:
    cost = rows[(rows["indicator_id"] == "zvw_cost_per_insured_year") & (rows["segment"] == "all")]
    status = cost.groupby("period")["status"].agg(set)
    assert status.pop(2023) == {"provisional"}
    assert all(each == {"published"} for each in status)
