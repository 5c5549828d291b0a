"""The strata of one published number, and the number recomputed from these strata alone.

Not here: printing (``report``), the recomputation (``recompute``), what follows from the strata of several regions
(``differencing``). The sums come from the code that computes the indicator, so no formula is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables, Threshold
from triple_aim.disclosure import below_threshold
from triple_aim.explain.recompute import OF_SUMS, recompute_estimate
from triple_aim.indicators import (
    ENDS,
    UNKNOWN,
    EstimatorInputs,
    Geography,
    RouteInputs,
    Sums,
    by_stratum,
    cases,
    gap_groups,
    geography,
    recording_inputs,
    route_builder,
    route_inputs,
    squares_column,
    where,
)
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL, age_group

JOINT = {"covariance"}  # of pairs of strata
#: Methods that also reveal the persons without the trait.
SHARES = {"proportion", "survey_proportion", "survey_gap", "concentration_index"}
SPLIT = ["sex", "age_group", "segment"]
KEY = ["period", "region_code", "region_type", *SPLIT]

Row: TypeAlias = Mapping[Any, Any]  # a row of a mart, by column


@dataclass(frozen=True)
class Derivation:
    """One row per stratum: its labels, and the sums, weights and expectations of the number."""

    strata: pd.DataFrame
    overall: Mapping[str, float]  # not per stratum: sums over the strata, price indices, the variance of a sample
    stratum_count: int  # with the strata of the sibling numbers
    small_count: int  # strata below the threshold; one could be solved for from the total, so one hides all
    recomputed: Estimate  # from these strata alone


@dataclass(frozen=True)
class Trace:
    """The rows of an indicator from one cube, and the inputs of each."""

    spec: Spec
    cube: str
    cubes: Mapping[str, Cells]
    regions: Regions
    tables: Tables
    frames: list[pd.DataFrame]
    inputs: list[EstimatorInputs]  # one per frame

    @property
    def route(self) -> Compute:
        return self.spec.route_of[self.cube]

    @cached_property
    def route_inputs(self) -> RouteInputs:
        return route_inputs(self.spec, self.route, self.cubes, self.cube, self.regions)

    @cached_property
    def geography(self) -> Geography:
        codes = where(self.cubes[self.cube], self.route).labels["municipality_code"]
        return geography(self.regions, self.spec.levels, codes)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The key of each row, its frame, and its position in the flattened arrays of the frame."""
        wanted = [*KEY, "segment_type"]
        keys = [frame[wanted].assign(frame=number, cell=frame.index) for number, frame in enumerate(self.frames)]
        return pd.concat(keys, ignore_index=True) if keys else pd.DataFrame(columns=[*wanted, "frame", "cell"])

    def siblings(self, row: Row) -> pd.DataFrame:
        """The row itself and the other parts of the same total, such as men for women."""
        keys = self.rows
        for name in KEY[:3]:
            keys = keys[keys[name] == row[name]]
        for name in SPLIT:
            keys = keys[(keys[name] == ALL) == (row[name] == ALL)]
        keys = keys.assign(is_own=(keys[SPLIT] == [row[name] for name in SPLIT]).all(axis=1))
        # Bases of growth and components of a change are other views of one total, not parts of it.
        parts = [kind for kind in keys.loc[keys["is_own"], "segment_type"] if kind in ("none", *self.spec.breakdowns)]
        return keys[keys["is_own"] | keys["segment_type"].isin(parts)]


def trace(spec: Spec, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables) -> Trace:
    """Compute the rows of an indicator from one cube as a run does, and keep the inputs of each."""
    route = spec.route_of[cube]
    frames: list[pd.DataFrame] = []
    inputs: list[EstimatorInputs] = []
    if not cubes[cube].only([]).pooled(route.pool).periods():
        return Trace(spec, cube, cubes, regions, tables, frames, inputs)
    with recording_inputs() as recorded:
        # A builder records a region before its rest; growth and decomposition record once for all their blocks.
        seen = 0
        for block in route_builder(route)(spec, route, cubes, cube, regions, tables):
            frames.append(block.frame())
            inputs.append(recorded[min(seen, len(recorded) - 1)])
            seen = len(recorded)
    return Trace(spec, cube, cubes, regions, tables, frames, inputs)


def derive(traced: Trace, row: Row, threshold: Threshold) -> Derivation | None:
    """Return the derivation of one row of the mart; None where the cube holds no such row.

    Small strata of sibling rows count too: those of men follow from those of women and of both sexes, those of one kind
    of care from the other kinds. Other regions are not considered here but in ``differencing``.
    """
    keys = traced.siblings(row).to_dict("records")
    own = [key for key in keys if key["is_own"]]
    if not own:
        return None
    strata, overall, inputs = _strata(traced, own[0])
    tables = [strata, *(_strata(traced, key)[0] for key in keys if not key["is_own"])]
    recomputed = recompute_estimate(traced.route, strata, overall, inputs, str(row["segment"]))
    small = sum(count_small(table, traced, threshold) for table in tables)
    return Derivation(strata, overall, sum(map(len, tables)), small, recomputed)


def strata_of_all_regions(traced: Trace, key: Row) -> pd.DataFrame:
    """Return the strata of a row and of the same row of all other regions, by ``region_code``."""
    route, inputs = traced.route, traced.inputs[int(str(key["frame"]))]
    period, _, category = _position(inputs, key)
    columns, _ = _columns(traced, _select(inputs, (period, None, category)), key, (period, slice(None)))
    axes = {"region_code": traced.geography.frame["region_code"].tolist()} | _axes(traced, key, columns)
    size = len(next(iter(columns.values())))
    # A column without regions, such as a weight or a price, repeats for each region and reveals no person.
    columns = {name: np.resize(column, size) for name, column in columns.items()}
    strata = _labelled(axes, columns)
    if route.growth and route.growth.years and "weight" not in strata:
        strata = strata.drop(columns=["sex", "age"]).groupby(["region_code", "year"], as_index=False).sum()
    return strata


def _strata(traced: Trace, key: Row) -> tuple[pd.DataFrame, dict[str, float], EstimatorInputs]:
    """Return the labelled strata of one row, its overall numbers, and the inputs of its estimate."""
    route, inputs = traced.route, traced.inputs[int(str(key["frame"]))]
    period, region, category = _position(inputs, key)
    selected = _select(inputs, (period, region, category))
    columns, overall = _columns(traced, selected, key, (period, region))
    strata = _labelled(_axes(traced, key, columns), columns)
    # A category selects sexes and ages; where these are no strata, the sums are of the category already.
    if "sex" in strata and key["sex"] != ALL:
        strata = strata[strata["sex"] == key["sex"]]
    if "age" in strata and key["age_group"] != ALL:
        strata = strata[strata["age"].map(age_group) == key["age_group"]]
    if route.growth and route.growth.years and "weight" not in strata:
        strata = strata.drop(columns=["sex", "age"]).groupby(["year", *({"index"} & set(strata))], as_index=False).sum()
    if route.method in OF_SUMS:
        needed = [name for name in inputs.sums.parts if name in strata]
        overall = {str(name): float(total) for name, total in strata[needed].sum().items()}
    return strata.reset_index(drop=True), overall, selected


def _position(inputs: EstimatorInputs, key: Row) -> tuple[int, int, int]:
    """Return period, region and category of a row, as indices into the arrays of its inputs."""
    shape = next(array.shape[:3] for array in inputs.sums.parts.values() if array.ndim >= 3)
    period, region, category = (int(index) for index in np.unravel_index(int(str(key["cell"])), shape))
    return period, region, category


def _columns(
    traced: Trace, selected: EstimatorInputs, key: Row, position: tuple[int, int | slice]
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Return the columns of the strata of a row and its overall numbers; for all regions, one after the other."""
    route = traced.route
    if route.growth:
        return _growth_columns(traced, selected, key)
    if route.method in OF_SUMS:
        return _sum_columns(traced, position, str(key["segment"])), {}
    if route.is_sampled and not any(array.ndim > 3 for array in selected.sums.parts.values()):
        overall = {name: array.item() for name, array in selected.sums.parts.items() if array.size == 1}
        return _survey_columns(traced, position), overall
    return _stratified_columns(selected), {}


def _select(inputs: EstimatorInputs, position: tuple[int, int | None, int]) -> EstimatorInputs:
    """Select one period, one region (all where None) and one category, kept as axes of length 1."""

    def one(array: Floats) -> Floats:
        if array.ndim < 3:  # ages are the same for all rows
            return array
        for axis, index in enumerate(position):
            array = array.take([index], axis=axis) if index is not None and array.shape[axis] > 1 else array
        return array

    weight = inputs.weight[[position[2]]] if inputs.weight.ndim > 1 and len(inputs.weight) > 1 else inputs.weight
    sums = Sums({name: one(array) for name, array in inputs.sums.parts.items()})
    return EstimatorInputs(sums, weight, one(inputs.reference))


def _stratified_columns(selected: EstimatorInputs) -> dict[str, Floats]:
    """Return the stratified sums, weights and references as columns of one length."""
    parts = selected.sums.parts.items()
    flattened = {name: array.reshape(-1) for name, array in parts if array.ndim > 3 and name not in JOINT}
    size = max((len(column) for column in flattened.values()), default=0)
    columns = {name: column for name, column in flattened.items() if len(column) == size}
    if selected.weight.size and size:
        columns["weight"] = np.resize(selected.weight.reshape(-1), size)
    if selected.reference.size and size:
        columns["reference"] = np.resize(selected.reference.reshape(-1), size)
        columns["expected"] = columns["denominator"] * columns["reference"]
    return columns


def _sum_columns(traced: Trace, position: tuple[int, int | slice], member: str) -> dict[str, Floats]:
    """Return the sums by sex and age of a method that uses totals only, so that a reader can add them up."""
    route = traced.route
    sums = {"numerator": traced.route_inputs.numerator[member], "denominator": traced.route_inputs.denominator}
    if (counted := cases(route, traced.route_inputs.cells, member)) is not None:
        sums["cases"] = counted
    columns = {name: traced.route_inputs.by_region(each).values[position].reshape(-1) for name, each in sums.items()}
    for name, column in (("persons", route.persons), ("sumsq", squares_column(route, member))):
        if (each := traced.route_inputs.column(column)) is not None:
            columns[name] = each.values[position].reshape(-1)
    return columns


def _survey_columns(traced: Trace, position: tuple[int, int | slice]) -> dict[str, Floats]:
    """Return the sums by sex and age of a sample; its variance does not add up over them and is an overall number."""
    sums = by_stratum(where(traced.cubes[traced.cube], traced.route))
    answer = "answer_sum" if traced.route.method == "survey_mean" else "yes"
    wanted = {"w": "weight_sum", "wy": "weighted_answer_sum", "answers": "answer_count", answer: "answer_sum"}
    rolled = {name: traced.geography.roll_up(sums[column].sum(axis=4)) for name, column in wanted.items()}
    return {name: array[position].reshape(-1) for name, array in rolled.items()}


def _growth_columns(traced: Trace, selected: EstimatorInputs, key: Row) -> tuple[dict[str, Floats], dict[str, float]]:
    """Return the start and end of growth, or every year of its trend, with only what its basis needs."""
    growth, sums = traced.route.growth, {name: array.reshape(-1) for name, array in selected.sums.parts.items()}
    if growth is None:
        raise ValueError("only growth has a basis")
    basis, end, index = str(key["segment"]), int(str(key["period"])), traced.tables.deflators[growth.deflator]
    weight = {"weight": selected.weight.reshape(-1)} if basis == "standardised" else {}
    if growth.years:
        columns = {name: sums[name] for name in ("total", "exposure", "persons")}
        size = len(columns["total"])
        prices = np.array([index.get(year, np.nan) for year in range(end + 1 - growth.years, end + 1)])
        priced = {"index": np.repeat(prices, size // growth.years)} if basis == "real" else {}
        return columns | priced | {name: np.resize(column, size) for name, column in weight.items()}, {}
    start = growth.base or end - 1
    overall = {"years": float(end - start)}
    if basis == "real":
        overall |= {"start_index": index.get(start, np.nan), "end_index": index.get(end, np.nan)}
    if basis == "break_adjusted":
        first = [
            traced.tables.first_years(growth.breaks, traced.cube, member) for member in traced.route_inputs.members
        ]
        comparable = np.array([not any(start < year <= end for year in years) for years in first], dtype=float)
        if not comparable.all():
            overall |= {f"{when}_exposure": sums[f"{when}_exposure"].sum().item() for when in ("start", "end")}
            return {name: sums[name] for name in ("start_parts", "end_parts")} | {"comparable": comparable}, overall
    return {
        name: sums[name] for name in (f"{when}_{part}" for when in ("start", "end") for part in ENDS)
    } | weight, overall


def _axes(traced: Trace, key: Row, columns: Mapping[str, Floats]) -> dict[str, list[str]]:
    """Return the labels of the strata per axis, in the order of the axes of the arrays."""
    route, labels = traced.route, where(traced.cubes[traced.cube], traced.route).labels
    sex_and_age = {"sex": labels["sex"], "age": labels["age_band"]}
    if route.is_sampled and route.groups:
        return {route.groups: gap_groups(route)}
    if route.groups:
        return {route.groups: [label for label in labels[route.groups] if label != UNKNOWN], **sex_and_age}
    if route.method.endswith("life_expectancy"):
        return {"age": sex_and_age["age"]}
    if route.growth and route.growth.years:
        end = int(str(key["period"]))
        return {"year": [str(year) for year in range(end + 1 - route.growth.years, end + 1)], **sex_and_age}
    if route.segments and "comparable" in columns:
        return {route.segments: traced.route_inputs.members}
    if route.segments and route.method == "decomposition":
        return {**sex_and_age, route.segments: traced.route_inputs.members}
    if route.method == "systematic_variation":
        return {"municipality": list(traced.regions.names("municipality").values())}
    return {**sex_and_age, **{name: labels[name] for name in route.strata}}


def _labelled(axes: Mapping[str, list[str]], columns: Mapping[str, Floats]) -> pd.DataFrame:
    """Return the columns with the labels of their strata; raise ValueError where their numbers differ."""
    labels = pd.DataFrame(list(product(*axes.values())), columns=list(axes))
    size = len(next(iter(columns.values())))
    if len(labels) != size:
        raise ValueError(f"there are {size} strata and {len(labels)} labels")
    return labels.assign(**columns).dropna(subset=list(columns), how="all")


def count_small(strata: pd.DataFrame, traced: Trace, threshold: Threshold) -> int:
    """Count the strata below the threshold; strata without persons reveal nothing."""
    route = traced.route
    if "comparable" in strata:  # the users of a kind of care are not counted
        return len(strata) if threshold.cases else 0
    has_cases = route.cases or route.method.endswith("life_expectancy")
    # Without persons at one end, the other end still counts.
    ends = strata.filter(regex="persons$|exposure$").replace(0, np.nan).min(axis=1)
    persons = strata.get("persons", strata.get("answers", strata.get("denominator", ends)))
    numerator = strata["numerator"] if has_cases else pd.Series(np.nan, strata.index)
    counted = strata.get("cases", strata.get("yes", numerator))
    complement = persons - counted if route.method in SHARES else np.nan
    if route.factors:  # euros reveal the users of the care
        users = [f"{when}_{next(iter(route.factors))}" for when in ("start", "end")]
        counted = strata[users].replace(0, np.nan).min(axis=1)
    min_persons = max(threshold.persons, traced.spec.disclosure.get("threshold", 0))
    small = below_threshold(persons, counted, complement, min_persons=min_persons, min_cases=threshold.cases)
    return int((small & (persons > 0)).sum())
