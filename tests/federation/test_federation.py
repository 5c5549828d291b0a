"""Do merged sums of several parties give the same results as their pooled rows?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from tests.federation.conftest import NON_ADDITIVE, OTHERS, YEAR, Federation, one_of_each, programme_of
from tests.pipeline.installation import Installation
from triple_aim.cubes.ledger import reconcile
from triple_aim.deliveries.contributions import read_contribution
from triple_aim.federation.export import export_cubes
from triple_aim.federation.import_ import import_cubes
from triple_aim.files import parquet_bytes
from triple_aim.indicators.non_additive import REASON
from triple_aim.release.freshness import up_to_date_release
from triple_aim.release.store import read_manifest
from triple_aim.warehouse.connection import open_warehouse


@pytest.fixture(scope="module")
def merged(federation: Federation, contributions: dict[str, Path]) -> Installation:
    """The installation that merges: its own deliveries and two contributions."""
    merging = federation[""]
    assert import_cubes(programme_of(merging), list(contributions.values())) == list(OTHERS)
    assert merging.run(YEAR, YEAR, change=one_of_each).success
    return merging


@pytest.fixture(scope="module")
def values(federation: Federation, merged: Installation) -> dict[str, pd.DataFrame]:
    assert federation["pooled"].run(YEAR, YEAR, change=one_of_each).success
    return {name: mart(installation, "indicator_values") for name, installation in {**federation, "": merged}.items()}


def mart(installation: Installation, name: str) -> pd.DataFrame:
    return pd.read_parquet(installation.publication / "current" / f"{name}.parquet")


def exact_ledger(installation: Installation) -> pd.DataFrame:
    """The ledger before it is rounded for publication."""
    programme = programme_of(installation)
    with open_warehouse(programme.project.warehouse) as warehouse:
        return reconcile(warehouse, programme.contracts.values())


def as_bytes(rows: pd.DataFrame) -> bytes:
    return parquet_bytes(pa.Table.from_pandas(rows, preserve_index=False))


def test_every_indicator_is_that_of_the_pooled_rows(values: dict[str, pd.DataFrame]) -> None:
    merged, pooled = (values[name][~values[name]["indicator_id"].isin(NON_ADDITIVE)] for name in ("", "pooled"))
    assert merged["indicator_id"].nunique() >= 20 and merged["status"].eq("published").sum() > 500
    assert as_bytes(merged) == as_bytes(pooled)


def test_non_additive_indicators_are_not_computed_and_say_why(values: dict[str, pd.DataFrame]) -> None:
    merged, pooled = (values[name][values[name]["indicator_id"].isin(NON_ADDITIVE)] for name in ("", "pooled"))
    assert set(merged["indicator_id"]) == set(NON_ADDITIVE) and len(merged) == len(pooled)
    assert pooled["status"].eq("published").any()
    computed = merged[merged["status"] != "suppressed"]
    assert set(computed["status"]) == {"not_computed"} and set(computed["reason"]) == {REASON}
    assert merged[["value", "lower", "upper", "numerator", "comparator_value"]].isna().all(axis=None)


def test_every_counted_cell_is_that_of_the_pooled_rows(federation: Federation, values: object) -> None:
    programme = programme_of(federation["pooled"])
    cells: dict[str, list[object]] = {}
    for name in ("", "pooled"):
        with open_warehouse(programme_of(federation[name]).project.warehouse) as warehouse:
            for cube, query in programme.cubes.items():
                columns = ", ".join(column for column in query.columns if column not in query.non_additive)
                counted = (
                    f"select {columns} from cube.{cube} where exclusion = 'none' order by {', '.join(query.grain)}"
                )
                cells.setdefault(cube, []).append(warehouse.rows(counted))
    for cube, (merged, pooled) in cells.items():
        assert merged == pooled, cube
    assert sum(len(merged) > 0 for merged, _ in cells.values()) >= 8


def test_the_ledger_closes_and_names_the_parties(federation: Federation, values: object) -> None:
    ledger, pooled = (exact_ledger(federation[name]) for name in ("", "pooled"))
    assert {supplier for supplier in ledger["supplier"] if supplier not in ("", "all")} == set(OTHERS)
    rows = ledger.pivot_table(index="extract", columns="stage", values="row_count", aggfunc="sum", fill_value=0)
    assert (rows["delivered"] == rows["staged"] + rows["set_aside"]).all()
    assert (rows["staged"] == rows["in_cube"] + rows["excluded"]).all()
    for stage in ("delivered", "in_cube"):
        sums = [part[part["stage"] == stage].groupby("extract")["row_count"].sum() for part in (ledger, pooled)]
        pd.testing.assert_series_equal(*sums)


def test_a_release_names_its_contributions_and_is_up_to_date_until_a_new_one(
    federation: Federation, merged: Installation, contributions: dict[str, Path], tmp_path: Path
) -> None:
    programme = programme_of(merged)
    release = up_to_date_release(programme.project, programme.contracts.values())
    assert release is not None
    inputs = (read_manifest(release) or {})["facts"]["inputs"]
    for party, folder in contributions.items():
        assert inputs[f"contribution/{YEAR}/{party}"] == read_contribution(folder).sha256
    assert import_cubes(programme, list(contributions.values())) == []  # accepted before
    export_cubes(programme_of(federation["north"]), tmp_path / "fewer", "north", ["claims"])
    assert import_cubes(programme, [tmp_path / "fewer"]) == ["north"]
    assert up_to_date_release(programme.project, programme.contracts.values()) is None
