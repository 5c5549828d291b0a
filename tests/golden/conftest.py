"""One run of the whole job on the shipped samples serves every test here."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.house import own_house


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the settings of that run are, which say where its warehouse and its publication are."""
    return own_house(tmp_path_factory).root / "data_samples"


@pytest.fixture(scope="session")
def marts(folder: Path) -> dict[str, pd.DataFrame]:
    release = folder.parent / "publication" / "samples" / "current"
    return {path.stem: pd.read_parquet(path) for path in release.glob("*.parquet")}
