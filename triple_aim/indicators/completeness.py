"""The completeness of a year of claims, from the months of booking, and the provisional rows that follow from it.

Not here: the chain ladder (``stats.run_off``). The factors are national: those of one region vary too much.
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
    """The share of each period's euros that has been booked, estimated from earlier months; nan without bookings.

    A month of service is an origin, a month of delay a development. Bookings after the last booking of a year are not
    yet observed, which differs from zero. The month of that last booking is not used either: a delivery of 1 May has
    one day of May, and as a full month it would look like missing claims.
    """
    shares = np.full(len(periods), np.nan)
    years = cells.periods()
    delays = [label for label in cells.labels["delay_month"] if label.isdigit()]
    if not years or not delays:
        return shares
    columns = [cells.labels["delay_month"].index(label) for label in delays]
    booked = np.nansum(cells.sums["amount_eur"], axis=(1, 2, 3))[..., columns]  # (period, service month, delay)
    delay = np.array([int(label) for label in delays])
    booked = _every_delay(booked, delay)
    origin = np.array([year * MONTHS for year in years])[:, None] + np.arange(MONTHS)
    booking = origin[..., None] + np.arange(booked.shape[-1])
    newest = np.where(booked != 0, booking, -1).max(axis=(1, 2))
    # The first month of delay is kept: it is the only observation of the latest month of service.
    observed = (booking < newest[:, None, None]) | ((booking == newest[:, None, None]) & (booking == origin[..., None]))
    triangle = np.where(observed, booked, np.nan).reshape(-1, booked.shape[-1])
    share = completion_factors(triangle).share.reshape(len(years), MONTHS)
    expected = np.nansum(triangle, axis=-1).reshape(len(years), MONTHS) / share
    so_far = booked.sum(axis=(1, 2))
    share_of_year = so_far / np.maximum(expected.sum(axis=1), so_far)
    by_year = dict(zip(years, share_of_year.tolist(), strict=True))
    return np.array([by_year.get(period, np.nan) for period in periods])


def mark_provisional(rows: pd.DataFrame, route: Compute, cells: Cells, rule: RunOff) -> pd.DataFrame:
    """Mark the rows of incomplete years of one source as provisional, with the booked share as the reason."""
    periods, position = np.unique(rows["period"], return_inverse=True)
    share = completed_shares(cells, periods.tolist())
    # A completed year contains an estimate of the claims to come, so it is provisional too.
    incomplete = (share < rule.complete_from)[position] & (rows["status"] == "published").to_numpy()
    if not incomplete.any():
        return rows
    completed = ", and the value is completed" if route.completion else ""
    remarks = [
        f"about {part:.0f} % of the euros of the year have been booked{completed}; " for part in np.round(100 * share)
    ]
    reason = (np.array(remarks, dtype=object)[position] + rows["reason"]).str.removesuffix("; ")
    return rows.assign(
        status=np.where(incomplete, "provisional", rows["status"]), reason=np.where(incomplete, reason, rows["reason"])
    )


def _every_delay(booked: Floats, delay: Floats) -> Floats:
    """One element per month of delay, 0 for a month without bookings."""
    dense = np.zeros((*booked.shape[:-1], int(delay.max()) + 1))
    dense[..., delay] = booked
    return dense
