"""One run of the whole job on the shipped samples, shared by every test in this folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.content import exact_rows
from tests.project_copy import own_copy


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the settings of that run."""
    return own_copy(tmp_path_factory).root / "data_samples"


@pytest.fixture(scope="session")
def exact(folder: Path) -> pd.DataFrame:
    """The exact rows of every indicator, before their sums are changed."""
    return exact_rows(folder.parent / "work" / "samples" / "warehouse.duckdb")


@pytest.fixture(scope="session")
def marts(folder: Path) -> dict[str, pd.DataFrame]:
    release = folder.parent / "publication" / "samples" / "current"
    return {path.stem: pd.read_parquet(path) for path in release.glob("*.parquet")}
