"""Target costs of care by age and sex in any year, and raking of a table to given margins.

Not here: the amount of care (``model``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.synthetic.tables import read

#: Rounded national means: euro per insured year by five-year band and sex in three years; by kind of care, euro and
#: half the mean number of days until a line is booked.
MEANS, KINDS = (read(name) for name in ("cost", "kinds"))


def rake(start: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale a table to the given margins by iterative proportional fitting; columns fit exactly, rows nearly."""
    table = start.copy()
    for _ in range(200):
        table *= (rows / table.sum(axis=1))[:, None]
        table *= columns / table.sum(axis=0)
    return table


def cost_targets(year: int) -> pd.Series[float]:
    """Euro per insured year by age band and sex, linear between and beyond the years of the table."""
    table = MEANS.set_index(["age_band", "sex"])
    return _interpolate({int(name[-4:]): table[name] for name in table.columns}, year)


def kinds_of_care(year: int) -> pd.DataFrame:
    """Days until a line is booked and share of the euros, by kind of care."""
    kinds = KINDS.set_index("care_kind")
    euros = _interpolate({2018: kinds["euro_2018"], 2023: kinds["euro_2023"]}, year)
    return kinds[["booking_days"]].assign(share=euros / euros.sum())


def _interpolate(series: dict[int, pd.Series[float]], year: int) -> pd.Series[float]:
    years = sorted(series)
    upper = next((known for known in years[1:-1] if known >= year), years[-1])
    lower = years[years.index(upper) - 1]
    return series[lower] + (series[upper] - series[lower]) * (year - lower) / (upper - lower)
