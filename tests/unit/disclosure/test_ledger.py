"""Do the published ledger and checks hide the rows and euros of one person, also in differences?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.disclosure.modes import PUBLICATION
from triple_aim.disclosure.ledger import published_counts, published_ledger
from triple_aim.disclosure.rounding import significant

RULES = PUBLICATION.rounding


def ledger(rows: list[int], euros: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"reason": [str(number) for number in rows], "row_count": rows, "amount_eur": euros})


def test_small_counts_and_their_euros_are_empty() -> None:
    printed = published_ledger(ledger([0, 1, 9, 10, 12_345], [0.0, 10.0, 90.0, 51_000.0, 1_234_567.89]), RULES)
    assert printed["row_count"].isna().tolist() == [False, True, True, False, False]
    assert printed["row_count"].dropna().tolist() == [0, 10, 12_300]
    assert printed["amount_eur"].dropna().tolist() == [0.0, 51_000.0, 1_200_000.0]


@pytest.mark.parametrize("total", [50_000_000.0, 99_400_000.0, 1_234_567_890.0])
def test_no_difference_of_two_ledgers_gives_the_euros_of_a_person(total: float) -> None:
    """A person with up to a twentieth of all euros is withdrawn; the step is a tenth of these euros or more."""
    amount = total / 20
    before, after = (
        published_ledger(ledger([100_000], [euros]), RULES)["amount_eur"][0] for euros in (total, total - amount)
    )
    step = 10 ** (np.floor(np.log10(before)) - 1)
    assert 2 * step >= 0.1 * amount
    assert abs((before - after) - amount) <= 2 * step


def test_counts_of_checks_are_rounded_and_zero_stays_zero() -> None:
    checks = pd.DataFrame({"checked_count": [12_345, 8, 17], "unexpected_count": [0, 3, 17]})
    printed = published_counts(checks, RULES)
    assert printed["checked_count"].tolist() == [12_300, pd.NA, 20]
    assert printed["unexpected_count"].tolist() == [0, pd.NA, 20]


def test_a_number_of_digits_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        significant(np.array([1.0]), 0)
