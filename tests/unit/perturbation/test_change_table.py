"""Does the table of changes have its moments, and are wrong tables refused?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from triple_aim.errors import ContentError
from triple_aim.perturbation import ChangeTable, maximum_entropy_table

SHIPPED = Path(__file__).resolve().parents[3] / "reference" / "perturbation" / "counts.csv"


def shipped() -> ChangeTable:
    table = pd.read_csv(SHIPPED, dtype=str)
    return ChangeTable.from_columns(table["count"], table["change"], table["probability"])


def test_the_shipped_table_is_what_the_function_computes() -> None:
    computed = maximum_entropy_table(6, 3.0)
    np.testing.assert_allclose(shipped().probabilities, computed.probabilities, atol=1e-11)
    assert SHIPPED.read_text().splitlines()[0] == computed.as_csv().splitlines()[0]
    assert len(SHIPPED.read_text().splitlines()) == len(computed.as_csv().splitlines())


def test_the_shipped_table_has_mean_0_variance_3_and_changes_of_at_most_6() -> None:
    table = shipped()
    assert table.max_change == 6 and table.variance == pytest.approx(3.0, abs=1e-9)
    np.testing.assert_allclose(table.probabilities.sum(axis=1), 1.0, atol=1e-11)
    np.testing.assert_allclose(table.probabilities @ table.changes, 0.0, atol=1e-10)
    np.testing.assert_allclose(table.variances, [0.0] + 6 * [3.0], atol=1e-9)
    np.testing.assert_allclose(table.probabilities[-1], table.probabilities[-1, ::-1], atol=1e-11)


@pytest.mark.parametrize("count", range(1, 7))
def test_the_logarithm_of_a_row_is_a_parabola(count: int) -> None:
    # The solution of greatest entropy for two moments is exp(a d + b d^2): third differences of the logarithm are 0.
    table = maximum_entropy_table(6, 3.0)
    row = table.probabilities[count]
    np.testing.assert_allclose(np.diff(np.log(row[row > 0]), 3), 0.0, atol=1e-6)
    assert (row > 0).sum() == 7 + count


@pytest.mark.parametrize(("max_change", "variance", "forbidden"), [(2, 1.05, 1), (5, 3.0, 2), (8, 3.5, 0), (6, 5.0, 3)])
def test_other_tables_have_their_moments_and_avoid_forbidden_counts(
    max_change: int, variance: float, forbidden: int
) -> None:
    table = maximum_entropy_table(max_change, variance, forbidden=forbidden)
    np.testing.assert_allclose(table.probabilities @ table.changes, 0.0, atol=1e-9)
    np.testing.assert_allclose(table.variances[1:], variance, atol=1e-9)
    targets = np.arange(len(table.probabilities))[:, np.newaxis] + table.changes
    assert not table.probabilities[1:][(targets[1:] > 0) & (targets[1:] <= forbidden)].any()


def test_a_small_count_has_the_nearest_variance_that_it_can_reach() -> None:
    # A 1 may lose one person or gain three: with mean 0 the variance is at most 3.
    table = maximum_entropy_table(3, 4.0)
    assert table.variances[1] == pytest.approx(3.0) and table.probabilities[1].tolist() == [0, 0, 0.75, 0, 0, 0, 0.25]
    assert table.variances[2] == pytest.approx(4.0) and table.variance == pytest.approx(4.0)
    # A 1 that may not stay 1 changes by at least one person, so the variance is at least 2.
    forbidden = maximum_entropy_table(3, 0.5, forbidden=2)
    assert forbidden.probabilities[1].nonzero()[0].tolist() == [2, 5] and forbidden.variances[1] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("max_change", "variance", "forbidden"), [(0, 1.0, 0), (2, 0.0, 0), (2, 4.0, 0), (2, 1.0, -1), (2, 1.0, 3)]
)
def test_an_impossible_table_is_refused(max_change: int, variance: float, forbidden: int) -> None:
    with pytest.raises(ValueError, match=r"no table|without bias"):
        maximum_entropy_table(max_change, variance, forbidden=forbidden)


FAULTS = {
    "text": (["1", "x"], ["0", "0"], ["1", "1"], "not a number"),
    "nothing": ([], [], [], "without a gap"),
    "a gap": ([1, 3], [0, 0], [1, 1], "without a gap"),
    "a pair twice": ([1, 1], [0, 0], [0.5, 0.5], "twice"),
    "a sum": ([1, 1, 1], [-1, 0, 1], [0.25, 0.25, 0.25], "count 1 does not sum to 1"),
    "a mean": ([1, 1], [0, 1], [0.5, 0.5], "count 1 has a mean other than 0"),
    "a negative count": ([1, 1, 1], [-2, 0, 2], [0.25, 0.5, 0.25], "count 1 leads to a negative count"),
    "a negative probability": ([1, 1, 1], [-1, 0, 1], [-0.5, 2, -0.5], "count 1 has a negative probability"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_table_is_refused(fault: str) -> None:
    count, change, probability, message = FAULTS[fault]
    with pytest.raises(ContentError, match=message) as caught:
        ChangeTable.from_columns(count, change, probability)
    assert caught.value.where == "reference/perturbation/counts.csv"
