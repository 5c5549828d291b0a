"""Growth of a cost per unit of exposure on four bases: nominal, real, break-adjusted, standardised.

Not here: the formula of growth itself (``stats.growth``); this module picks the pairs of periods, and the parts and
municipalities that may be compared. Growth of averages is never averaged: it is made anew from the sums of a region.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.estimators import Sums, note
from triple_aim.indicators.inputs import supply
from triple_aim.indicators.rollup import Geography, breakdown, flat, stratum_weights
from triple_aim.indicators.rows import Block, tidy
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.growth import break_adjusted, compound
from triple_aim.stats.standardise import directly_standardised_mean
from triple_aim.vocabulary import ALL

ENDS = ("total", "exposure", "persons")


@dataclass(frozen=True)
class GrowthPlan:
    """Which period is compared with which, and by what measure."""

    periods: NDArray[np.int64]
    base: int | None  # the period growth counts from; each period's predecessor when None
    index: Mapping[int, float]  # price index by period
    weight: Floats  # standard weights by stratum
    first_years: Mapping[str, list[int]]  # first years of a new definition, by member of the family

    def growth(self, end: Mapping[str, Floats], start: Mapping[str, Floats]) -> dict[str, Floats]:
        """Fractional growth a year as (period, region), by basis.

        Both have total, exposure and persons as (period, region, sex, band), and parts with the members of the family
        on a further axis; ``start`` is of the period that each period is compared with. A period without one is nan.
        """
        first, years = paired(self.periods, self.base)
        index = np.array([self.index.get(int(period), np.nan) for period in self.periods])
        span = np.where(years > 0, years, 1)[:, None]
        (nominal, parts, standard), (nominal_0, parts_0, standard_0) = (
            levels(side, self.weight) for side in (end, start)
        )
        prices = (index / index[first])[:, None]
        grown = {
            "nominal": compound(nominal, nominal_0, span).value,
            "real": compound(nominal / prices, nominal_0, span).value,
            "break_adjusted": break_adjusted(parts, parts_0, self._comparable(first)[:, None, :], span).value,
            "standardised": compound(standard, standard_0, span).value,
        }
        return {basis: np.where(years[:, None] > 0, value, np.nan) for basis, value in grown.items()}

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


def levels(sums: Mapping[str, Floats], weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Euros per unit of exposure: of everything, of each part, and with the ages of the standard."""
    exposure = sums["exposure"].sum(axis=(2, 3))
    exposure = np.where(exposure > 0, exposure, np.nan)
    shape = (*sums["total"].shape[:2], -1)
    standardised = directly_standardised_mean(
        sums["total"].reshape(shape),
        None,
        sums["persons"].reshape(shape),
        weight,
        exposure=sums["exposure"].reshape(shape),
    )
    nominal = sums["total"].sum(axis=(2, 3)) / exposure
    return nominal, sums["parts"].sum(axis=(2, 3)) / exposure[..., None], standardised.value


def growth_frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """Growth on each basis; the nominal one is the total, the others are segments beside it."""
    if (wanted := route.growth) is None:
        return
    given = supply(spec, route, cubes, cube, regions)
    cells, place = given.cells, given.place
    plan = GrowthPlan(
        periods=np.array(cells.periods()),
        base=wanted.base,
        index=tables.deflators[wanted.deflator],
        weight=stratum_weights(tables.standards[wanted.standard], wanted.standard, cells).reshape(-1),
        first_years={member: tables.first_years(wanted.breaks, cube, member) for member in given.members},
    )
    arrays = {
        "total": given.numerator[ALL],
        "exposure": given.known,
        "persons": flat(cells, route.persons or ""),
        "parts": np.stack([np.nan_to_num(given.numerator[member]) for member in given.members], axis=-1),
    }
    first, years = paired(plan.periods, plan.base)
    (end, start), heard = at_both_ends(place, arrays, given.silent, first, years)
    rest_end, rest_start = (sums.of(place.country).minus(sums) for sums in (end, start))
    own, others = plan.growth(end.parts, start.parts), plan.growth(rest_end.parts, rest_start.parts)
    note(_both_ends(end, start), plan.weight)
    count, listed = place.deliverers(heard)
    total, years_insured = (end.parts[name].sum(axis=(2, 3))[..., None] for name in ("total", "exposure"))
    # Growth tells of both its ends, so it rests on the smaller of the two.
    persons, rest_persons = (
        np.fmin(*(side.parts["persons"].sum(axis=(2, 3)) for side in sides))[..., None]
        for sides in ((end, start), (rest_end, rest_start))
    )
    unknown = np.full_like(persons, np.nan)
    coverage = place.coverage(*(array.sum(axis=(2, 3))[..., None] for array in (heard, given.known)))
    for basis, value in own.items():
        yield tidy(
            spec,
            cells.periods(),
            place,
            breakdown(cells, "none"),
            Estimate.without_limits(route.per * value[..., None]),
            Estimate.without_limits(route.per * others[basis][..., None]),
            {
                "numerator": total,
                "denominator": years_insured,
                "persons": persons,
                "rest_persons": rest_persons,
                "cases": unknown,
                "rest_cases": unknown,
                "coverage_share": coverage,
                "heard": count[..., None],
                "listed": listed[:, None],
            },
            ("none", ALL) if basis == "nominal" else ("growth_basis", basis),
            told=years > 0,  # without an earlier year there is nothing to say
        )


def paired(periods: NDArray[np.int64], base: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row of the period each one is compared with (its predecessor without a base), and the years between, or 0."""
    wanted = periods - 1 if base is None else np.full_like(periods, base)
    where = np.searchsorted(periods, wanted).clip(max=len(periods) - 1)
    return where, np.where(periods[where] == wanted, periods - wanted, 0)


def at_both_ends(
    place: Geography,
    arrays: Mapping[str, Floats],
    lacking: NDArray[np.bool_],
    first: NDArray[np.int64],
    years: NDArray[np.int64],
) -> tuple[tuple[Sums, Sums], Floats]:
    """Regional sums of each period and of the one it is compared with, and the exposure heard at the end.

    A municipality that delivered at one end only (``lacking`` is (period, municipality)) would pass for growth: it
    counts at neither.
    """
    spoke = np.where(lacking, np.nan, 1.0)
    in_end, in_start = place.both(spoke, spoke[first])
    in_end = np.where(years[:, None] > 0, in_end, ~lacking)
    end, start = (
        Sums({name: place.roll_up(only(kept, array[rows])) for name, array in arrays.items()})
        for kept, rows in ((in_end, np.arange(len(first))), (in_start, first))
    )
    return (end, start), only(in_end, arrays["exposure"])


def _both_ends(end: Sums, start: Sums) -> Sums:
    """Both ends in one, as (period, region, category, stratum), and parts as (period, region, category, member)."""
    sides = {"end": end.parts, "start": start.parts}
    ends = {f"{when}_{name}": side[name] for when, side in sides.items() for name in ENDS}
    strata = {name: array.reshape(*array.shape[:2], 1, -1) for name, array in ends.items()}
    return Sums(strata | {f"{when}_parts": side["parts"].sum(axis=(2, 3))[:, :, None] for when, side in sides.items()})


def only(kept: NDArray[np.bool_], array: Floats) -> Floats:
    """The kept (period, municipality) of an array; nan elsewhere."""
    return np.where(kept.reshape(*kept.shape, *[1] * (array.ndim - 2)), array, np.nan)
