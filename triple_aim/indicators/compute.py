"""Spec + cube → tidy rows: value, interval, comparator and status of every region, period and category.

Not here: the statistics (``stats``, through ``estimators``), methods that need more than strata of one cube (each
has a module of its own, listed below), percentages taken over as others published them (``as_published``), the
decision what may be shown (``disclosure``). Rows carry ``persons`` and ``cases`` for the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells
from triple_aim.definitions import Compute, Regions, RunOff, Spec, Tables, of_member
from triple_aim.indicators.completeness import marked
from triple_aim.indicators.estimators import UNUSED, Sums, estimate
from triple_aim.indicators.inputs import Supply, supply
from triple_aim.indicators.methods.decomposition import decomposition_frames
from triple_aim.indicators.methods.growth import growth_frames
from triple_aim.indicators.methods.growth_trend import trend_frames
from triple_aim.indicators.methods.inequality import equity_frames
from triple_aim.indicators.methods.life_expectancy import life_frames
from triple_aim.indicators.methods.practice_variation import variation_frames
from triple_aim.indicators.methods.survey import survey_frames
from triple_aim.indicators.non_additive import lost_periods, stood_in, told_apart
from triple_aim.indicators.numerators import cases
from triple_aim.indicators.rollup import Breakdown, breakdown, by_category, divisible, strata, stratum_weights
from triple_aim.indicators.rows import Block, tidy, together, with_status
from triple_aim.vocabulary import ALL

Frames = Callable[[Spec, Compute, Mapping[str, Cells], str, Regions, Tables], Iterator[Block]]


def indicator_rows(
    spec: Spec, cubes: Mapping[str, Cells], regions: Regions, tables: Tables, run_off: RunOff | None = None
) -> pd.DataFrame:
    """Every row of one indicator from every cube that supplies it and holds anything."""
    parts = []
    for cube, route in spec.route_of.items():
        whole = cubes[cube].only([]).pooled(route.pool).labels["period"]
        if route.method == "as_published" or not whole:
            continue
        lost = lost_periods(route, cubes[cube])
        given = {**cubes, cube: stood_in(cubes[cube])} if lost else cubes
        blocks = list(builder_of(route)(spec, route, given, cube, regions, tables))
        if all(block.is_empty for block in blocks):  # no window of years is whole
            continue
        rows = told_apart(with_status(spec, cube, blocks), lost)
        parts.append(marked(rows, route, cubes[run_off.cube], run_off) if run_off and cube in run_off.of else rows)
    return together(parts)


def builder_of(route: Compute) -> Frames:
    """What makes the rows of a route, one block for each breakdown or member."""
    if route.growth and route.growth.over == "trend":
        return trend_frames
    return BUILDERS.get(route.method, _frames)


def _frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[pd.DataFrame]:
    """The total and each breakdown of a plain or standardised route."""
    given = supply(spec, route, cubes, cube, regions)
    base = {"denominator": given.rolled(given.known)}
    if (persons := given.column(route.persons)) is not None:
        base["persons"] = persons
    for dimension in ("none", *spec.breakdowns):
        is_family = dimension == route.family
        if not divisible(given.cells, dimension) or (dimension not in ("none", "sex", "age_group") and not is_family):
            continue
        split = breakdown(given.cells, "none" if is_family else dimension)
        for member in given.members if is_family else [ALL]:
            sums = {**base, "numerator": given.rolled(given.numerator[member])}
            if (counted := cases(route, given.cells, member)) is not None:
                sums["cases"] = given.rolled(counted)
            if member != ALL and np.isnan(sums["numerator"]).all():
                continue
            # Where the spread is no family, the cube keeps that of the total only.
            spread = of_member(route.sumsq or "", route.family, member)
            if (member == ALL or spread != route.sumsq) and (squares := given.column(spread)) is not None:
                sums["sumsq"] = squares
            yield _rows(spec, given, split, Sums(sums), tables, (dimension, member))


def _rows(spec: Spec, given: Supply, split: Breakdown, sums: Sums, tables: Tables, segment: tuple[str, str]) -> Block:
    """Estimate the regions and the rest of the country for each category of one breakdown."""
    route, place = given.route, given.place
    crude = Sums({name: by_category(array, split.masks) for name, array in sums.parts.items()})
    weight = reference = UNUSED
    fine = crude
    if "standardised" in route.method:
        fine = Sums({name: strata(array, split.masks) for name, array in sums.parts.items()})
        if route.method == "indirectly_standardised_ratio":
            country = {name: array[:, [place.country]] for name, array in sums.parts.items()}
            with np.errstate(divide="ignore", invalid="ignore"):
                rate = country["numerator"] / country["denominator"]
            reference = rate.reshape(rate.shape[0], 1, 1, -1)
        elif route.standard:
            flat_weights = stratum_weights(tables.standards[route.standard], route.standard, given.cells).reshape(-1)
            weight = np.where(split.masks.reshape(len(split.masks), -1), flat_weights, 0.0)
    made = estimate(route, fine, weight, reference)
    rest_fine, rest_crude = (s.of(place.country).minus(s) for s in (fine, crude))
    rest = estimate(route, rest_fine, weight, reference)
    parts, others = crude.parts, rest_crude.parts
    persons, rest_persons = (p.get("persons", p["denominator"]) for p in (parts, others))
    compared = (parts["denominator"] > 0) & (others["denominator"] > 0)
    no_cases = np.full_like(persons, np.nan)
    return tidy(
        spec,
        given.cells.periods(),
        place,
        split,
        made,
        rest.where(compared),
        {
            "numerator": parts["numerator"],
            "denominator": parts["denominator"],
            "persons": persons,
            "rest_persons": rest_persons,
            "cases": parts.get("cases", no_cases),
            "rest_cases": others.get("cases", no_cases),
            **given.delivery(split),
        },
        segment,
    )


#: Methods that need more than the strata of one cube.
BUILDERS: dict[str, Frames] = {
    "survey_proportion": survey_frames,
    "survey_mean": survey_frames,
    "survey_gap": survey_frames,
    "life_expectancy": life_frames,
    "healthy_life_expectancy": life_frames,
    "slope_index": equity_frames,
    "relative_index": equity_frames,
    "concentration_index": equity_frames,
    "gini": equity_frames,
    "systematic_variation": variation_frames,
    "growth": growth_frames,
    "decomposition": decomposition_frames,
}
