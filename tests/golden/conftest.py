"""One run of the whole job on the shipped samples, shared by every test in this folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.golden.regenerate import run_samples


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with settings, warehouse and publication of that run."""
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="session")
def marts(folder: Path) -> dict[str, pd.DataFrame]:
    return run_samples(folder)
