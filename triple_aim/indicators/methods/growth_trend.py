"""Growth as the slope of a line through the logarithms of several years, with the interval that its fit allows.

Not here: growth between two years (``growth``), the least squares (``stats.growth``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.estimators import Sums, note
from triple_aim.indicators.inputs import supply
from triple_aim.indicators.methods.growth import levels, only
from triple_aim.indicators.rollup import breakdown, by_category, flat, stratum_weights
from triple_aim.indicators.rows import Block, tidy
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.growth import log_linear
from triple_aim.vocabulary import ALL

BASES = ("nominal", "real", "standardised")


def trend_frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """Nominal growth as the total, real and standardised growth as segments, for each window of years that is whole."""
    if (wanted := route.growth) is None or wanted.years is None:
        return
    given = supply(spec, route, cubes, cube, regions)
    cells, place = given.cells, given.place
    periods = np.array(cells.periods())
    index = np.array([tables.deflators[wanted.deflator].get(int(period), np.nan) for period in periods])
    weight = stratum_weights(tables.standards[wanted.standard], wanted.standard, cells).reshape(-1)
    arrays = {
        "total": given.numerator[ALL],
        "exposure": given.known,
        "persons": flat(cells, route.persons or route.denominator or ""),
        "parts": given.numerator[ALL][..., None],
    }
    heard = ~given.silent
    split = breakdown(cells, "none")
    for end in range(len(periods)):
        rows = np.flatnonzero((periods > periods[end] - wanted.years) & (periods <= periods[end]))
        if len(rows) < wanted.years:
            continue  # a window with a year missing is another window
        # A municipality that came or went would pass for growth: it counts in no year of the window.
        kept = place.throughout(heard[rows])
        own = Sums({name: place.roll_up(only(kept, array[rows])) for name, array in arrays.items()})
        rest = own.of(place.country).minus(own)
        note(_yearly(own), weight)
        made, others = (_slopes(sums, periods[rows], index[rows], weight, route.level) for sums in (own, rest))
        told = only(kept, given.known[rows])[-1:]
        spoke, listed = place.deliverers(told)
        last = {name: array[-1:] for name, array in own.parts.items()}
        unknown = np.full((1, len(place.frame), 1), np.nan)
        for basis in BASES:
            yield tidy(
                spec,
                [int(periods[end])],
                place,
                split,
                _shaped(made[basis], route.per),
                _shaped(others[basis], route.per),
                {
                    "numerator": by_category(last["total"], split.masks),
                    "denominator": by_category(last["exposure"], split.masks),
                    "persons": _least(own),
                    "rest_persons": _least(rest),
                    "cases": unknown,
                    "rest_cases": unknown,
                    "coverage_share": place.coverage(
                        *(by_category(array, split.masks) for array in (told, given.known[[end]]))
                    ),
                    "heard": spoke[..., None],
                    "listed": listed[:, None],
                },
                ("none", ALL) if basis == "nominal" else ("growth_basis", basis),
            )


def _yearly(own: Sums) -> Sums:
    """A window of years in one, as (period, region, category, year and stratum)."""
    years = {name: own.parts[name].swapaxes(0, 1) for name in ("total", "exposure", "persons")}
    return Sums({name: array.reshape(1, len(array), 1, -1) for name, array in years.items()})


def _slopes(sums: Sums, periods: NDArray[np.int64], index: Floats, weight: Floats, level: float) -> dict[str, Estimate]:
    nominal, _, standardised = levels(sums.parts, weight)
    # (year, region) → (region, year)
    series = {"nominal": nominal, "real": nominal / index[:, None], "standardised": standardised}
    return {basis: log_linear(value.T, periods, level=level) for basis, value in series.items()}


def _shaped(made: Estimate, per: float) -> Estimate:
    return Estimate(*((per * part)[None, :, None] for part in (made.value, made.lower, made.upper)))


def _least(sums: Sums) -> Floats:
    """A slope tells of every year of its window, so it rests on the smallest."""
    persons: Floats = sums.parts["persons"].sum(axis=(2, 3)).min(axis=0)
    return persons[None, :, None]
