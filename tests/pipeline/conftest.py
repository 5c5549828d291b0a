"""Synthetic deliveries, and an installation that has run on them once."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import dagster as dg
import pytest

from pipelines.definitions import build
from tests.pipeline.installation import Installation, create_installation
from triple_aim.synthetic.samples import write_samples


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deliveries of 1,500 synthetic insured persons; tests do not change them."""
    folder = tmp_path_factory.mktemp("delivered")
    write_samples(folder, persons=1_500)
    return folder / "deliveries"


@pytest.fixture(scope="session")
def published(delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation that has run once; tests that change it use a copy."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(delivered, folder / "deliveries")
    installation = create_installation(folder)
    assert installation.run().success
    return installation


@pytest.fixture
def installation(published: Installation, tmp_path: Path) -> Installation:
    """A copy of the installation that has run; a test may change it."""
    copy = tmp_path / "installation"
    shutil.copytree(published.folder, copy, symlinks=True)
    return create_installation(copy)


@pytest.fixture(scope="session")
def complete_graph() -> dg.Definitions:
    """The graph of all content, built with the settings of the samples."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return build(str(Path(__file__).parents[2] / "data_samples" / "monitor.toml"))
