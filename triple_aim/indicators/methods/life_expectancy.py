"""Life expectancy and healthy life expectancy, from deaths and person-years by age and a survey of health.

Not here: the life table (``stats.life_table``), rates by age (``compute``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Healthy, Regions, Spec, Tables
from triple_aim.indicators.columns import changed_sums
from triple_aim.indicators.estimators import Sums, estimate
from triple_aim.indicators.inputs import route_inputs
from triple_aim.indicators.methods.survey import by_stratum, sampled_sums
from triple_aim.indicators.rollup import Mask, breakdown, by_category, geography
from triple_aim.indicators.rows import Block, make_block
from triple_aim.stats.arguments import quotient
from triple_aim.stats.survey import ratio_variance
from triple_aim.vocabulary import ALL, age_bounds

REGION = ["region_type", "region_code"]


def life_expectancy_blocks(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """The expectancy of both sexes, and of each sex if the spec breaks it down."""
    inputs = route_inputs(spec, route, cubes, cube, regions)
    place, bands = inputs.place, inputs.cells.labels["age_band"]
    ages = np.array([age_bounds(band)[0] for band in bands], dtype=float)
    columns = {
        "numerator": inputs.by_region(inputs.numerator[ALL]),
        "denominator": inputs.by_region(inputs.denominator),
    }
    for dimension in ("none", *(name for name in spec.breakdowns if name == "sex")):
        split = breakdown(inputs.cells, dimension)
        changed = changed_sums(columns, split.masks)
        noise = changed.variances
        counted = Sums({name: by_age(array, split.masks) for name, array in changed.values.items()}, noise)
        rest = counted.of(place.country).minus(counted)
        own, others = dict(counted.parts), dict(rest.parts)
        totals, rest_totals = (
            {"persons": side["denominator"].sum(axis=-1), "cases": side["numerator"].sum(axis=-1)}
            for side in (own, others)
        )
        no_survey = np.full_like(counted.parts["numerator"], np.nan)
        if route.healthy and not cubes[route.healthy.cube].labels["period"]:
            for sums in (own, others):
                sums |= {"healthy": no_survey, "healthy_variance": no_survey}
        elif route.healthy:
            sexes = [None] if dimension == "none" else split.labels
            health = _health(
                route.healthy, cubes, spec, regions, place.frame, inputs.cells.periods(), route.pool, sexes
            )
            for sample, sums, smallest in ((health.own, own, totals), (health.rest, others, rest_totals)):
                share, variance = _shares(sample, health.bands, bands)
                sums |= {"healthy": share, "healthy_variance": variance}
                smallest |= {name: np.fmin(smallest[name], fewest) for name, fewest in _fewest(sample).items()}
        own["age"] = others["age"] = ages
        yield make_block(
            spec,
            inputs.cells.periods(),
            place,
            split,
            estimate(route, Sums(own, noise)),
            estimate(route, Sums(others, rest.noise)),
            {
                **{name: by_category(array, split.masks) for name, array in changed.values.items()},
                **totals,
                **{f"rest_{name}": array for name, array in rest_totals.items()},
                **inputs.reporting_columns(split),
            },
            ("none", ALL),
        )


def by_age(sums: Floats, masks: Mask) -> Floats:
    """(period, region, sex, band) → (period, region, category of sexes, band)."""
    array: Floats = np.einsum("prsb,cs->prcb", sums, masks[:, :, 0].astype(float))
    return array


def _shares(sums: Sums, survey_bands: list[str], mortality_bands: list[str]) -> tuple[Floats, Floats]:
    """The share in good health and its variance, by the age bands of mortality; nan where the survey has no age."""
    s = sums.parts
    variance = ratio_variance(s["w"], s["wy"], s["v_yy"], s["v_yw"], s["v_ww"])
    wide = np.array([age_bounds(band) for band in survey_bands])
    first = np.array([age_bounds(band)[0] for band in mortality_bands])
    within = (wide[:, 0, None] <= first) & (first < wide[:, 1, None])
    share, spread = (
        np.where(within.any(axis=0), array[..., within.argmax(axis=0)], np.nan)
        for array in (quotient(s["wy"], s["w"]), variance)
    )
    return share, spread


def _fewest(sums: Sums) -> dict[str, Floats]:
    """The lowest number of respondents in an age band, and of those who gave either answer."""
    yes, answers = sums.parts["numerator"], sums.parts["denominator"]
    return {"persons": answers.min(axis=-1), "cases": np.fmin(yes, answers - yes).min(axis=-1)}


class _Health(NamedTuple):
    """Sums of a survey as (period, region, category, band of the survey), of each region and of the rest."""

    bands: list[str]
    own: Sums
    rest: Sums


def _health(
    wanted: Healthy,
    cubes: Mapping[str, Cells],
    spec: Spec,
    regions: Regions,
    wanted_regions: pd.DataFrame,
    periods: list[int],
    pool: int,
    sexes: list[str] | list[None],
) -> _Health:
    """The latest wave within each pooled period, by region, sex and age band of the survey."""
    cells = cubes[wanted.cube]
    cells = cells.keep("item", np.array([item == wanted.item for item in cells.labels["item"]], dtype=bool))
    place = geography(regions, spec.levels, cells.labels["municipality_code"])
    sums = by_stratum(cells)
    labels, bands = cells.labels["sex"], cells.labels["age_band"]
    masks = np.zeros((len(sexes), len(bands), len(labels), len(bands)))
    for category, sex in enumerate(sexes):
        for band in range(len(bands)):
            masks[category, band, [sex in (None, label) for label in labels], band] = 1
    parts = sampled_sums(sums, masks.reshape(-1, len(labels), len(bands)))
    rolled = Sums({name: place.roll_up(array.sum(axis=2)) for name, array in parts.items()})
    rest = rolled.of(place.country).minus(rolled)
    waves = cells.periods()
    latest = [max((i for i, wave in enumerate(waves) if end - pool < wave <= end), default=-1) for end in periods]
    # The survey may cover more regions than the deaths, or fewer.
    surveyed, wanted_index = (pd.MultiIndex.from_frame(frame[REGION]) for frame in (place.frame, wanted_regions))
    rows = surveyed.get_indexer(wanted_index)

    def picked(sums: Sums) -> Sums:
        shape = (len(waves), len(place.frame), len(sexes), len(bands))
        padding = ((0, 1), (0, 1), (0, 0), (0, 0))  # an empty last wave and last region, which the index -1 selects
        padded = {
            name: np.pad(array.reshape(shape), padding, constant_values=np.nan) for name, array in sums.parts.items()
        }
        return Sums({name: array[latest][:, rows] for name, array in padded.items()})

    return _Health(bands, picked(rolled), picked(rest))
