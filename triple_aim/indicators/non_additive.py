"""Sums that nobody can make of several parties' cells: their rows stand, and say why there is no number.

Not here: which sums these are (``-- non_additive:`` in ``sql/cube``). They rank everyone of a year, for which all rows
are needed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells
from triple_aim.definitions import Compute

REASON = "ranks everyone, which cannot be done with the sums of several parties"
NUMBERS = ["value", "lower", "upper", "numerator", "comparator_value", "comparator_lower", "comparator_upper"]


def lost_periods(route: Compute, cells: Cells) -> set[int]:
    """The periods of which a route lacks a sum because several parties contributed to them."""
    lost = {period for name in route.columns(cells.sums) for period in cells.apart.get(name, ())}
    if lost and route.growth:  # rests on earlier years, some of which are lost
        return set(cells.periods())
    return {period + later for period in lost for later in range(route.pool)}


def stood_in(cells: Cells) -> Cells:
    """The cells with nought for such sums, so that there is a row wherever the other sums are."""
    periods = np.array(cells.periods())
    sums = dict(cells.sums)
    for name, lost in cells.apart.items():
        at = np.isin(periods, list(lost)).reshape(-1, *[1] * (sums[name].ndim - 1))
        sums[name] = np.where(at, 0.0, sums[name])
    return replace(cells, sums=sums)


def told_apart(rows: pd.DataFrame, lost: set[int]) -> pd.DataFrame:
    """Rows of these periods without their numbers, and with the reason."""
    if not lost:
        return rows
    at = rows["period"].isin(lost) & rows["status"].ne("not_delivered")
    told = rows.copy()
    told.loc[at, [*NUMBERS, "cases", "rest_cases"]] = np.nan
    told.loc[at, ["difference", "judgement"]] = "not_compared"
    told.loc[at, ["status", "reason"]] = ["not_computed", REASON]
    return told
