"""The numbers of the ledger and of the checks as readers may see them.

Not here: the exact ledger (``triple_aim.cubes``), on which the checks run, and the exact verdicts
(``triple_aim.checks``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from triple_aim.definitions import Rounding
from triple_aim.disclosure.rounding import significant

#: Fewer rows or findings than this are not printed: they can be those of one person.
LEAST_COUNT = 10
ROW_DIGITS, EURO_DIGITS = 3, 2


def published_ledger(ledger: pd.DataFrame, rounding: Rounding) -> pd.DataFrame:
    """Return the ledger with rounded rows and euros, so that no difference gives the rows or euros of a person.

    Parameters
    ----------
    ledger : DataFrame
        One row per extract, period, supplier, stage and reason, with the exact ``row_count`` and ``amount_eur``.
    rounding : Rounding
        The smallest steps of rows and euros, of ``contracts/publication.yaml``.

    Returns
    -------
    DataFrame
        The same rows. ``row_count`` has three significant digits and ``amount_eur`` two, both with steps of at least
        ``rounding``; both are empty below ten rows. Two rounded totals differ by the euros of one person only if
        these are a large part of all euros, and then by a rounding step that is a large part of them.
    """
    counts = _rounded_counts(ledger["row_count"], rounding)
    euros = significant(ledger["amount_eur"].to_numpy(dtype=float), EURO_DIGITS, least=rounding.euros)
    return ledger.assign(row_count=counts, amount_eur=np.where(counts.isna(), np.nan, euros))


def published_counts(checks: pd.DataFrame, rounding: Rounding) -> pd.DataFrame:
    """Return the verdicts of checks with rounded counts: empty from 1 to 9, else as the rows of the ledger.

    A verdict says whether any row was unexpected, so zero stays zero.
    """
    names = ("checked_count", "unexpected_count")
    return checks.assign(**{name: _rounded_counts(checks[name], rounding) for name in names})


def _rounded_counts(counts: pd.Series[int], rounding: Rounding) -> pd.Series[int]:
    exact = np.asarray(counts, dtype=float)
    is_small = (exact > 0) & (exact < LEAST_COUNT)
    shown = np.where(is_small, np.nan, significant(exact, ROW_DIGITS, least=rounding.rows))
    return pd.Series(pd.array(shown, dtype="Int64"), index=counts.index)
