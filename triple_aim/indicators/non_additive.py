"""Sums that cannot be added over parties: their rows exist without numbers, with the reason.

Not here: the list of these sums (``-- non_additive:`` in ``sql/cube``). They come from ranking all persons of a year,
which needs all rows in one place.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells
from triple_aim.definitions import Compute

REASON = "ranks everyone, which cannot be done with the sums of several parties"
NUMBERS = ["value", "lower", "upper", "numerator", "comparator_value", "comparator_lower", "comparator_upper"]


def unavailable_periods(route: Compute, cells: Cells) -> set[int]:
    """The periods without a sum of the route, because several parties contributed to the cube."""
    merged = {period for name in route.columns(cells.sums) for period in cells.non_additive.get(name, ())}
    if merged and route.growth:  # growth also uses earlier years, some of which are unavailable
        return set(cells.periods())
    return {period + later for period in merged for later in range(route.pool)}


def zero_filled(cells: Cells) -> Cells:
    """The cells with zero for non-additive sums, so that the estimators return a row where the other sums exist."""
    periods = np.array(cells.periods())
    sums = dict(cells.sums)
    for name, merged in cells.non_additive.items():
        unavailable = np.isin(periods, list(merged)).reshape(-1, *[1] * (sums[name].ndim - 1))
        sums[name] = np.where(unavailable, 0.0, sums[name])
    return replace(cells, sums=sums)


def blank_non_additive(rows: pd.DataFrame, unavailable: set[int]) -> pd.DataFrame:
    """Remove the numbers from the rows of unavailable periods and give the reason."""
    if not unavailable:
        return rows
    affected = rows["period"].isin(unavailable) & rows["status"].ne("not_delivered")
    blank = rows.copy()
    blank.loc[affected, [*NUMBERS, "cases", "rest_cases"]] = np.nan
    blank.loc[affected, ["difference", "judgement"]] = "not_compared"
    blank.loc[affected, ["status", "reason"]] = ["not_computed", REASON]
    return blank
