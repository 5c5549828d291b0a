"""One run of the whole job on the real open data for all tests in this folder; the data is read in place."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.once import copy_of, made_once
from triple_aim.warehouse.connection import Warehouse, open_warehouse

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TRIPLE_AIM_SHARED_DATA", ROOT / "../shared/data")).resolve()


@pytest.fixture(scope="session")
def open_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work and publication of that run, with the settings of ``benchmarks/open_data.toml``; nobody changes it."""
    return made_once(tmp_path_factory, "open_data", _run)


@pytest.fixture(scope="session")
def release(open_data: Path) -> Path:
    return (open_data / "publication" / "current").resolve()


@pytest.fixture(scope="session")
def marts(release: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_parquet(path) for path in release.glob("*.parquet")}


@pytest.fixture(scope="session")
def staged(open_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Every public file, staged."""
    work = copy_of(open_data / "work", tmp_path_factory.mktemp("staged") / "work")
    with open_warehouse(work / "warehouse.duckdb", reach=[work]) as warehouse:
        yield warehouse


def _run(folder: Path) -> None:
    import dagster as dg

    from triple_aim.deliveries.ingest import delivered_periods

    config = folder / "monitor.toml"
    config.write_text(f"deliveries = '{DATA}'\nwork = 'work'\npublication = 'publication'\nmemory_limit = '1GB'\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        from assets.resources import programme_at
        from pipelines.definitions import build
        from pipelines.jobs import year_range_tags

        job = build(str(config)).resolve_job_def("nightly")
    programme = programme_at(str(config))
    periods = delivered_periods(programme.project, programme.contracts.values())
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance, tags=year_range_tags(periods[0], periods[-1])).success
