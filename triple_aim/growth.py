"""Growth of a cost per unit of exposure on four bases: nominal, real, break-adjusted, standardised.

Not here: the formula of growth itself (``stats.growth``); this module picks the pairs of periods and the parts that
may be compared. Growth of averages is never averaged: it is made anew from the sums of a region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triple_aim.cubes import Floats
from triple_aim.stats.growth import break_adjusted, compound
from triple_aim.stats.standardise import directly_standardised_mean


@dataclass(frozen=True)
class GrowthPlan:
    """Which period is compared with which, and by what measure."""

    periods: NDArray[np.int64]
    base: int | None  # the period growth counts from; each period's predecessor when None
    index: Mapping[int, float]  # price index by period
    weight: Floats  # standard weights by stratum
    first_years: Mapping[str, list[int]]  # first years of a new definition, by member of the family

    def growth(self, sums: Mapping[str, Floats]) -> dict[str, Floats]:
        """Fractional growth a year as (period, region), by basis.

        ``sums`` has total, exposure and persons as (period, region, sex, band) and parts with the members of the
        family on a further axis. A period without a period to compare it with is nan.
        """
        start, years = self._pairs()
        exposure = _positive(sums["exposure"].sum(axis=(2, 3)))
        nominal = sums["total"].sum(axis=(2, 3)) / exposure
        index = np.array([self.index.get(int(period), np.nan) for period in self.periods])
        shape = (*sums["total"].shape[:2], -1)
        standardised = directly_standardised_mean(
            sums["total"].reshape(shape),
            None,
            sums["persons"].reshape(shape),
            self.weight,
            exposure=sums["exposure"].reshape(shape),
        ).value
        parts = sums["parts"].sum(axis=(2, 3)) / exposure[..., None]
        span = np.where(years > 0, years, 1)[:, None]
        grown = {
            "nominal": compound(nominal, nominal[start], span).value,
            "real": compound(nominal / index[:, None], (nominal / index[:, None])[start], span).value,
            "break_adjusted": break_adjusted(parts, parts[start], self._comparable(start)[:, None, :], span).value,
            "standardised": compound(standardised, standardised[start], span).value,
        }
        return {basis: np.where(years[:, None] > 0, value, np.nan) for basis, value in grown.items()}

    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row of the period each one is compared with, and the years between; 0 years where there is none."""
        wanted = self.periods - 1 if self.base is None else np.full_like(self.periods, self.base)
        where = np.searchsorted(self.periods, wanted).clip(max=len(self.periods) - 1)
        years = np.where(self.periods[where] == wanted, self.periods - wanted, 0)
        return where, years

    def _comparable(self, start: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(period, member): no new definition began after the start and by the end."""
        first, last = self.periods[start], self.periods
        return np.stack(
            [
                ~np.any([(first < year) & (year <= last) for year in years] or [np.zeros(len(last), bool)], axis=0)
                for years in self.first_years.values()
            ],
            axis=-1,
        )


def _positive(exposure: Floats) -> Floats:
    return np.where(exposure > 0, exposure, np.nan)
