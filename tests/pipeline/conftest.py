"""Invented deliveries, and an installation that has run once on them."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg
import pytest

from tests.once import copy_of, made_once
from tests.pipeline.installation import Installation, settle
from triple_aim.synthetic.samples import write_samples


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deliveries of 1,500 invented insured; never changed."""
    return made_once(tmp_path_factory, "delivered", lambda folder: write_samples(folder, persons=1_500)) / "deliveries"


@pytest.fixture(scope="session")
def published(delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation that has run once; tests that change it, or open its warehouse, take a copy."""

    def run(folder: Path) -> None:
        installation = settle(folder)
        copy_of(delivered, installation.deliveries)
        assert installation.run().success

    return Installation(made_once(tmp_path_factory, "published", run))


@pytest.fixture
def installation(published: Installation, tmp_path: Path) -> Installation:
    """A copy of the one that has run, free to be spoilt."""
    return Installation(copy_of(published.folder, tmp_path / "installation"))


@pytest.fixture(scope="session")
def whole_graph() -> dg.Definitions:
    """The graph of all content, as the shipped samples build it."""
    from pipelines.definitions import build

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return build(str(Path(__file__).parents[2] / "data_samples" / "monitor.toml"))
