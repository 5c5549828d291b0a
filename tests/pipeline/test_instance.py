"""Does a run keep its events where Dagster's web UI reads them, and nowhere else?"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from pipelines.run import dagster_instance


@dg.asset
def table() -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(metadata={"dagster/row_count": 3})


@pytest.mark.parametrize("has_home", [False, True])
def test_events_are_stored_only_in_the_home_of_dagster(
    has_home: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    if has_home:
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dagster_instance() as instance:
        result = dg.materialize([table], instance=instance)
        (materialization,) = result.asset_materializations_for_node("table")
        assert materialization.metadata["dagster/row_count"].value == 3
        assert bool(instance.all_logs(result.run_id)) is has_home
