"""Does the monitor find in an invented nation what is true of it?

The truth comes from the people and services themselves, before they become deliveries with defects and corrections;
what is held to it are the values of every indicator before the gate.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.generate import Nation, write_nation
from triple_aim.cubes import build_table, load_cells
from triple_aim.indicators import indicator_rows
from triple_aim.ingest import delivered_periods, ingest
from triple_aim.programme import load_programme
from triple_aim.project import load_project
from triple_aim.reference import load_reference
from triple_aim.warehouse import open_warehouse

NATION = Nation(persons=8000, years=(2021, 2022, 2023), municipalities=4, lines=20)
KEY = ["indicator_id", "segment", "period", "region_code"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """True and found value of each indicator of the nation."""
    folder = tmp_path_factory.mktemp("nation")
    write_nation(NATION, folder, memory_limit="1GB")
    true = pd.read_parquet(folder / "indicators.parquet")
    values = _values(folder / "monitor.toml")
    return true.merge(values, "left", on=KEY, suffixes=("_true", ""))


def _values(config: Path) -> pd.DataFrame:
    """What the monitor makes of the deliveries, from landing to indicators."""
    programme = load_programme(load_project(config))
    project = programme.project
    with open_warehouse(project.warehouse, reach=project.reach, memory_limit="1GB", threads=2) as warehouse:
        load_reference(warehouse, project.reference)
        periods = delivered_periods(project, programme.contracts.values())
        for contract in programme.contracts.values():
            taken = ingest(warehouse, project, contract, programme.staging[contract.extract], periods)
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


def is_survey(found: pd.DataFrame) -> pd.Series[bool]:
    programme = load_programme(load_project(Path(__file__).parents[2] / "data_samples" / "monitor.toml"))
    surveys = [name for name, spec in programme.specs.items() if {"survey", "experience"} & {*programme.cubes_of(spec)}]
    return found["indicator_id"].isin(surveys)


def test_every_value_of_a_register_is_the_true_one(found: pd.DataFrame) -> None:
    registers = found[~is_survey(found)]
    told = registers[registers["value"].notna()]
    assert set(told["indicator_id"]) == set(registers["indicator_id"])
    # Some municipalities have too few events for a rate.
    assert set(registers.loc[registers["value"].isna(), "status"]) == {"not_computed"}
    error = (told["value"] - told["value_true"]).abs() / told["value_true"].abs().clip(lower=1e-6)
    wrong = told[error > 1e-8]
    assert wrong.empty, sorted(set(wrong["indicator_id"]))


def test_intervals_of_surveys_hold_the_true_value_as_often_as_they_say(found: pd.DataFrame) -> None:
    surveys = found[is_survey(found) & found["lower"].notna()]
    assert surveys["indicator_id"].nunique() >= 19
    held = (surveys["lower"] <= surveys["value_true"]) & (surveys["value_true"] <= surveys["upper"])
    # Items share their respondents, so that the count of those held varies more than that of as many coins.
    assert held.mean() > 0.85


def test_the_last_year_is_still_filling_up(found: pd.DataFrame) -> None:
    cost = found[(found["indicator_id"] == "zvw_cost_per_insured_year") & (found["segment"] == "all")]
    status = cost.groupby("period")["status"].agg(set)
    assert status[2023] == {"provisional"}
    assert status[2021] == status[2022] == {"published"}
