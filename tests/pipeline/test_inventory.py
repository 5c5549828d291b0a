"""Does Dagster load the reviewed graph in every way, and do its schedule and sensor start the right runs?"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

from tests.pipeline.installation import Installation

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).parent / "inventory.txt"
#: Another process: the definitions as ``workspace.yaml`` names them, and the runs that their sensor requests.
BY_FILE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from dagster._core.workspace.load_target import WorkspaceFileTarget
(origin,) = WorkspaceFileTarget(paths=["{workspace}"]).create_origins()
target = origin.loadable_target_origin
sys.path.insert(0, target.working_directory)
from dagster._core.code_pointer import CodePointer
definitions = CodePointer.from_python_file(target.python_file, "defs", target.working_directory).load_target()
from tests.pipeline.test_inventory import names, run_keys
print(json.dumps([names(definitions), run_keys("{config}")]))
"""


def inventory(definitions: dg.Definitions) -> list[str]:
    """One line per asset: key, group, partitioned or not, owner, checks."""
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        checks = sorted(check.name for check in graph.get_check_keys_for_assets({key}))
        kind = "by year" if node.partitions_def else "whole"
        lines.append(
            f"{key.to_user_string()} · {node.group_name} · {kind} · {' '.join(node.owners)} · {' '.join(checks)}"
        )
    return lines


def test_the_inventory_is_the_one_reviewed(complete_graph: dg.Definitions) -> None:
    lines = inventory(complete_graph)
    if os.environ.get("TRIPLE_AIM_UPDATE_INVENTORY"):
        SNAPSHOT.write_text("\n".join(lines) + "\n")
    assert SNAPSHOT.read_text().splitlines() == lines, "review the change, then set TRIPLE_AIM_UPDATE_INVENTORY=1"


def test_every_asset_has_a_description_and_an_owner(complete_graph: dg.Definitions) -> None:
    graph = complete_graph.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description and node.description.endswith("."), key
        assert node.owners and all(owner.startswith("team:") for owner in node.owners), key
        assert node.group_name != "default" and node.kinds, key
        assert bool(node.partitions_def) == (key.path[0] in ("stg", "person", "cube")), key


def test_only_critical_checks_block(complete_graph: dg.Definitions) -> None:
    checks = {spec.key: spec for asset in complete_graph.assets for spec in asset.check_specs}  # type: ignore[union-attr]
    assert {spec.blocking for spec in checks.values() if spec.name == "critical"} == {True}
    assert {spec.blocking for spec in checks.values() if spec.name == "warnings"} == {False}
    assert len(checks) == 2 * len({key.asset_key for key in checks})


def names(definitions: dg.Definitions) -> dict[str, list[str]]:
    graph = definitions.resolve_asset_graph()
    return {
        "assets": sorted(key.to_user_string() for key in graph.get_all_asset_keys()),
        "checks": sorted(f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys),
        "jobs": sorted(job.name for job in definitions.jobs or ()),  # type: ignore[union-attr]
        "schedules": sorted(schedule.name for schedule in definitions.schedules or ()),
        "sensors": sorted(sensor.name for sensor in definitions.sensors or ()),
    }


def test_another_process_loads_the_same_inventory_and_requests_the_same_runs(
    installation: Installation, tmp_path: Path
) -> None:
    """The other process has other hashes and reads ``workspace.yaml``; this one reads ``pyproject.toml``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    here = names(import_module(project["code_location_target_module"]).defs)
    done = subprocess.run(
        [sys.executable, "-c", BY_FILE.format(workspace=ROOT / "workspace.yaml", config=installation.config)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "2", "DAGSTER_DISABLE_TELEMETRY": "1"},
    )
    there, requested = json.loads(done.stdout.splitlines()[-1])
    assert here == there
    assert here["jobs"] == ["nightly"]
    assert len(here["assets"]) == len(SNAPSHOT.read_text().splitlines())
    assert requested and requested == run_keys(str(installation.config))


def test_the_schedule_runs_every_night_over_all_years_unless_nothing_changed(installation: Installation) -> None:
    at = datetime.datetime(2026, 3, 1, 1, 30, tzinfo=datetime.UTC)
    with installation.definitions() as definitions:
        (schedule,) = definitions.schedules
        assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Europe/Amsterdam")

        def tick() -> dg.ScheduleExecutionData:  # type: ignore[name-defined]
            return schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=at))

        skipped = tick()
        assert not skipped.run_requests and installation.current() in skipped.skip_message
        (installation.deliveries / "mortality" / "mortality_2023.csv.gz").touch()
        (request,) = tick().run_requests
    assert request.tags["dagster/asset_partition_range_start"] == "2006"
    assert request.tags["dagster/asset_partition_range_end"] == "2026"


@pytest.fixture
def sensor(installation: Installation) -> Iterator[dg.SensorDefinition]:
    with installation.definitions() as definitions:
        (sensor,) = definitions.sensors
        yield sensor


def tick_sensor(sensor: dg.SensorDefinition, cursor: str | None) -> tuple[list[tuple[str, str]], str | None]:
    """The ranges of years that the sensor requests, and its next cursor."""
    data = sensor.evaluate_tick(dg.build_sensor_context(cursor=cursor))
    ranges = [
        (r.tags["dagster/asset_partition_range_start"], r.tags["dagster/asset_partition_range_end"])
        for r in data.run_requests
    ]
    return ranges, data.cursor


def test_the_sensor_requests_only_changed_years(installation: Installation, sensor: dg.SensorDefinition) -> None:
    ranges, cursor = tick_sensor(sensor, None)
    assert ranges == []  # a file seen for the first time may not be complete
    ranges, cursor = tick_sensor(sensor, cursor)
    assert ranges == [("2021", "2023")]
    assert tick_sensor(sensor, cursor)[0] == []
    late = installation.deliveries / "claims/claims_2022_late.csv.gz"
    shutil.copy(installation.deliveries / "claims/claims_2022.csv.gz", late)
    ranges, cursor = tick_sensor(sensor, cursor)
    assert ranges == []
    with late.open("ab") as growing:
        growing.write(b"more")
    ranges, cursor = tick_sensor(sensor, cursor)
    assert ranges == []  # it grew between two ticks
    ranges, cursor = tick_sensor(sensor, cursor)
    assert ranges == [("2022", "2022")]
    assert tick_sensor(sensor, cursor)[0] == []


def run_keys(config: str) -> list[str | None]:
    """The runs that the sensor requests at its second tick."""
    from pipelines.definitions import build

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (sensor,) = build(config).sensors
        first = sensor.evaluate_tick(dg.build_sensor_context())
        second = sensor.evaluate_tick(dg.build_sensor_context(cursor=first.cursor))
    return [request.run_key for request in second.run_requests]
