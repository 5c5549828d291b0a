"""Assembles the Dagster definitions: content → assets → job, schedule, sensor.

Not here: any of these parts; no other module assembles them.
"""

import os

import dagster as dg

from assets.cubes import cube_assets
from assets.extracts import extract_assets
from assets.indicators import indicator_assets
from assets.marts import mart_assets
from assets.persons import person_assets
from assets.protected import protected_assets
from assets.publication import publication_assets
from assets.resources import Monitor, programme_at
from pipelines.jobs import nightly
from pipelines.schedules import nightly_schedule
from pipelines.sensors import deliveries_sensor
from triple_aim.definitions import CONFIG_VARIABLE


def build(config: str = "") -> dg.Definitions:
    """The definitions of the installation that a settings file describes."""
    programme = programme_at(config)
    job = nightly()  # type: ignore[no-untyped-call]
    floors = (
        extract_assets,
        person_assets,
        cube_assets,
        indicator_assets,
        protected_assets,
        mart_assets,
        publication_assets,
    )
    return dg.Definitions(
        assets=[asset for floor in floors for asset in floor(programme)],
        jobs=[job],
        schedules=[nightly_schedule(programme, job)],
        sensors=[deliveries_sensor(programme, job)],
        resources={"monitor": Monitor(config=config)},
        executor=dg.in_process_executor,
    )


defs = build(os.environ.get(CONFIG_VARIABLE, ""))
