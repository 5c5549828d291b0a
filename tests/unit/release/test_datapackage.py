"""Do the data package and the dictionary marts describe what a release holds?"""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cells import regions, specs
from triple_aim.definitions.contracts import load_contracts, load_publication
from triple_aim.release.datapackage import datapackage
from triple_aim.release.dictionary import dictionary_rows, headline_rows, region_rows

ROOT = Path(__file__).parents[3]
PROMISE = load_publication(ROOT / "contracts")


def test_the_dictionary_has_one_row_per_indicator_with_its_series_breaks() -> None:
    rows = dictionary_rows(specs()).set_index("indicator_id")
    assert set(rows.index) == set(specs())
    assert "2015" in rows.loc["zvw_cost_growth", "series_breaks"].split(", ")
    assert rows["meaning_nl"].str.len().min() > 10
    assert rows.loc["smoking", "methods"] == "survey_proportion, as_published"


def test_every_headline_is_an_indicator() -> None:
    assert set(headline_rows(PROMISE)["indicator_id"]) <= set(specs())


def test_regions_have_their_number_of_municipalities() -> None:
    rows = region_rows(regions())
    counts = rows.groupby("region_type")["municipality_count"].sum()
    assert (counts[["nl", "ggd_region", "zorgkantoor_region", "province"]] == 342).all()
    assert rows.loc[rows["region_type"] == "nl", "division_year"].tolist() == [2024]


def test_the_data_package_describes_every_column_of_every_mart() -> None:
    package = json.loads(datapackage(PROMISE, load_contracts(ROOT / "contracts"), "abc"))
    assert package["version"] == "abc"
    described = {r["name"]: [f["name"] for f in r["schema"]["fields"]] for r in package["resources"]}
    assert described == {mart.name: [column.name for column in mart.columns] for mart in PROMISE.marts}
    assert all(field["description"] for resource in package["resources"] for field in resource["schema"]["fields"])
