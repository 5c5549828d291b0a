"""Spec + cube → rows: value, interval, comparator and status of every region, period and category.

Not here: statistics (``stats``, called by ``estimators``), methods that need more than strata of one cube
(``methods``, one module each), percentages that others published (``methods.as_published``), disclosure control
(``triple_aim.disclosure``), which uses the columns ``persons`` and ``cases`` of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells
from triple_aim.definitions import Compute, Regions, RunOff, Spec, Tables
from triple_aim.indicators.columns import Column, changed_sums
from triple_aim.indicators.completeness import mark_provisional
from triple_aim.indicators.estimators import UNUSED, Sums, estimate
from triple_aim.indicators.inputs import RouteInputs, route_inputs
from triple_aim.indicators.methods.decomposition import decomposition_blocks
from triple_aim.indicators.methods.growth import growth_blocks
from triple_aim.indicators.methods.growth_trend import trend_blocks
from triple_aim.indicators.methods.inequality import inequality_blocks
from triple_aim.indicators.methods.life_expectancy import life_expectancy_blocks
from triple_aim.indicators.methods.practice_variation import variation_blocks
from triple_aim.indicators.methods.survey import survey_blocks
from triple_aim.indicators.non_additive import blank_non_additive, unavailable_periods, zero_filled
from triple_aim.indicators.numerators import cases, squares_column
from triple_aim.indicators.rollup import Breakdown, breakdown, by_category, divisible, strata, stratum_weights
from triple_aim.indicators.rows import Block, concatenated, make_block, with_status
from triple_aim.vocabulary import ALL, TRAITS

RouteBuilder = Callable[[Spec, Compute, Mapping[str, Cells], str, Regions, Tables], Iterator[Block]]


def indicator_rows(
    spec: Spec,
    cubes: Mapping[str, Cells],
    regions: Regions,
    tables: Tables,
    run_off: RunOff | None = None,
    sources: Collection[str] | None = None,
) -> pd.DataFrame:
    """Every row of one indicator, from every cube with data that supplies it, or from some of these."""
    parts = []
    for cube, route in spec.route_of.items():
        if sources is not None and cube not in sources:
            continue
        periods = cubes[cube].only([]).pooled(route.pool).labels["period"]
        if route.method == "as_published" or not periods:
            continue
        unavailable = unavailable_periods(route, cubes[cube])
        filled = {**cubes, cube: zero_filled(cubes[cube])} if unavailable else cubes
        blocks = list(route_builder(route)(spec, route, filled, cube, regions, tables))
        if all(block.is_empty for block in blocks):  # no window of years is complete
            continue
        rows = blank_non_additive(with_status(spec, cube, blocks), unavailable)
        parts.append(
            mark_provisional(rows, route, cubes[run_off.cube], run_off) if run_off and cube in run_off.of else rows
        )
    return concatenated(parts)


def route_builder(route: Compute) -> RouteBuilder:
    """The function that builds the blocks of a route, one per breakdown or segment."""
    if route.growth and route.growth.over == "trend":
        return trend_blocks
    return ROUTE_BUILDERS.get(route.method, _plain_blocks)


def _plain_blocks(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """The total and each breakdown of a crude or standardised route."""
    inputs = route_inputs(spec, route, cubes, cube, regions)
    numerators = {member: inputs.by_region(column) for member, column in inputs.numerator.items()}
    base = {"denominator": inputs.by_region(inputs.denominator)}
    if (persons := inputs.column(route.persons)) is not None:
        base["persons"] = persons
    for dimension in ("none", *spec.breakdowns):
        by_segment = dimension == route.segments
        if not divisible(inputs.cells, dimension) or (dimension not in ("none", "sex", "age_group") and not by_segment):
            continue
        split = breakdown(inputs.cells, "none" if by_segment else dimension)
        for member in inputs.members if by_segment else [ALL]:
            columns = {**base, "numerator": numerators[member]}
            if (counted := cases(route, inputs.cells, member)) is not None:
                columns["cases"] = inputs.by_region(counted)
            if member != ALL and np.isnan(columns["numerator"].values).all():
                continue
            if (column := inputs.squares(squares_column(route, member), inputs.numerator[member])) is not None:
                columns["sumsq"] = column
            yield _block(spec, inputs, split, columns, tables, (dimension, member))


def _block(
    spec: Spec,
    inputs: RouteInputs,
    split: Breakdown,
    columns: Mapping[str, Column],
    tables: Tables,
    segment: tuple[str, str],
) -> Block:
    """The estimates of the regions and of the rest of the country, for each category of one breakdown."""
    route, place = inputs.route, inputs.place
    changed = changed_sums(columns, split.masks)
    sums, noise = changed.values, changed.variances
    crude = Sums.changed({name: by_category(array, split.masks) for name, array in sums.items()}, noise)
    if noise and route.method == "proportion":  # the noise of one part never makes it larger than the whole
        crude.parts["numerator"] = np.minimum(crude.parts["numerator"], crude.parts["denominator"])
    weight = reference = UNUSED
    fine = crude
    treatment = TRAITS[route.method].strata
    if treatment in ("weighted", "expected"):
        fine = Sums.changed({name: strata(array, split.masks) for name, array in sums.items()}, noise)
        if treatment == "expected":
            country = {name: array[:, [place.country]] for name, array in sums.items()}
            with np.errstate(divide="ignore", invalid="ignore"):
                rate = country["numerator"] / country["denominator"]
            reference = rate.reshape(rate.shape[0], 1, 1, -1)
        elif route.standard:
            flat_weights = stratum_weights(tables.standards[route.standard], route.standard, inputs.cells).reshape(-1)
            weight = np.where(split.masks.reshape(len(split.masks), -1), flat_weights, 0.0)
    regional = estimate(route, fine, weight, reference)
    rest_fine, rest_crude = (s.of(place.country).minus(s) for s in (fine, crude))
    rest = estimate(route, rest_fine, weight, reference)
    parts, others = crude.parts, rest_crude.parts
    persons, rest_persons = (p.get("persons", p["denominator"]) for p in (parts, others))
    has_both = (parts["denominator"] > 0) & (others["denominator"] > 0)
    no_cases = np.full_like(persons, np.nan)
    return make_block(
        spec,
        inputs.cells.periods(),
        place,
        split,
        regional,
        rest.where(has_both),
        {
            "numerator": parts["numerator"],
            "denominator": parts["denominator"],
            "persons": persons,
            "rest_persons": rest_persons,
            "cases": parts.get("cases", no_cases),
            "rest_cases": others.get("cases", no_cases),
            **inputs.reporting_columns(split),
            **changed.columns(parts),
        },
        segment,
    )


#: Methods that need more than the strata of one cube.
ROUTE_BUILDERS: dict[str, RouteBuilder] = {
    "survey_proportion": survey_blocks,
    "survey_mean": survey_blocks,
    "survey_gap": survey_blocks,
    "life_expectancy": life_expectancy_blocks,
    "healthy_life_expectancy": life_expectancy_blocks,
    "slope_index": inequality_blocks,
    "relative_index": inequality_blocks,
    "concentration_index": inequality_blocks,
    "gini": inequality_blocks,
    "systematic_variation": variation_blocks,
    "growth": growth_blocks,
    "decomposition": decomposition_blocks,
}
