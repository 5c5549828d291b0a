"""Synthetic deliveries, and an installation that has run on them once."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg
import pytest

from tests.generated import write_samples
from tests.once import copy_of, made_once
from tests.pipeline.installation import Installation, create_installation


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deliveries of 1,500 synthetic insured persons; tests do not change them."""
    return made_once(tmp_path_factory, "delivered", lambda folder: write_samples(folder, persons=1_500)) / "deliveries"


@pytest.fixture(scope="session")
def published(delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation that has run once; tests that change it, or open its warehouse, use a copy."""

    def run(folder: Path) -> None:
        installation = create_installation(folder)
        copy_of(delivered, installation.deliveries)
        assert installation.run().success

    return Installation(made_once(tmp_path_factory, "published", run))


@pytest.fixture
def installation(published: Installation, tmp_path: Path) -> Installation:
    """A copy of the installation that has run; a test may change it."""
    return Installation(copy_of(published.folder, tmp_path / "installation"))


@pytest.fixture(scope="session")
def complete_graph() -> dg.Definitions:
    """The graph of all content, built with the settings of the samples."""
    from pipelines.definitions import build

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return build(str(Path(__file__).parents[2] / "data_samples" / "monitor.toml"))
