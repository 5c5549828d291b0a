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
    rows = ledger["row_count"].to_numpy(dtype=float)
    euros = ledger["amount_eur"].to_numpy(dtype=float)
    is_small = (rows > 0) & (rows < LEAST_COUNT)
    counts = np.where(is_small, np.nan, significant(rows, ROW_DIGITS, least=rounding.rows))
    return ledger.assign(
        row_count=pd.array(counts, dtype="Int64"),
        amount_eur=np.where(is_small, np.nan, significant(euros, EURO_DIGITS, least=rounding.euros)),
    )


def published_counts(checks: pd.DataFrame, rounding: Rounding) -> pd.DataFrame:
    """Return the verdicts of checks with rounded counts: empty from 1 to 9, else as the rows of the ledger.

    A verdict says whether any row was unexpected, so zero stays zero.
    """
    rounded = {}
    for name in ("checked_count", "unexpected_count"):
        counts = checks[name].to_numpy(dtype=float)
        is_small = (counts > 0) & (counts < LEAST_COUNT)
        rounded[name] = pd.array(
            np.where(is_small, np.nan, significant(counts, ROW_DIGITS, least=rounding.rows)), dtype="Int64"
        )
    return checks.assign(**rounded)
