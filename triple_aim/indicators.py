"""Spec + cube → tidy rows: value, interval, comparator and status of every region, period and category.

Not here: the statistics (``stats``, through ``estimates``), growth (``growth``), shares of a sample (``surveys``),
percentages taken over as others published them (``published``), the decision what may be shown (``disclosure``). Rows
carry ``persons`` and ``cases`` for the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells, Floats
from triple_aim.estimates import UNUSED, Sums, estimate
from triple_aim.growth import growth_frames
from triple_aim.numerators import cases, numerators
from triple_aim.regions import Regions
from triple_aim.rollup import Breakdown, Geography, breakdown, by_category, divisible, flat, geography, strata, where
from triple_aim.rows import tidy, with_status
from triple_aim.specs import Compute, Spec
from triple_aim.standards import Tables, stratum_weights
from triple_aim.surveys import survey_frames
from triple_aim.vocabulary import ALL


def indicator_rows(spec: Spec, cubes: Mapping[str, Cells], regions: Regions, tables: Tables) -> pd.DataFrame:
    """Every row of one indicator from every cube that supplies it and holds anything."""
    parts = []
    for cube, route in spec.route_of.items():
        if route.method == "as_published" or not cubes[cube].labels["period"]:
            continue
        if route.method == "survey_proportion":
            made = survey_frames(spec, route, cubes[cube], regions)
        elif route.method == "growth":
            made = growth_frames(spec, route, cubes, cube, regions, tables)
        else:
            made = _frames(spec, route, cubes, cube, regions, tables)
        parts.append(with_status(spec, made).assign(source=cube))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[pd.DataFrame]:
    """The total and each breakdown of a plain or standardised route."""
    cells = where(cubes[cube], route)
    place = geography(regions, spec.levels, cells.labels["municipality_code"])
    members, numerator = numerators(route, cells, cubes)
    known = flat(cells, route.denominator or "")
    # A municipality that lacks either side counts in neither, nor in any part of it.
    lacking = np.isnan(numerator[ALL]) | np.isnan(known)
    heard = np.where(lacking, np.nan, known)
    further = {
        name: flat(cells, column)
        for name, column in (("sumsq", route.sumsq), ("persons", route.persons))
        if column and column in cells.sums
    }
    base = {name: place.roll_up(np.where(lacking, np.nan, array)) for name, array in further.items()}
    base["denominator"] = place.roll_up(heard)
    for dimension in ("none", *spec.breakdowns):
        is_family = dimension == route.family
        if not divisible(cells, dimension) or (dimension not in ("none", "sex", "age_group") and not is_family):
            continue
        split = breakdown(cells, "none" if is_family else dimension)
        for member in members if is_family else [ALL]:
            sums = {**base, "numerator": place.roll_up(np.where(lacking, np.nan, numerator[member]))}
            counted = cases(route, cells, member)
            if counted is not None:
                sums["cases"] = place.roll_up(np.where(lacking, np.nan, counted))
            if member != ALL:
                sums.pop("sumsq", None)  # the cube keeps the spread of the total only
                if np.isnan(sums["numerator"]).all():
                    continue
            yield _rows(spec, route, cells, place, split, Sums(sums), known, heard, tables, (dimension, member))


def _rows(
    spec: Spec,
    route: Compute,
    cells: Cells,
    place: Geography,
    split: Breakdown,
    sums: Sums,
    known: Floats,
    heard: Floats,
    tables: Tables,
    segment: tuple[str, str],
) -> pd.DataFrame:
    """Estimate the regions and the rest of the country for each category of one breakdown."""
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
            flat_weights = stratum_weights(tables.standards[route.standard], route.standard, cells).reshape(-1)
            weight = np.where(split.masks.reshape(len(split.masks), -1), flat_weights, 0.0)
    made = estimate(route, fine, weight, reference)
    rest_fine, rest_crude = (s.of(place.country).minus(s) for s in (fine, crude))
    rest = estimate(route, rest_fine, weight, reference)
    parts, others = crude.parts, rest_crude.parts
    persons, rest_persons = (p.get("persons", p["denominator"]) for p in (parts, others))
    compared = (parts["denominator"] > 0) & (others["denominator"] > 0)
    no_cases = np.full_like(persons, np.nan)
    spoke, listed = place.deliverers(heard)
    return tidy(
        spec,
        cells.periods(),
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
            "coverage_share": place.coverage(*(by_category(array, split.masks) for array in (heard, known))),
            "heard": spoke[..., None],
            "listed": listed[:, None],
        },
        segment,
    )
