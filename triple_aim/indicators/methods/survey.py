"""Sums of a sample per stratum → design-based shares, means and gaps between groups.

Not here: the linearisation (``stats.survey`` and its neighbours), percentages that others published
(``as_published``). A filter or a category is a domain: it selects who counts, never who was sampled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.columns import Column, Noise, change
from triple_aim.indicators.estimators import UNUSED, Sums, estimate
from triple_aim.indicators.rollup import Geography, Mask, breakdown, by_category, geography, where
from triple_aim.indicators.rows import Block, make_block
from triple_aim.stats.survey import StratumSums, variance_components
from triple_aim.stats.survey_design import person_covariance
from triple_aim.vocabulary import ALL, age_bounds


def survey_blocks(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """Design-based estimates; the variance is computed per stratum within a municipality, before adding up regions."""
    source = cubes[cube]
    place = geography(regions, spec.levels, source.labels["municipality_code"])
    # Each item is a sample of its own; every other filter selects a domain of that sample.
    asked = where(source, route.model_copy(update={"where": {"item": route.where["item"]}}))
    sampled = by_stratum(asked)["respondent_count"].sum(axis=(2, 3))
    cells = where(source, route)
    sums = by_stratum(cells, route.groups)
    if route.groups:
        sums = {name: reordered(array, cells.labels[route.groups], gap_groups(route)) for name, array in sums.items()}
    reporting, municipalities = place.reporting_counts(sums["respondent_count"])
    for dimension in ("none", *spec.breakdowns):
        split = breakdown(cells, dimension)
        parts = route_sums(route, sums, split.masks, sampled)
        rolled = Sums({name: place.roll_up(array.sum(axis=2)) for name, array in parts.items()})
        rest_sums = rolled.of(place.country).minus(rolled)
        weight = UNUSED
        if route.standard:
            ages = coarse_weights(tables.standards[route.standard], cells.labels["age_band"])
            weight = np.where(split.masks, ages, 0.0).reshape(len(split.masks), -1)
        p, q = rolled.parts, rest_sums.parts
        respondents = _respondents(cells, route, place, split.masks)
        yield make_block(
            spec,
            cells.periods(),
            place,
            split,
            estimate(route, rolled, weight),
            estimate(route, rest_sums, weight).where((p["denominator"] > 0) & (q["denominator"] > 0)),
            {
                "numerator": p["numerator"],
                "denominator": p["denominator"] if respondents is None else respondents,
                **gate_counts(route, p),
                **{f"rest_{name}": array for name, array in gate_counts(route, q).items()},
                "coverage_share": np.where(p["denominator"] > 0, 1.0, np.nan),
                "reporting_count": reporting[..., None],
                "municipality_count": municipalities[:, None],
            },
            ("none", ALL),
        )


def _respondents(cells: Cells, route: Compute, place: Geography, masks: Mask) -> Floats | None:
    """The changed number of respondents by category; None for exact cells. Weighted sums of a sample do not change."""
    if cells.noise is None:
        return None
    counts = cells.flat("answer_count")
    keys = cells.noise.keys(f"answer_count[{route.only}]", list(cells.labels.values())[: counts.ndim], counts)
    column = Column(counts, Noise(cells.noise.perturbation, "persons", keys)).in_regions(place)
    return by_category(change(column, masks).values, masks)


def by_stratum(cells: Cells, group: str | None = None) -> dict[str, Floats]:
    """The cube's sums as (period, municipality, sex, band, stratum), with compared groups on a last axis."""
    kept = ["stratum", *([group] if group else [])]
    names = list(cells.labels)
    others = tuple(i for i, name in enumerate(names) if i >= 4 and name not in kept)
    left = [name for name in names[4:] if name in kept]
    order = (*range(4), *(4 + left.index(name) for name in kept))
    return {name: array.sum(axis=others).transpose(order) for name, array in cells.sums.items()}


def gap_groups(route: Compute) -> list[str]:
    """The two groups of a gap, the worst off first."""
    wanted = route.where.get(route.groups or "")
    if not isinstance(wanted, list) or len(wanted) != 2:
        raise ValueError(f"a gap is between two groups: name them under where: {route.groups}, the worst off first")
    return wanted


def reordered(array: Floats, labels: Sequence[str], wanted: Sequence[str]) -> Floats:
    """The wanted labels of the last axis, in their order; 0 for a label that was not delivered."""
    nobody = np.zeros_like(array[..., :1])
    padded = np.concatenate([array, nobody], axis=-1)
    picked: Floats = padded[..., [labels.index(name) if name in labels else len(labels) for name in wanted]]
    return picked


def coarse_weights(standard: Mapping[str, float], bands: Sequence[str]) -> Floats:
    """The weights of a standard for the wide age bands of a survey; ages within a band of the standard count evenly."""
    narrow, wide = (np.array([age_bounds(band) for band in side], dtype=float) for side in (standard, bands))
    first = np.maximum(wide[:, None, 0], narrow[:, 0])
    end = np.minimum(wide[:, None, 1], narrow[:, 1])
    share = np.clip(end - first, 0, None) / (narrow[:, 1] - narrow[:, 0])
    weights: Floats = share @ np.array(list(standard.values()), dtype=float)
    return weights


def route_sums(route: Compute, sums: Mapping[str, Floats], masks: Mask, sampled: Floats) -> dict[str, Floats]:
    """The sums that the method of a route needs; ``sampled`` are all respondents of each stratum."""
    if route.method == "survey_gap":
        return joint_sums({name: np.moveaxis(by_category(array, masks), 2, 3) for name, array in sums.items()}, sampled)
    if route.standard:
        cells = {name: np.moveaxis(array, 4, 2).reshape(*sampled.shape, 1, -1) for name, array in sums.items()}
        return joint_sums({name: array * masks.reshape(len(masks), -1) for name, array in cells.items()}, sampled)
    return sampled_sums(sums, masks.astype(float), sampled)


def sampled_sums(sums: Mapping[str, Floats], masks: Floats, sampled: Floats | None = None) -> dict[str, Floats]:
    """The sums for a share or mean and its variance, as (period, municipality, stratum, category); they add up.

    ``sums`` holds the cube's sums as (period, municipality, sex, band, stratum), ``masks`` the cells of each
    category, and ``sampled`` all respondents of a stratum if ``sums`` holds only some of them. The variance is that of
    a domain: the whole stratum was sampled, also the respondents outside the category.
    """
    domain = {name: by_category(array, masks).swapaxes(2, 3) for name, array in sums.items()}
    respondents = sums["respondent_count"].sum(axis=(2, 3)) if sampled is None else sampled
    spread = variance_components(_stratum_sums(domain, respondents[..., None]))
    return {
        "w": domain["weight_sum"],
        "wy": domain["weighted_answer_sum"],
        "ww": domain["weight_sumsq"],
        "v_yy": spread.v_yy,
        "v_yw": spread.v_yw,
        "v_ww": spread.v_ww,
        "numerator": domain["answer_sum"],
        "denominator": domain["answer_count"],
        **degrees(domain["answer_count"]),
    }


def joint_sums(domain: Mapping[str, Floats], sampled: Floats) -> dict[str, Floats]:
    """The sums for several disjoint domains and their covariance, as (period, municipality, stratum, category, …)."""
    counts = domain["answer_count"], domain["answer_sum"]
    return {
        "w": domain["weight_sum"],
        "wy": domain["weighted_answer_sum"],
        "ww": domain["weight_sumsq"],
        "covariance": person_covariance(_stratum_sums(domain, sampled[..., None, None])),
        "answers": counts[0],
        "yes": counts[1],
        "numerator": counts[1].sum(axis=-1),
        "denominator": counts[0].sum(axis=-1),
        **degrees(counts[0].sum(axis=-1)),
    }


def _stratum_sums(domain: Mapping[str, Floats], sampled: Floats) -> StratumSums:
    """The sums of a cube by their names in the formulas."""
    return StratumSums(
        n=sampled,
        w=domain["weight_sum"],
        wy=domain["weighted_answer_sum"],
        ww=domain["weight_sumsq"],
        wwy=domain["weighted_answer_cross_sum"],
        wwyy=domain["weighted_answer_sumsq"],
    )


def degrees(answers: Floats) -> dict[str, Floats]:
    """Degrees of freedom, as R's degf of a subset: respondents in the category less the strata that contain one."""
    return {"respondents": answers, "strata": np.where(np.isnan(answers), np.nan, answers > 0)}


def gate_counts(route: Compute, s: Mapping[str, Floats]) -> dict[str, Floats]:
    """The persons and cases of a value for disclosure control; of a gap, those of the smaller group."""
    if route.method == "survey_gap":
        fewest = np.fmin(s["yes"], s["answers"] - s["yes"])
        return {"persons": s["answers"].min(axis=-1), "cases": fewest.min(axis=-1)}
    no_cases = np.full_like(s["denominator"], np.nan)
    return {"persons": s["denominator"], "cases": no_cases if route.method == "survey_mean" else s["numerator"]}
