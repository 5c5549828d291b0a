"""One run of the whole job on the shipped samples serves every test here."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.golden.regenerate import run_samples


@pytest.fixture(scope="session")
def marts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return run_samples(tmp_path_factory.mktemp("samples"))
