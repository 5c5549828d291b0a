"""One run of the whole job on the shipped samples serves every test here."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.golden.regenerate import run_samples


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the settings, the warehouse and the publication of that run are."""
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="session")
def marts(folder: Path) -> dict[str, pd.DataFrame]:
    return run_samples(folder)
