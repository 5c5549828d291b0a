"""Spec + cube → tidy rows: value, interval, comparator and status of every region, period and category.

Not here: the statistics (``stats``, through ``estimates`` and ``growth``), percentages taken over as others published
them (``published``), the decision what may be shown (``disclosure``). Rows carry ``persons`` and ``cases`` for the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells, Floats
from triple_aim.errors import ContentError
from triple_aim.estimates import UNUSED, Sums, estimate
from triple_aim.growth import GrowthPlan
from triple_aim.regions import Regions
from triple_aim.rollup import (
    Breakdown,
    Geography,
    breakdown,
    by_category,
    divisible,
    flat,
    geography,
    strata,
    where,
)
from triple_aim.specs import FAMILY, Compute, Spec
from triple_aim.stats.compare import Difference, interval_overlap
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.survey import StratumSums, variance_components
from triple_aim.vocabulary import ALL

DIFFERENCES = {
    Difference.HIGHER: "higher",
    Difference.LOWER: "lower",
    Difference.NO_DEMONSTRABLE_DIFFERENCE: "no_demonstrable_difference",
    Difference.NOT_COMPARED: "not_compared",
}


@dataclass(frozen=True)
class Tables:
    """What standardisation and growth need besides cells."""

    standards: Mapping[str, Mapping[str, float]]  # name → age band → weight
    deflators: Mapping[str, Mapping[int, float]]  # name → period → index
    breaks: Mapping[str, pd.DataFrame]  # name → declared series breaks


def indicator_rows(spec: Spec, cubes: Mapping[str, Cells], regions: Regions, tables: Tables) -> pd.DataFrame:
    """Every row of one indicator from every cube that supplies it and holds anything."""
    frames = []
    for cube, route in spec.route_of.items():
        if route.method == "as_published" or not cubes[cube].labels["period"]:
            continue
        if route.method == "survey_proportion":
            made = _survey_frames(spec, route, cubes[cube], regions)
        elif route.method == "growth":
            made = _growth_frames(spec, route, cubes, cube, regions, tables)
        else:
            made = _frames(spec, route, cubes, cube, regions, tables)
        frames += [frame.assign(source=cube) for frame in made]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[pd.DataFrame]:
    """The total and each breakdown of a plain or standardised route."""
    cells = where(cubes[cube], route)
    place = geography(regions, spec.levels, cells.labels["municipality_code"])
    members, numerator = numerators(route, cells, cubes)
    total = numerator[ALL]
    denominator = flat(cells, route.denominator or "")
    heard = ~np.isnan(total)
    extra = {"sumsq": route.sumsq, "persons": route.persons}
    further = {name: flat(cells, column) for name, column in extra.items() if column and column in cells.sums}
    everyone = place.roll_up(denominator)
    by = {ALL: total, **{member: numerator[member] for member in members}}
    base = {
        name: place.roll_up(np.where(heard, array, np.nan))
        for name, array in (("denominator", denominator), *further.items())
    }
    for dimension in ("none", *spec.breakdowns):
        is_family = dimension == route.family
        if not divisible(cells, dimension) or (dimension not in ("none", "sex", "age_group") and not is_family):
            continue
        split = breakdown(cells, "none" if is_family else dimension)
        for member in members if is_family else [ALL]:
            sums = {"numerator": place.roll_up(by[member]), **base}
            if member != ALL:
                sums.pop("sumsq", None)  # the cube keeps the spread of the total only
                if np.isnan(sums["numerator"]).all():
                    continue
            yield _rows(spec, route, cells, place, split, Sums(sums), everyone, tables, (dimension, member))


def numerators(route: Compute, cells: Cells, cubes: Mapping[str, Cells]) -> tuple[list[str], dict[str, Floats]]:
    """The numerator as (period, municipality, sex, band): the total under ``all`` and each member of a family."""
    parts = {ALL: route.numerator} if route.family is None else family(route, cells)
    arrays = {member: flat(cells, column) for member, column in parts.items()}
    for addend in route.add:
        other = where(cubes[addend.cube], route)
        theirs, ours = aligned(other, addend.denominator, cells), flat(cells, route.denominator or "")
        base = theirs.sum(axis=(2, 3), keepdims=True)
        gross_up = ours.sum(axis=(2, 3), keepdims=True) / np.where(base > 0, base, np.nan)
        arrays[addend.segment] = aligned(other, addend.numerator, cells) * gross_up
    if route.family is None:
        return [], arrays
    stack = np.stack(list(arrays.values()))
    # A member that does not exist in a year counts for nothing; a total of nothing at all stays missing.
    total = np.where(np.isnan(stack).all(axis=0), np.nan, np.nansum(stack, axis=0))
    for addend in route.add:  # what is added from another source must be there, or the total would be too low
        total = np.where(np.isnan(arrays[addend.segment]), np.nan, total)
    return list(arrays), {**arrays, ALL: total}


def family(route: Compute, cells: Cells) -> dict[str, str]:
    """Members of a family of columns: ``cost_{care_kind}_eur`` → {hospital: cost_hospital_eur, …}."""
    prefix, suffix = FAMILY.split(route.numerator)[0], FAMILY.split(route.numerator)[2]
    return {
        name[len(prefix) : -len(suffix)]: name
        for name in sorted(cells.sums)
        if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix)
    }


def aligned(other: Cells, column: str, like: Cells) -> Floats:
    """A sum of another cube on the axes of this one; nan where the other has no such period or municipality."""
    result = flat(other, column)
    for axis, name in enumerate(("period", "municipality_code", "sex", "age_band")):
        there = {label: i for i, label in enumerate(other.labels[name])}
        found = np.array([there.get(label, -1) for label in like.labels[name]], dtype=int)
        fill = np.nan if axis < 2 else 0.0
        taken = np.take(result, np.maximum(found, 0), axis=axis) if there else np.full_like(result, fill)
        missing = (found < 0).reshape([-1 if i == axis else 1 for i in range(4)])
        result = np.where(missing & ~np.isnan(taken) if axis >= 2 else missing, fill, taken)
    return result


def stratum_weights(standard: Mapping[str, float], name: str, cells: Cells) -> Floats:
    """Weights as (sex, band): a standard has the same ages for every sex."""
    bands = cells.labels["age_band"]
    if lacking := [band for band in bands if band not in standard]:
        raise ContentError(
            f"the standard has no weight for {', '.join(lacking[:3])}",
            f"reference/standards/{name}.csv",
            "add the bands",
        )
    weight = np.array([standard[band] for band in bands])
    return np.broadcast_to(weight, (len(cells.labels["sex"]), len(bands)))


def _rows(
    spec: Spec,
    route: Compute,
    cells: Cells,
    place: Geography,
    split: Breakdown,
    sums: Sums,
    everyone: Floats,
    tables: Tables,
    segment: tuple[str, str],
) -> pd.DataFrame:
    """Estimate the regions and the rest of the country for each category of one breakdown."""
    crude = Sums({name: by_category(array, split.masks) for name, array in sums.parts.items()})
    weight = reference = UNUSED
    fine = crude
    if route.standard:
        fine = Sums({name: strata(array, split.masks) for name, array in sums.parts.items()})
        if route.method == "indirectly_standardised_ratio":
            country = {name: array[:, [place.country]] for name, array in sums.parts.items()}
            with np.errstate(divide="ignore", invalid="ignore"):
                rate = country["numerator"] / country["denominator"]
            reference = rate.reshape(rate.shape[0], 1, 1, -1)
        else:
            flat_weights = stratum_weights(tables.standards[route.standard], route.standard, cells).reshape(-1)
            weight = np.where(split.masks.reshape(len(split.masks), -1), flat_weights, 0.0)
    made = estimate(route, fine, weight, reference)
    rest_fine, rest_crude = (s.of(place.country).minus(s) for s in (fine, crude))
    rest = estimate(route, rest_fine, weight, reference)
    compared = crude.parts["denominator"] > 0
    parts = crude.parts
    persons, rest_persons = (p.get("persons", p["denominator"]) for p in (parts, rest_crude.parts))
    with np.errstate(divide="ignore", invalid="ignore"):
        coverage = parts["denominator"] / by_category(everyone, split.masks)
    return tidy(
        spec,
        cells.periods(),
        place,
        split,
        made,
        rest.where(compared & (rest_crude.parts["denominator"] > 0)),
        {
            "numerator": parts["numerator"],
            "denominator": parts["denominator"],
            "persons": persons,
            "rest_persons": rest_persons,
            "cases": parts["numerator"] if route.cases else np.full_like(persons, np.nan),
            "rest_cases": rest_crude.parts["numerator"] if route.cases else np.full_like(persons, np.nan),
            "coverage_share": coverage,
        },
        segment,
    )


def _survey_frames(spec: Spec, route: Compute, cells: Cells, regions: Regions) -> Iterator[pd.DataFrame]:
    """Design-based shares: variance is made per stratum within a municipality, before regions are summed."""
    place = geography(regions, spec.levels, cells.labels["municipality_code"])
    cells = where(cells, route)
    others = tuple(i for i, name in enumerate(cells.labels) if i >= 4 and name != "stratum")
    # What remains is (period, municipality, sex, band, stratum).
    at = {name: array.sum(axis=others) for name, array in cells.sums.items()}
    for dimension in ("none", *spec.breakdowns):
        split = breakdown(cells, dimension)
        masks = split.masks.astype(float)
        # (period, municipality, stratum, category)
        domain = {name: np.tensordot(array, masks, axes=((2, 3), (1, 2))) for name, array in at.items()}
        sampled = at["respondent_count"].sum(axis=(2, 3))[..., None]
        sums = StratumSums(
            n=sampled,
            w=domain["weight_sum"],
            wy=domain["weighted_yes_sum"],
            ww=domain["weight_sumsq"],
            wwy=domain["weighted_yes_sumsq"],
            wwyy=domain["weighted_yes_sumsq"],  # y is 0 or 1
        )
        spread = variance_components(sums)
        inside = np.broadcast_to(sampled, domain["weight_sum"].shape)
        parts = {
            "w": domain["weight_sum"],
            "wy": domain["weighted_yes_sum"],
            "ww": domain["weight_sumsq"],
            "v_yy": spread.v_yy,
            "v_yw": spread.v_yw,
            "v_ww": spread.v_ww,
            "respondents": inside,
            "strata": np.where(np.isnan(inside), np.nan, inside > 0),
            "numerator": domain["yes_count"],
            "denominator": domain["answer_count"],
        }
        rolled = Sums({name: place.roll_up(array.sum(axis=2)) for name, array in parts.items()})
        rest_sums = rolled.of(place.country).minus(rolled)
        have = (rolled.parts["w"] > 0) & (rest_sums.parts["w"] > 0)
        p, q = rolled.parts, rest_sums.parts
        yield tidy(
            spec,
            cells.periods(),
            place,
            split,
            estimate(route, rolled),
            estimate(route, rest_sums).where(have),
            {
                "numerator": p["numerator"],
                "denominator": p["denominator"],
                "persons": p["denominator"],
                "rest_persons": q["denominator"],
                "cases": p["numerator"],
                "rest_cases": q["numerator"],
                "coverage_share": np.where(p["w"] > 0, 1.0, np.nan),
            },
            ("none", ALL),
        )


def _growth_frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[pd.DataFrame]:
    """Growth on each basis; the nominal one is the total, the others are segments beside it."""
    if (wanted := route.growth) is None:
        return
    cells = where(cubes[cube], route)
    place = geography(regions, spec.levels, cells.labels["municipality_code"])
    members, numerator = numerators(route, cells, cubes)
    heard = ~np.isnan(numerator[ALL])
    masked = {
        name: np.where(heard, flat(cells, name), np.nan) for name in (route.denominator or "", route.persons or "")
    }
    sums = Sums(
        {
            "total": place.roll_up(numerator[ALL]),
            "exposure": place.roll_up(masked[route.denominator or ""]),
            "persons": place.roll_up(masked[route.persons or ""]),
            "parts": place.roll_up(np.stack([np.nan_to_num(numerator[m]) for m in members], axis=-1)),
        }
    )
    weight = stratum_weights(tables.standards[wanted.standard], wanted.standard, cells).reshape(-1)
    declared = tables.breaks[wanted.breaks]
    plan = GrowthPlan(
        periods=np.array(cells.periods()),
        base=wanted.base,
        index=tables.deflators[wanted.deflator],
        weight=weight,
        first_years={
            member: declared.loc[
                (declared["source"] == cube)
                & (declared["column_or_kind"] == member)
                & (declared["comparable"] == "false"),
                "first_year",
            ]
            .astype(int)
            .tolist()
            for member in members
        },
    )
    rest = sums.of(place.country).minus(sums)
    own, others = plan.growth(sums.parts), plan.growth(rest.parts)
    split = breakdown(cells, "none")
    person_count, rest_person_count = (s["persons"].sum(axis=(2, 3))[..., None] for s in (sums.parts, rest.parts))
    unknown = np.full_like(person_count, np.nan)
    for basis, value in own.items():
        yield tidy(
            spec,
            cells.periods(),
            place,
            split,
            Estimate.without_limits(route.per * value[..., None]),
            Estimate.without_limits(route.per * others[basis][..., None]),
            {
                "numerator": sums.parts["total"].sum(axis=(2, 3))[..., None],
                "denominator": sums.parts["exposure"].sum(axis=(2, 3))[..., None],
                "persons": person_count,
                "rest_persons": rest_person_count,
                "cases": unknown,
                "rest_cases": unknown,
                "coverage_share": np.where(person_count > 0, 1.0, np.nan),
            },
            ("none", ALL) if basis == "nominal" else ("growth_basis", basis),
        )


def tidy(
    spec: Spec,
    periods: list[int],
    place: Geography,
    split: Breakdown,
    made: Estimate,
    rest: Estimate,
    columns: dict[str, Floats],
    segment: tuple[str, str],
) -> pd.DataFrame:
    """Arrays of (period, region, category) as one row each, with the status of every row."""
    shape = made.value.shape
    difference = interval_overlap(made, rest) if spec.compare else np.full(shape, Difference.NOT_COMPARED)
    period, region, category = (index.reshape(-1) for index in np.indices(shape))
    labels = np.array(split.labels, dtype=object)[category]
    everywhere = np.array(ALL, dtype=object)
    frame = pd.DataFrame(
        {
            **{name: place.frame[name].to_numpy()[region] for name in place.frame},
            "period": np.array(periods)[period],
            "sex": labels if split.dimension == "sex" else everywhere,
            "age_group": labels if split.dimension == "age_group" else everywhere,
            "segment_type": "none" if segment[1] == ALL else segment[0],
            "segment": segment[1],
            "value": made.value.reshape(-1),
            "lower": made.lower.reshape(-1),
            "upper": made.upper.reshape(-1),
            "comparator_value": rest.value.reshape(-1),
            "comparator_lower": rest.lower.reshape(-1),
            "comparator_upper": rest.upper.reshape(-1),
            "difference": pd.Series(difference.reshape(-1)).map(DIFFERENCES),
            **{name: np.broadcast_to(array, shape).reshape(-1) for name, array in columns.items()},
        }
    )
    return with_status(spec, frame)


def with_status(spec: Spec, frame: pd.DataFrame) -> pd.DataFrame:
    """Say of every row whether it has a value and, if not, why not; drop regions of which nothing was ever delivered."""
    delivered = frame.groupby(["region_type", "region_code"])["denominator"].transform("count")
    frame = frame[delivered > 0].reset_index(drop=True)
    least = spec.expect.coverage.min or 0.0
    absent = frame["denominator"].isna() | frame["numerator"].isna()
    thin = ~absent & (frame["coverage_share"] < least)
    empty = ~absent & ~thin & frame["value"].isna()
    frame["status"] = np.select([absent, thin, empty], ["not_delivered", "not_computed", "not_computed"], "published")
    frame["reason"] = np.select(
        [absent, thin, empty],
        ["nothing was delivered", "too few municipalities delivered", "too little to compute from"],
        "",
    )
    unseen = ["value", "lower", "upper"]
    frame.loc[frame["status"] != "published", unseen] = np.nan
    better = {"higher_is_better": ("better", "worse"), "lower_is_better": ("worse", "better")}.get(
        spec.polarity, ("no_judgement", "no_judgement")
    )
    words = {"higher": better[0], "lower": better[1]}
    frame["judgement"] = frame["difference"].map(lambda difference: words.get(difference, difference))
    return frame
