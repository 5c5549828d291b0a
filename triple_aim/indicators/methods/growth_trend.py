"""Growth as the slope of a log-linear fit over several years, with the interval of the fit.

Not here: growth between two years (``growth``), least squares (``stats.growth``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.columns import Column, column_of
from triple_aim.indicators.estimators import Sums, record_inputs
from triple_aim.indicators.inputs import route_inputs
from triple_aim.indicators.methods.growth import levels, masked, regional_sums
from triple_aim.indicators.rollup import breakdown, by_category, stratum_weights
from triple_aim.indicators.rows import Block, make_block
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.growth import log_linear
from triple_aim.vocabulary import ALL

BASES = ("nominal", "real", "standardised")


def trend_blocks(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """Nominal growth as the total, real and standardised growth as segments, for each complete window of years."""
    if (wanted := route.growth) is None or wanted.years is None:
        return
    inputs = route_inputs(spec, route, cubes, cube, regions)
    cells, place = inputs.cells, inputs.place
    periods = np.array(cells.periods())
    index = np.array([tables.deflators[wanted.deflator].get(int(period), np.nan) for period in periods])
    weight = stratum_weights(tables.standards[wanted.standard], wanted.standard, cells).reshape(-1)
    columns: dict[str, Column | list[Column]] = {
        "total": inputs.numerator[ALL],
        "exposure": inputs.denominator,
        "persons": column_of(cells, route.persons or route.denominator or ""),
        "parts": [inputs.numerator[ALL]],
    }
    reporting = ~inputs.nonreporting
    split = breakdown(cells, "none")
    for end in range(len(periods)):
        rows = np.flatnonzero((periods > periods[end] - wanted.years) & (periods <= periods[end]))
        if len(rows) < wanted.years:
            continue  # a window with a missing year is not estimated
        # A municipality that starts or stops reporting would look like growth, so it counts in no year of the window.
        kept = place.reporting_in_all(reporting[rows])
        own = Sums({name: regional_sums(place, column, kept, rows) for name, column in columns.items()})
        rest = own.of(place.country).minus(own)
        record_inputs(_yearly(own), weight)
        own_slopes, rest_slopes = (
            _slopes(sums, periods[rows], index[rows], weight, route.level) for sums in (own, rest)
        )
        reported = masked(kept, inputs.denominator.values[rows])[-1:]
        reporting_count, municipalities = place.reporting_counts(reported)
        last = {name: array[-1:] for name, array in own.parts.items()}
        unknown = np.full((1, len(place.frame), 1), np.nan)
        for basis in BASES:
            yield make_block(
                spec,
                [int(periods[end])],
                place,
                split,
                _shaped(own_slopes[basis], route.per),
                _shaped(rest_slopes[basis], route.per),
                {
                    "numerator": by_category(last["total"], split.masks),
                    "denominator": by_category(last["exposure"], split.masks),
                    "persons": _fewest_persons(own),
                    "rest_persons": _fewest_persons(rest),
                    "cases": unknown,
                    "rest_cases": unknown,
                    "coverage_share": place.coverage(
                        *(by_category(array, split.masks) for array in (reported, inputs.denominator.values[[end]]))
                    ),
                    "reporting_count": reporting_count[..., None],
                    "municipality_count": municipalities[:, None],
                },
                ("none", ALL) if basis == "nominal" else ("growth_basis", basis),
            )


def _yearly(own: Sums) -> Sums:
    """A window of years as one period: (period, region, category, year and stratum)."""
    years = {name: own.parts[name].swapaxes(0, 1) for name in ("total", "exposure", "persons")}
    return Sums({name: array.reshape(1, len(array), 1, -1) for name, array in years.items()})


def _slopes(sums: Sums, periods: NDArray[np.int64], index: Floats, weight: Floats, level: float) -> dict[str, Estimate]:
    nominal, _, standardised = levels(sums.parts, weight)
    # (year, region) → (region, year)
    series = {"nominal": nominal, "real": nominal / index[:, None], "standardised": standardised}
    return {basis: log_linear(value.T, periods, level=level) for basis, value in series.items()}


def _shaped(slope: Estimate, per: float) -> Estimate:
    return Estimate(*((per * part)[None, :, None] for part in (slope.value, slope.lower, slope.upper)))


def _fewest_persons(sums: Sums) -> Floats:
    """The persons of the smallest year: a slope reveals every year of its window."""
    persons: Floats = sums.parts["persons"].sum(axis=(2, 3)).min(axis=0)
    return persons[None, :, None]
