"""Invented deliveries, and an installation that has run once on them."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import dagster as dg
import pytest

from pipelines.definitions import build
from tests.pipeline.installation import Installation, settle
from triple_aim.synthetic.samples import write_samples


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deliveries of 1,500 invented insured; never changed."""
    folder = tmp_path_factory.mktemp("delivered")
    write_samples(folder, persons=1_500)
    return folder / "deliveries"


@pytest.fixture(scope="session")
def published(delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation that has run once; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(delivered, folder / "deliveries")
    installation = settle(folder)
    assert installation.run().success
    return installation


@pytest.fixture
def installation(published: Installation, tmp_path: Path) -> Installation:
    """A copy of the one that has run, free to be spoilt."""
    copy = tmp_path / "installation"
    shutil.copytree(published.folder, copy, symlinks=True)
    return settle(copy)


@pytest.fixture(scope="session")
def whole_graph() -> dg.Definitions:
    """The graph of all content, as the shipped samples build it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return build(str(Path(__file__).parents[2] / "data_samples" / "monitor.toml"))
