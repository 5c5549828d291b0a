"""How complete a year of claims is, from the months of booking, and what that makes of the rows of an indicator.

Not here: the chain ladder itself (``stats.run_off``). The factors are the country's: a region's own would be noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, RunOff
from triple_aim.stats.run_off import completion_factors

MONTHS = 12


def completed_shares(cells: Cells, periods: Sequence[int]) -> Floats:
    """Which part of each period's euros has been booked, as far as earlier months tell; nan where nothing tells.

    A month of service is an origin, a month of delay a development. Each year is as old as the last booking in it: what
    would have been booked later is not yet observed, which is not nothing. Nor is the month of that booking observed:
    of a delivery of 1 May it is one day, which as a month would tell of claims that stay away.
    """
    shares = np.full(len(periods), np.nan)
    years = cells.periods()
    delays = [label for label in cells.labels["delay_month"] if label.isdigit()]
    if not years or not delays:
        return shares
    where = [cells.labels["delay_month"].index(label) for label in delays]
    booked = np.nansum(cells.sums["amount_eur"], axis=(1, 2, 3))[..., where]  # (period, service month, delay)
    delay = np.array([int(label) for label in delays])
    booked = _spread(booked, delay)
    origin = np.array([year * MONTHS for year in years])[:, None] + np.arange(MONTHS)
    booking = origin[..., None] + np.arange(booked.shape[-1])
    newest = np.where(booked != 0, booking, -1).max(axis=(1, 2))
    # The first month of delay is kept even so: without it, nothing would tell of the latest month of service.
    known = (booking < newest[:, None, None]) | ((booking == newest[:, None, None]) & (booking == origin[..., None]))
    triangle = np.where(known, booked, np.nan).reshape(-1, booked.shape[-1])
    share = completion_factors(triangle).share.reshape(len(years), MONTHS)
    foreseen = np.nansum(triangle, axis=-1).reshape(len(years), MONTHS) / share
    so_far = booked.sum(axis=(1, 2))
    whole = so_far / np.maximum(foreseen.sum(axis=1), so_far)
    found = dict(zip(years, whole.tolist(), strict=True))
    return np.array([found.get(period, np.nan) for period in periods])


def marked(rows: pd.DataFrame, route: Compute, cells: Cells, rule: RunOff) -> pd.DataFrame:
    """Rows of one source, those of a year that is still filling up as provisional, with how far it is."""
    periods, at = np.unique(rows["period"], return_inverse=True)
    share = completed_shares(cells, periods.tolist())
    # A completed year rests on a guess, however good, so it is provisional too.
    filling = (share < rule.complete_from)[at] & (rows["status"] == "published").to_numpy()
    if not filling.any():
        return rows
    beside = ", and the value is completed" if route.completion else ""
    told = [f"about {part:.0f} % of the euros of the year have been booked{beside}; " for part in np.round(100 * share)]
    reason = (np.array(told, dtype=object)[at] + rows["reason"]).str.removesuffix("; ")
    return rows.assign(
        status=np.where(filling, "provisional", rows["status"]), reason=np.where(filling, reason, rows["reason"])
    )


def _spread(booked: Floats, delay: Floats) -> Floats:
    """One place a month of delay, also for a delay at which nothing was booked."""
    dense = np.zeros((*booked.shape[:-1], int(delay.max()) + 1))
    dense[..., delay] = booked
    return dense
