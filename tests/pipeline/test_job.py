"""Does the whole graph publish when it may, and leave what is current alone when it may not?"""

from __future__ import annotations

import dataclasses
import gzip
import shutil
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from tests.pipeline.installation import Installation, settle
from triple_aim.cubes import reconcile
from triple_aim.programme import Programme
from triple_aim.specs import Expectation


def materialised(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def mart(installation: Installation, name: str) -> pd.DataFrame:
    return pd.read_parquet(installation.publication / "current" / f"{name}.parquet")


def with_range(severity: str) -> object:
    """A programme in which no value of the headline of health can be in range."""

    def change(programme: Programme) -> Programme:
        spec = programme.specs["mortality"]
        expect = spec.expect.model_copy(update={"range": Expectation(min=1e9, severity=severity)})
        changed = spec.model_copy(update={"expect": expect})
        return dataclasses.replace(programme, specs={**programme.specs, "mortality": changed})

    return change


def test_a_run_publishes_every_mart_with_its_promised_rows(published: Installation) -> None:
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
    (made,) = result.asset_materializations_for_node("publication__release")
    assert made.metadata["is_new"].value is False
    assert installation.current() == before
    assert (installation.publication / "current").lstat().st_mtime_ns == link


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_only_a_critical_check_stands_in_the_way(installation: Installation, severity: str) -> None:
    before = installation.current()
    result = installation.run(change=with_range(severity))
    checks = {c.check_name: c for c in result.get_asset_check_evaluations() if c.asset_key.path == ["ind", "mortality"]}
    assert not checks["critical" if severity == "critical" else "warnings"].passed
    assert result.success == (severity == "warning")
    assert ("publication/release" in materialised(result)) == (severity == "warning")
    assert installation.current() == before


def test_a_euro_that_went_missing_stands_in_the_way(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(*given: object) -> pd.DataFrame:
        rows = reconcile(*given)  # type: ignore[arg-type]
        counted = rows["stage"].eq("in_cube") & rows["extract"].eq("claims")
        rows["amount_eur"] = rows["amount_eur"].astype(float) - counted * 0.01
        return rows

    monkeypatch.setattr("assets.protected.reconcile", lossy)
    before = installation.current()
    result = installation.run()
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
    result = installation.run()
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "stg__claims"
    assert failure.step_failure_data.user_failure_data.metadata["exit_code"].value == 11
    assert "rows break a rule (debit_credit.code" in failure.step_failure_data.user_failure_data.description
    assert "publication/release" not in materialised(result)
    assert installation.current() == before
    path.write_bytes(sound)  # put right, all is as if nothing had happened
    assert installation.run().success
    assert installation.current() == before


def test_one_year_equals_that_year_of_the_full_run(delivered: Path, published: Installation, tmp_path: Path) -> None:
    shutil.copytree(delivered, tmp_path / "deliveries")
    alone = settle(tmp_path)
    assert alone.run(2022, 2022).success
    whole, part = mart(published, "indicator_values"), mart(alone, "indicator_values")
    assert set(part["period"]) == {2022}
    # Growth needs the year before, which was not asked for.
    whole, part = (rows[rows["indicator_id"] != "zvw_cost_growth"] for rows in (whole, part))
    pd.testing.assert_frame_equal(whole[whole["period"] == 2022].reset_index(drop=True), part.reset_index(drop=True))
