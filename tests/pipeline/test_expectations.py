"""Do the suites of a release accept the release and refuse a damaged copy of it, with Great Expectations alone?"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
import pytest

from pipelines.run import _outcome
from tests.pipeline.installation import Installation
from triple_aim.definitions import Programme
from triple_aim.release import verify

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "validate-a-release.md"
MARTS = ["checks", "cost_growth", "indicator_values", "indicators", "reconciliation", "regions", "triple_aim"]


@pytest.fixture(scope="session")
def release(published: Installation) -> Path:
    return (published.publication / "current").resolve()


@pytest.fixture(scope="session")
def source() -> Any:
    """Where plain Great Expectations reads a Parquet file."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context.data_sources.pandas_default


def failed(source: Any, release: Path, suite: str, mart: Path) -> set[str]:
    """The expectations of a suite that a file does not meet."""
    loaded = json.loads((release / "expectations" / f"{suite}.json").read_text())
    expectations = gx.ExpectationSuite(**loaded)
    assert len(expectations.expectations) == len(loaded["expectations"]) > 0
    results = source.read_parquet(mart).validate(expectations, result_format="BOOLEAN_ONLY").results
    assert len(results) == len(loaded["expectations"])
    return {result.expectation_config.id for result in results if not result.success}


def test_the_five_lines_of_the_page_validate_a_release_without_this_project(release: Path) -> None:
    lines = re.findall(r"^>>> (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[:5]
    lines[1] = "release = pathlib.Path('.')"
    lines[-1] = f"print({lines[-1]})"
    lines.append("import sys; print('triple_aim' in sys.modules)")
    program = "\n".join(lines)
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=release, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize("mart", MARTS)
def test_a_release_meets_its_own_suites(source: Any, release: Path, mart: str) -> None:
    assert failed(source, release, mart, release / f"{mart}.parquet") == set()


def test_no_range_fails_that_did_not_warn_before_the_gate(source: Any, release: Path) -> None:
    checks = pd.read_parquet(release / "checks.parquet").query("~is_passed")["check_id"]
    warned = {f"range:{name}" for name in checks.str.extract("^ind/(.*):range$", expand=False).dropna()}
    failures = failed(source, release, "indicator_ranges", release / "indicator_values.parquet")
    assert failures <= warned


def suppressed(table: pd.DataFrame) -> Any:
    return table.index[table["status"] == "suppressed"][0]


def shown(table: pd.DataFrame) -> Any:
    return table.index[table["status"] == "published"][0]


def show_a_withheld_value(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[suppressed(table), "value"] = 1.0
    return table


def change(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def damage(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[shown(table), column] = value
        return table

    return damage


@pytest.mark.parametrize(
    ("damage", "suite", "broken"),
    [
        (show_a_withheld_value, "indicator_values", {"value:withheld"}),
        (change("status", "fine"), "indicator_values", {"status:values"}),
        (change("denominator", -1.0), "indicator_values", {"denominator:range"}),
        (change("value", np.nan), "indicator_values", {"value:required"}),
        (change("period", 1900), "indicator_values", {"period:range"}),
        (lambda table: table.iloc[:-1], "indicator_values", {"rows"}),
        (lambda table: pd.concat([table.iloc[1:], table.iloc[-1:]]), "indicator_values", {"grain"}),
        (lambda table: table.drop(columns="unit"), "indicator_values", {"columns", "unit:required"}),
        (lambda table: table.astype({"value": str}), "indicator_values", {"value:range"}),
        (lambda table: table.assign(value=table["value"] + 1e9), "indicator_ranges", {"range:mortality"}),
    ],
)
def test_a_damaged_copy_fails(
    source: Any,
    release: Path,
    tmp_path: Path,
    damage: Callable[[pd.DataFrame], pd.DataFrame],
    suite: str,
    broken: set[str],
) -> None:
    copy = tmp_path / "indicator_values.parquet"
    damage(pd.read_parquet(release / copy.name)).to_parquet(copy, index=False)
    assert failed(source, release, suite, copy) >= broken


def test_a_changed_or_added_suite_is_reported(release: Path, tmp_path: Path) -> None:
    copy = tmp_path / release.name
    shutil.copytree(release, copy)
    assert verify(copy) == []
    suite = copy / "expectations" / "regions.json"
    suite.write_text(suite.read_text().replace("critical", "warning"))
    assert verify(copy) == ["expectations/regions.json has changed since it was published"]
    suite.unlink()
    (copy / "expectations" / "more.json").write_text("{}")
    assert verify(copy) == ["expectations/regions.json is missing", "expectations/more.json is not in the manifest"]


def test_the_data_package_lists_suites_and_constraints(release: Path) -> None:
    package = json.loads((release / "datapackage.json").read_text())
    paths = {resource["path"] for resource in package["resources"]}
    assert {f"expectations/{name}.json" for name in [*MARTS, "indicator_ranges"]} < paths
    assert all((release / path).is_file() for path in paths)
    (values,) = (resource for resource in package["resources"] if resource["name"] == "indicator_values")
    fields = {field["name"]: field.get("constraints", {}) for field in values["schema"]["fields"]}
    assert fields["status"]["required"] and "suppressed" in fields["status"]["enum"]
    assert fields["coverage_share"] == {"minimum": 0, "maximum": 1}
    assert "required" not in fields["value"]  # a withheld value is empty


def without_women(programme: Programme) -> Programme:
    """A contract without a value that the mart contains."""
    lists = {**programme.publication.value_lists, "sex": ["all", "M"]}
    publication = programme.publication.model_copy(update={"value_lists": lists})
    return dataclasses.replace(programme, publication=publication)


def test_a_mart_that_breaks_its_contract_is_not_published(installation: Installation) -> None:
    before = installation.current()
    result = installation.run(change=without_women, since="mart/indicator_values")
    assert not result.success
    outcome = _outcome(result, installation.publication)
    assert outcome.exit_code == 13
    assert "mart/indicator_values:sex:values" in outcome.failure
    assert installation.current() == before


def test_the_page_shows_severity_words_and_counts_of_every_check(release: Path) -> None:
    page = (release / "checks.html").read_text()
    checks = pd.read_parquet(release / "checks.parquet")
    assert checks["check_id"].map(lambda name: f"<code>{name}</code>" in page).all()
    assert "expectations</code> of the release" in page
    for floor in ("deliveries", "cubes", "indicators before the disclosure gate", "marts and the ledger"):
        assert f"<summary>{floor}: " in page
    assert {"cube/claims:grain", "ind/mortality:range", "safe/indicator_values:withheld"} <= set(checks["check_id"])
    assert {"mart/indicator_values:status:values", "mart/regions:grain"} <= set(checks["check_id"])
