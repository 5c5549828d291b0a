"""Do the samples still give the marts that were reviewed? A wanted change: ``python -m tests.golden.regenerate``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.golden.regenerate import MARTS, comparable, path_of, read_expected

LARGEST = 2_000_000


@pytest.mark.parametrize("name", MARTS)
def test_the_samples_give_the_expected_mart(marts: dict[str, pd.DataFrame], name: str) -> None:
    made, expected = comparable(name, marts[name]), read_expected(name)
    assert list(made) == list(expected) and len(made) == len(expected)
    for column in made:
        left, right = (pd.to_numeric(side[column], errors="coerce") for side in (made, expected))
        # The sixth digit may round either way on another machine.
        same = made[column].eq(expected[column]) | np.isclose(left, right, rtol=1.1e-5, atol=0)
        assert same.all(), (
            f"{(~same).sum()} rows differ in {column}:\n{made[~same].head(3).T}\n{expected[~same].head(3).T}"
        )


def test_what_is_kept_is_small_enough_to_review() -> None:
    assert sum(path_of(name).stat().st_size for name in MARTS) < LARGEST
