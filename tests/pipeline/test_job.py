"""Does the complete graph publish when it may, and leave the current release unchanged when it may not?"""

from __future__ import annotations

import dataclasses
import gzip
import os
import shutil
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from tests.pipeline.installation import Installation, create_installation
from triple_aim.cubes.ledger import reconcile
from triple_aim.definitions.contracts import load_contracts
from triple_aim.definitions.programme import Programme
from triple_aim.definitions.settings import load_project
from triple_aim.definitions.specs import Expectation
from triple_aim.release.freshness import up_to_date_release


def materialised(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def mart(installation: Installation, name: str) -> pd.DataFrame:
    return pd.read_parquet(installation.publication / "current" / f"{name}.parquet")


def with_range(severity: str) -> object:
    """A change after which no value of the headline indicator of health is in range."""

    def change(programme: Programme) -> Programme:
        spec = programme.specs["mortality"]
        expect = spec.expect.model_copy(update={"range": Expectation(min=1e9, severity=severity)})
        changed = spec.model_copy(update={"expect": expect})
        return dataclasses.replace(programme, specs={**programme.specs, "mortality": changed})

    return change


def test_a_run_publishes_every_mart_with_its_rows(published: Installation) -> None:
    release = published.publication / "current"
    assert {path.name for path in release.iterdir()} >= {"datapackage.json", "checks.html", "manifest.json"}
    values, checks = mart(published, "indicator_values"), mart(published, "checks")
    assert set(values["region_type"]) == {"municipality", "ggd_region", "zorgkantoor_region", "province", "nl"}
    assert checks.loc[checks["severity"] == "critical", "is_passed"].all()
    assert {"ind/mortality:range", "ledger/claims:euros_counted", "mart/triple_aim:grain"} <= set(checks["check_id"])
    assert not mart(published, "triple_aim").empty and not mart(published, "cost_growth").empty


def test_running_again_publishes_nothing_new(installation: Installation) -> None:
    before, link = installation.current(), (installation.publication / "current").lstat().st_mtime_ns
    result = installation.run()
    assert result.success
    (materialization,) = result.asset_materializations_for_node("publication__release")
    assert materialization.metadata["is_new"].value is False
    assert set(unchanged(result).values()) == {True} and gated(result) == 0
    assert installation.current() == before
    assert (installation.publication / "current").lstat().st_mtime_ns == link


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_only_a_critical_check_stops_the_publication(installation: Installation, severity: str) -> None:
    before = installation.current()
    result = installation.run(change=with_range(severity), since="ind/mortality")
    checks = {c.check_name: c for c in result.get_asset_check_evaluations() if c.asset_key.path == ["ind", "mortality"]}
    assert not checks["critical" if severity == "critical" else "warnings"].passed
    assert result.success == (severity == "warning")
    assert ("publication/release" in materialised(result)) == (severity == "warning")
    assert installation.current() == before


def test_a_missing_euro_stops_the_publication(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(*given: object) -> pd.DataFrame:
        rows = reconcile(*given)  # type: ignore[arg-type]
        counted = rows["stage"].eq("in_cube") & rows["extract"].eq("claims")
        rows["amount_eur"] = rows["amount_eur"].astype(float) - counted * 0.01
        return rows

    monkeypatch.setattr("assets.protected.reconcile", lossy)
    before = installation.current()
    result = installation.run(since="safe/reconciliation")
    assert not result.success
    failed = {c.asset_key.to_user_string() for c in result.get_asset_check_evaluations() if not c.passed and c.blocking}
    assert failed == {"safe/reconciliation"}
    assert not materialised(result) & {"mart/indicator_values", "publication/release"}
    assert installation.current() == before


def test_a_refused_delivery_ends_the_run_with_its_exit_code(installation: Installation) -> None:
    before = installation.current()
    path = installation.deliveries / "claims" / "claims_2022.csv.gz"
    sound = path.read_bytes()
    path.write_bytes(gzip.compress(gzip.decompress(sound).replace(b";D;", b";X;")))
    result = installation.run(since="stg/claims")
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "stg__claims"
    assert failure.step_failure_data.user_failure_data.metadata["exit_code"].value == 11
    assert "rows break a rule (debit_credit.code" in failure.step_failure_data.user_failure_data.description
    assert "publication/release" not in materialised(result)
    assert installation.current() == before
    path.write_bytes(sound)  # after the correction, the release is the same as before
    assert installation.run(since="stg/claims").success
    assert installation.current() == before


def test_a_run_of_one_year_equals_that_year_of_a_full_run(
    delivered: Path, published: Installation, tmp_path: Path
) -> None:
    shutil.copytree(delivered, tmp_path / "deliveries")
    one_year = create_installation(tmp_path)
    assert one_year.run(2022, 2022).success
    full, part = mart(published, "indicator_values"), mart(one_year, "indicator_values")
    assert set(part["period"]) == {2022}
    # Growth needs the previous year, which this run does not include.
    full, part = (rows[rows["indicator_id"] != "zvw_cost_growth"] for rows in (full, part))
    pd.testing.assert_frame_equal(full[full["period"] == 2022].reset_index(drop=True), part.reset_index(drop=True))


def restate(installation: Installation, rng: np.random.Generator, extract: str, year: int) -> None:
    """Deliver a year again without some of its rows, of more persons than a correction needs."""
    path = installation.deliveries / extract / f"{extract}_{year}.csv.gz"
    header, *lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    rest = [line for line in lines if rng.random() > 0.1]
    path.write_bytes(gzip.compress(header + b"".join(rest)))


def unchanged(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """By indicator, whether its table was reused without a change."""
    events = [event.materialization for event in result.get_asset_materialization_events()]
    return {
        event.asset_key.path[1]: bool(event.metadata["is_unchanged"].value)
        for event in events
        if event.asset_key.path[0] == "ind"
    }


def gated(result: dg.ExecuteInProcessResult) -> int:
    """The number of indicators that the gate processed."""
    (gate,) = result.asset_materializations_for_node("safe__indicator_values")
    return int(gate.metadata["indicators_gated"].value)  # type: ignore[arg-type]


def assert_equals_a_rebuild(installation: Installation, folder: Path) -> None:
    """A new installation with the same deliveries publishes the same bytes."""
    rebuilt = create_installation(folder)
    shutil.copytree(installation.deliveries, rebuilt.deliveries)
    assert rebuilt.run().success
    current, again = installation.publication / "current", rebuilt.publication / "current"
    for path in sorted([*again.glob("*.parquet"), *again.glob("expectations/*.json")]):
        name = path.relative_to(again)
        assert path.read_bytes() == (current / name).read_bytes(), name


def test_only_indicators_of_a_restated_year_are_recomputed(installation: Installation) -> None:
    before = mart(installation, "indicator_values")
    restate(installation, np.random.default_rng(1), "mortality", 2022)
    result = installation.run()
    assert result.success
    assert [name for name, same in unchanged(result).items() if not same] == ["mortality"]
    assert gated(result) == 1
    rebuilt = {
        cube.asset_key.to_user_string(): cube.metadata["periods_rebuilt"].value
        for cube in (event.materialization for event in result.get_asset_materialization_events())
        if cube.asset_key.path[0] == "cube"
    }
    assert rebuilt["cube/mortality"] == 1 and rebuilt["cube/claims"] == 0
    now = mart(installation, "indicator_values")
    restated = (now["indicator_id"] == "mortality") & (now["period"] == 2022)
    pd.testing.assert_frame_equal(now[~restated], before[~restated])
    assert (now.loc[restated, "numerator"] < before.loc[restated, "numerator"]).any()


@pytest.mark.slow
def test_any_history_of_deliveries_gives_the_same_bytes_as_a_rebuild(
    installation: Installation, tmp_path: Path
) -> None:
    rng = np.random.default_rng(20261122)
    for _ in range(4):
        extract = str(rng.choice(["mortality", "insured_population", "claims"]))
        restate(installation, rng, extract, int(rng.choice([2021, 2022])))
        assert installation.run().success
    assert_equals_a_rebuild(installation, tmp_path / "rebuilt")


def test_a_release_is_up_to_date_until_a_file_or_the_release_changes(installation: Installation) -> None:
    project = load_project(installation.config)
    contracts = load_contracts(project.contracts)

    def up_to_date() -> Path | None:
        return up_to_date_release(project, contracts.values())

    release = up_to_date()
    assert release is not None and release.name == installation.current()
    path = installation.deliveries / "mortality" / "mortality_2023.csv.gz"
    before = path.stat()
    path.touch()
    assert up_to_date() is None
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert up_to_date() == release
    (installation.deliveries / "survey" / "survey_2020.sav").write_bytes(b"new")
    assert up_to_date() is None
    (installation.deliveries / "survey" / "survey_2020.sav").unlink()
    mart = release / "indicator_values.parquet"
    mart.write_bytes(mart.read_bytes() + b" ")
    assert up_to_date() is None
