"""Growth of a cost per unit of exposure on four bases: nominal, real, break-adjusted, standardised.

Not here: the formula of growth (``stats.growth``). This module selects the pairs of periods, and the parts and
municipalities that can be compared. The growth of a region comes from its sums, never from an average of growth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.columns import Column, change, column_of
from triple_aim.indicators.estimators import Sums, record_inputs
from triple_aim.indicators.inputs import route_inputs
from triple_aim.indicators.rollup import Geography, breakdown, stratum_weights
from triple_aim.indicators.rows import Block, make_block
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.growth import break_adjusted, compound
from triple_aim.stats.standardise import directly_standardised_mean
from triple_aim.vocabulary import ALL

ENDS = ("total", "exposure", "persons")


@dataclass(frozen=True)
class GrowthPlan:
    """The pairs of periods, and the weights and indices for each basis of growth."""

    periods: NDArray[np.int64]
    base: int | None  # growth counts from this period; from the previous period if None
    index: Mapping[int, float]  # price index by period
    weight: Floats  # standard weights by stratum
    first_years: Mapping[str, list[int]]  # first years of a new definition, by segment

    def growth(self, end: Mapping[str, Floats], start: Mapping[str, Floats]) -> dict[str, Floats]:
        """Fractional growth per year as (period, region), by basis.

        Both arguments have total, exposure and persons as (period, region, sex, band), and parts with segments on a
        last axis. ``start`` has the period that each period is compared with; growth is nan where there is none.
        """
        first, years = paired(self.periods, self.base)
        index = np.array([self.index.get(int(period), np.nan) for period in self.periods])
        span = np.where(years > 0, years, 1)[:, None]
        (nominal, parts, standard), (nominal_0, parts_0, standard_0) = (
            levels(side, self.weight) for side in (end, start)
        )
        prices = (index / index[first])[:, None]
        growth = {
            "nominal": compound(nominal, nominal_0, span).value,
            "real": compound(nominal / prices, nominal_0, span).value,
            "break_adjusted": break_adjusted(parts, parts_0, self._comparable(first)[:, None, :], span).value,
            "standardised": compound(standard, standard_0, span).value,
        }
        return {basis: np.where(years[:, None] > 0, value, np.nan) for basis, value in growth.items()}

    def _comparable(self, start: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(period, segment): whether no new definition began between the start and the end."""
        first, last = self.periods[start], self.periods
        return np.stack(
            [
                ~np.any([(first < year) & (year <= last) for year in years] or [np.zeros(len(last), bool)], axis=0)
                for years in self.first_years.values()
            ],
            axis=-1,
        )


def levels(sums: Mapping[str, Floats], weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Euros per unit of exposure: of the total, of each part, and standardised for age."""
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


def growth_blocks(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """Growth on each basis: nominal growth as the total, the other bases as segments."""
    if (wanted := route.growth) is None:
        return
    inputs = route_inputs(spec, route, cubes, cube, regions)
    cells, place = inputs.cells, inputs.place
    plan = GrowthPlan(
        periods=np.array(cells.periods()),
        base=wanted.base,
        index=tables.deflators[wanted.deflator],
        weight=stratum_weights(tables.standards[wanted.standard], wanted.standard, cells).reshape(-1),
        first_years={member: tables.first_years(wanted.breaks, cube, member) for member in inputs.members},
    )
    columns: dict[str, Column | list[Column]] = {
        "total": inputs.numerator[ALL],
        "exposure": inputs.denominator,
        "persons": column_of(cells, route.persons or ""),
        "parts": [inputs.numerator[member] for member in inputs.members],
    }
    first, years = paired(plan.periods, plan.base)
    (end, start), reported = sums_at_both_ends(place, columns, inputs.nonreporting, first, years)
    rest_end, rest_start = (sums.of(place.country).minus(sums) for sums in (end, start))
    own, others = plan.growth(end.parts, start.parts), plan.growth(rest_end.parts, rest_start.parts)
    record_inputs(_both_ends(end, start), plan.weight)
    reporting, municipalities = place.reporting_counts(reported)
    euros, insured_years = (end.parts[name].sum(axis=(2, 3))[..., None] for name in ("total", "exposure"))
    # Growth reveals both ends, so the smaller one counts for disclosure control.
    persons, rest_persons = (
        np.fmin(*(side.parts["persons"].sum(axis=(2, 3)) for side in sides))[..., None]
        for sides in ((end, start), (rest_end, rest_start))
    )
    unknown = np.full_like(persons, np.nan)
    coverage = place.coverage(*(array.sum(axis=(2, 3))[..., None] for array in (reported, inputs.denominator.values)))
    for basis, value in own.items():
        yield make_block(
            spec,
            cells.periods(),
            place,
            breakdown(cells, "none"),
            Estimate.without_limits(route.per * value[..., None]),
            Estimate.without_limits(route.per * others[basis][..., None]),
            {
                "numerator": euros,
                "denominator": insured_years,
                "persons": persons,
                "rest_persons": rest_persons,
                "cases": unknown,
                "rest_cases": unknown,
                "coverage_share": coverage,
                "reporting_count": reporting[..., None],
                "municipality_count": municipalities[:, None],
            },
            ("none", ALL) if basis == "nominal" else ("growth_basis", basis),
            has_rows=years > 0,  # without an earlier year there is no growth
        )


def paired(periods: NDArray[np.int64], base: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The index of the period that each one is compared with, and the years between, or 0 if that period is missing.

    Without a base it is the previous period.
    """
    wanted = periods - 1 if base is None else np.full_like(periods, base)
    index = np.searchsorted(periods, wanted).clip(max=len(periods) - 1)
    return index, np.where(periods[index] == wanted, periods - wanted, 0)


def sums_at_both_ends(
    place: Geography,
    columns: Mapping[str, Column | list[Column]],
    nonreporting: NDArray[np.bool_],
    first: NDArray[np.int64],
    years: NDArray[np.int64],
) -> tuple[tuple[Sums, Sums], Floats]:
    """Regional sums of each period and of the one it is compared with, and the reported exposure at the end.

    A municipality that delivered at one end only would look like growth, so it counts at neither end.
    ``nonreporting`` is (period, municipality). A list of columns, one per segment, is stacked on a last axis.
    """
    reporting = np.where(nonreporting, np.nan, 1.0)
    in_end, in_start = place.reporting_in_both(reporting, reporting[first])
    in_end = np.where(years[:, None] > 0, in_end, ~nonreporting)
    # With noise a stratum of a region can exceed that of the country; the rest is then zero (``Sums.minus``).
    all_columns = [each for column in columns.values() for each in (column if isinstance(column, list) else [column])]
    noise = {} if all(each.is_exact for each in all_columns) else {"stratum": np.zeros((1, len(place.frame)))}
    end, start = (
        Sums({name: regional_sums(place, column, kept, rows) for name, column in columns.items()}, noise)
        for kept, rows in ((in_end, np.arange(len(first))), (in_start, first))
    )
    exposure = columns["exposure"]
    return (end, start), masked(in_end, exposure.values) if isinstance(exposure, Column) else np.array([])


def regional_sums(place: Geography, column: Column | list[Column], kept: NDArray[np.bool_], rows: Any) -> Floats:
    """The sums of the kept municipalities by region, with one factor per region, period and segment."""
    if isinstance(column, list):
        # A segment that does not exist in a period is 0.
        parts = [regional_sums(place, part.map(np.nan_to_num, lambda keys: keys), kept, rows) for part in column]
        return np.stack(parts, axis=-1)
    regional = column.kept(kept, rows).in_regions(place)
    return change(regional, np.ones((1, *regional.values.shape[2:]), dtype=bool)).values


def _both_ends(end: Sums, start: Sums) -> Sums:
    """Both ends as one set of sums: (period, region, category, stratum), and parts by segment on the last axis."""
    sides = {"end": end.parts, "start": start.parts}
    ends = {f"{when}_{name}": side[name] for when, side in sides.items() for name in ENDS}
    strata = {name: array.reshape(*array.shape[:2], 1, -1) for name, array in ends.items()}
    return Sums(strata | {f"{when}_parts": side["parts"].sum(axis=(2, 3))[:, :, None] for when, side in sides.items()})


def masked(kept: NDArray[np.bool_], array: Floats) -> Floats:
    """The kept (period, municipality) of an array; nan elsewhere."""
    return np.where(kept.reshape(*kept.shape, *[1] * (array.ndim - 2)), array, np.nan)
