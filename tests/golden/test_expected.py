"""Do the samples give the reviewed marts? After an intended change run ``python -m tests.golden.regenerate``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.golden.regenerate import MARTS, comparable, path_of, read_expected

MAXIMUM_BYTES = 2_000_000


@pytest.mark.parametrize("name", MARTS)
def test_the_samples_give_the_expected_mart(marts: dict[str, pd.DataFrame], name: str) -> None:
    actual, expected = comparable(name, marts[name]), read_expected(name)
    assert list(actual) == list(expected) and len(actual) == len(expected)
    for column in actual:
        left, right = (pd.to_numeric(side[column], errors="coerce") for side in (actual, expected))
        # The sixth digit may be rounded differently on another machine.
        same = actual[column].eq(expected[column]) | np.isclose(left, right, rtol=1.1e-5, atol=0)
        assert same.all(), (
            f"{(~same).sum()} rows differ in {column}:\n{actual[~same].head(3).T}\n{expected[~same].head(3).T}"
        )


def test_the_expected_marts_are_small_enough_to_review() -> None:
    assert sum(path_of(name).stat().st_size for name in MARTS) < MAXIMUM_BYTES
