"""What one published number is made of, stratum by stratum, and the number made again from just that.

Not here: printing it (``report``), how it is made again (``recompute``), what follows from the strata of several
regions (``differencing``). The code that works at night makes the sums; nothing is worked out in another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import SCORE, YES, Compute, Regions, Spec, Tables, Threshold, of_member
from triple_aim.disclosure import too_small
from triple_aim.explain.recompute import OF_SUMS, remade
from triple_aim.indicators import (
    ENDS,
    UNKNOWN,
    Geography,
    Note,
    Sums,
    Supply,
    builder_of,
    by_stratum,
    cases,
    compared,
    geography,
    noting,
    supply,
    where,
)
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL, age_group

JOINT = {"covariance"}  # of two strata, not of one
SHARES = {"proportion", "survey_proportion", "survey_gap", "concentration_index"}  # who has a trait, and who has not
SPLIT = ["sex", "age_group", "segment"]
KEY = ["period", "region_code", "region_type", *SPLIT]


@dataclass(frozen=True)
class Workings:
    """One row a stratum: its labels, and the sums, weights and expectations that the number is made of."""

    strata: pd.DataFrame
    beside: Mapping[str, float]  # what is of all strata together: their sums, prices, the variance of a sample
    size: int  # strata, with those of the numbers beside it
    hidden: int  # of which too small to be shown; any one of them could be solved for, so then none may be
    again: Estimate  # the number, made from these alone


@dataclass(frozen=True)
class Trace:
    """The rows that one cube gives an indicator, and what each was made from."""

    spec: Spec
    cube: str
    cubes: Mapping[str, Cells]
    regions: Regions
    tables: Tables
    frames: list[pd.DataFrame]
    notes: list[Note]  # one a frame

    @property
    def route(self) -> Compute:
        return self.spec.route_of[self.cube]

    @cached_property
    def given(self) -> Supply:
        return supply(self.spec, self.route, self.cubes, self.cube, self.regions)

    @cached_property
    def place(self) -> Geography:
        codes = where(self.cubes[self.cube], self.route).labels["municipality_code"]
        return geography(self.regions, self.spec.levels, codes)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The key of each row, its frame, and its place in the arrays that the frame was laid out from."""
        wanted = [*KEY, "segment_type"]
        keys = [frame[wanted].assign(frame=at, cell=frame.index) for at, frame in enumerate(self.frames)]
        return pd.concat(keys, ignore_index=True) if keys else pd.DataFrame(columns=[*wanted, "frame", "cell"])

    def beside(self, row: Mapping[str, object]) -> pd.DataFrame:
        """The row itself and those beside it, into which the same total is divided."""
        here = self.rows
        for name in KEY[:3]:
            here = here[here[name] == row[name]]
        for name in SPLIT:
            here = here[(here[name] == ALL) == (row[name] == ALL)]
        here = here.assign(is_own=(here[SPLIT] == [row[name] for name in SPLIT]).all(axis=1))
        # Bases of growth and components of a change are other readings of one total, not shares of it.
        shares = [kind for kind in here.loc[here["is_own"], "segment_type"] if kind in ("none", *self.spec.breakdowns)]
        return here[here["is_own"] | here["segment_type"].isin(shares)]


def trace(spec: Spec, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables) -> Trace:
    """Make the rows of an indicator from one cube as at night, and keep what each was made from."""
    route = spec.route_of[cube]
    frames: list[pd.DataFrame] = []
    behind: list[Note] = []
    if not cubes[cube].only([]).pooled(route.pool).periods():
        return Trace(spec, cube, cubes, regions, tables, frames, behind)
    with noting() as notes:
        # A builder notes a region before its rest; growth and decomposition note once for all that they tell.
        seen = 0
        for block in builder_of(route)(spec, route, cubes, cube, regions, tables):
            frames.append(block.frame())
            behind.append(notes[min(seen, len(notes) - 1)])
            seen = len(notes)
    return Trace(spec, cube, cubes, regions, tables, frames, behind)


def workings(traced: Trace, row: Mapping[str, object], least: Threshold) -> Workings | None:
    """The workings of one row of the mart; None where the cube holds no such row.

    Strata are hidden when one of them is too small, or one of a row beside it: the men's can be solved for from the
    women's and those of all, and those of one kind of care from the other kinds. Other regions: ``differencing``.
    """
    beside_it = traced.beside(row).to_dict("records")
    own = [place for place in beside_it if place["is_own"]]
    if not own:
        return None
    strata, beside, note = _strata(traced, own[0])
    every = [strata, *(_strata(traced, place)[0] for place in beside_it if not place["is_own"])]
    again = remade(traced.route, strata, beside, note, str(row["segment"]))
    return Workings(strata, beside, sum(map(len, every)), sum(hidden(one, traced, least) for one in every), again)


def strata_everywhere(traced: Trace, place: Mapping[str, object]) -> pd.DataFrame:
    """The strata of a row and of those of all other regions in its period, by ``region_code``."""
    route, note = traced.route, traced.notes[int(str(place["frame"]))]
    period, _, category = _place_in(note, place)
    columns, _ = _columns(traced, _cut(note, (period, None, category)), place, (period, slice(None)))
    axes = {"region_code": traced.place.frame["region_code"].tolist()} | _axes(traced, place, columns)
    size = len(next(iter(columns.values())))
    # What is the same in every region, such as a weight or a price, tells of nobody.
    columns = {name: np.resize(column, size) for name, column in columns.items()}
    strata = _labelled(axes, columns)
    if route.growth and route.growth.years and "weight" not in strata:
        strata = strata.drop(columns=["sex", "age"]).groupby(["region_code", "year"], as_index=False).sum()
    return strata


def _strata(traced: Trace, place: Mapping[str, object]) -> tuple[pd.DataFrame, dict[str, float], Note]:
    """The strata of one row with their labels, what stands beside them, and both as the method wants them."""
    route, note = traced.route, traced.notes[int(str(place["frame"]))]
    period, region, category = _place_in(note, place)
    cut = _cut(note, (period, region, category))
    columns, beside = _columns(traced, cut, place, (period, region))
    strata = _labelled(_axes(traced, place, columns), columns)
    # A category is some of the sexes and ages; where they are no strata, the sums are of the category already.
    if "sex" in strata and place["sex"] != ALL:
        strata = strata[strata["sex"] == place["sex"]]
    if "age" in strata and place["age_group"] != ALL:
        strata = strata[strata["age"].map(age_group) == place["age_group"]]
    if route.growth and route.growth.years and "weight" not in strata:
        strata = strata.drop(columns=["sex", "age"]).groupby(["year", *({"index"} & set(strata))], as_index=False).sum()
    if route.method in OF_SUMS:
        needed = [name for name in note.sums.parts if name in strata]
        beside = {str(name): float(total) for name, total in strata[needed].sum().items()}
    return strata.reset_index(drop=True), beside, cut


def _place_in(note: Note, place: Mapping[str, object]) -> tuple[int, int, int]:
    """Period, region and category of a row, as places in the arrays of its note."""
    shape = next(array.shape[:3] for array in note.sums.parts.values() if array.ndim >= 3)
    period, region, category = (int(at) for at in np.unravel_index(int(str(place["cell"])), shape))
    return period, region, category


def _columns(
    traced: Trace, cut: Note, place: Mapping[str, object], at: tuple[int, int | slice]
) -> tuple[dict[str, Floats], dict[str, float]]:
    """What the method of a row uses by stratum, and what stands beside that; of all regions, one after the other."""
    route = traced.route
    if route.growth:
        return _growth(traced, cut, place)
    if route.method in OF_SUMS:
        return _plain(traced, at, str(place["segment"])), {}
    if route.is_sampled and not any(array.ndim > 3 for array in cut.sums.parts.values()):
        alone = {name: array.item() for name, array in cut.sums.parts.items() if array.size == 1}
        return _sampled(traced, at), alone
    return _fine(cut), {}


def _cut(made: Note, at: tuple[int, int | None, int]) -> Note:
    """One period, region (all without one) and category of a note, kept as axes of length 1."""

    def one(array: Floats) -> Floats:
        if array.ndim < 3:  # ages are the same for all
            return array
        for axis, index in enumerate(at):
            array = array.take([index], axis=axis) if index is not None and array.shape[axis] > 1 else array
        return array

    weight = made.weight[[at[2]]] if made.weight.ndim > 1 and len(made.weight) > 1 else made.weight
    return Note(Sums({name: one(array) for name, array in made.sums.parts.items()}), weight, one(made.reference))


def _fine(cut: Note) -> dict[str, Floats]:
    """What a note holds by stratum, as columns of one length."""
    fine = {name: array.reshape(-1) for name, array in cut.sums.parts.items() if array.ndim > 3 and name not in JOINT}
    size = max((len(column) for column in fine.values()), default=0)
    columns = {name: column for name, column in fine.items() if len(column) == size}
    if cut.weight.size and size:
        columns["weight"] = np.resize(cut.weight.reshape(-1), size)
    if cut.reference.size and size:
        columns["reference"] = np.resize(cut.reference.reshape(-1), size)
        columns["expected"] = columns["denominator"] * columns["reference"]
    return columns


def _plain(traced: Trace, at: tuple[int, int | slice], member: str) -> dict[str, Floats]:
    """A method that sees totals only: its sums by sex and age all the same, for a reader to add up."""
    given, route = traced.given, traced.route
    arrays = {"numerator": given.numerator[member], "denominator": given.known}
    if (counted := cases(route, given.cells, member)) is not None:
        arrays["cases"] = counted
    columns = {name: given.rolled(array)[at].reshape(-1) for name, array in arrays.items()}
    for name, column in (("persons", route.persons), ("sumsq", of_member(route.sumsq or "", route.family, member))):
        if (array := given.column(column)) is not None:
            columns[name] = array[at].reshape(-1)
    return columns


def _sampled(traced: Trace, at: tuple[int, int | slice]) -> dict[str, Floats]:
    """The same of a sample; its variance does not add up over sex and age, so that stands beside them."""
    sums = by_stratum(where(traced.cubes[traced.cube], traced.route))
    wy, _, _, answer = SCORE if traced.route.method == "survey_mean" else YES
    wanted = {"w": "weight_sum", "wy": wy, "answers": "answer_count", answer.removesuffix("_count"): answer}
    return {name: traced.place.roll_up(sums[column].sum(axis=4))[at].reshape(-1) for name, column in wanted.items()}


def _growth(traced: Trace, cut: Note, place: Mapping[str, object]) -> tuple[dict[str, Floats], dict[str, float]]:
    """Both ends of growth, or every year of its trend, and no more than its basis needs."""
    wanted, sums = traced.route.growth, {name: array.reshape(-1) for name, array in cut.sums.parts.items()}
    if wanted is None:
        raise ValueError("only growth has a basis")
    basis, end, index = str(place["segment"]), int(str(place["period"])), traced.tables.deflators[wanted.deflator]
    weight = {"weight": cut.weight.reshape(-1)} if basis == "standardised" else {}
    if wanted.years:
        columns = {name: sums[name] for name in ("total", "exposure", "persons")}
        size = len(columns["total"])
        prices = np.array([index.get(year, np.nan) for year in range(end + 1 - wanted.years, end + 1)])
        priced = {"index": np.repeat(prices, size // wanted.years)} if basis == "real" else {}
        return columns | priced | {name: np.resize(column, size) for name, column in weight.items()}, {}
    start = wanted.base or end - 1
    beside = {"years": float(end - start)}
    if basis == "real":
        beside |= {"start_index": index.get(start, np.nan), "end_index": index.get(end, np.nan)}
    if basis == "break_adjusted":
        first = [traced.tables.first_years(wanted.breaks, traced.cube, member) for member in traced.given.members]
        comparable = np.array([not any(start < year <= end for year in years) for years in first], dtype=float)
        if not comparable.all():
            beside |= {f"{when}_exposure": sums[f"{when}_exposure"].sum().item() for when in ("start", "end")}
            return {name: sums[name] for name in ("start_parts", "end_parts")} | {"comparable": comparable}, beside
    return {
        name: sums[name] for name in (f"{when}_{part}" for when in ("start", "end") for part in ENDS)
    } | weight, beside


def _axes(traced: Trace, place: Mapping[str, object], columns: Mapping[str, Floats]) -> dict[str, list[str]]:
    """The labels of strata, in the order in which the axes were laid out."""
    route, labels = traced.route, where(traced.cubes[traced.cube], traced.route).labels
    sex_and_age = {"sex": labels["sex"], "age": labels["age_band"]}
    if route.is_sampled and route.groups:
        return {route.groups: compared(route)}
    if route.groups:
        return {route.groups: [label for label in labels[route.groups] if label != UNKNOWN], **sex_and_age}
    if route.method.endswith("life_expectancy"):
        return {"age": sex_and_age["age"]}
    if route.growth and route.growth.years:
        end = int(str(place["period"]))
        return {"year": [str(year) for year in range(end + 1 - route.growth.years, end + 1)], **sex_and_age}
    if route.family and "comparable" in columns:
        return {route.family: traced.given.members}
    if route.family and route.method == "decomposition":
        return {**sex_and_age, route.family: traced.given.members}
    if route.method == "systematic_variation":
        return {"municipality": list(traced.regions.names("municipality").values())}
    return {**sex_and_age, **{name: labels[name] for name in route.strata}}


def _labelled(axes: Mapping[str, list[str]], columns: Mapping[str, Floats]) -> pd.DataFrame:
    """Columns beside the labels of their rows."""
    labels = pd.DataFrame(list(product(*axes.values())), columns=list(axes))
    size = len(next(iter(columns.values())))
    if len(labels) != size:
        raise ValueError(f"there are {size} strata, and {len(labels)} have a name")
    return labels.assign(**columns).dropna(subset=list(columns), how="all")


def hidden(strata: pd.DataFrame, traced: Trace, least: Threshold) -> int:
    """How many strata the gate would withhold; strata of nobody tell nothing."""
    route = traced.route
    if "comparable" in strata:  # nobody counted who is behind a part
        return len(strata) if least.cases else 0
    counts = route.cases or route.method.endswith("life_expectancy")
    # Nobody at one end still leaves the other to be told of.
    ends = strata.filter(regex="persons$|exposure$").replace(0, np.nan).min(axis=1)
    persons = strata.get("persons", strata.get("answers", strata.get("denominator", ends)))
    counted = strata.get("cases", strata.get("yes", strata["numerator"] if counts else pd.Series(np.nan, strata.index)))
    others = persons - counted if route.method in SHARES else np.nan
    if route.factors:  # euros tell of whoever used the care
        users = [f"{when}_{next(iter(route.factors))}" for when in ("start", "end")]
        counted = strata[users].replace(0, np.nan).min(axis=1)
    enough = max(least.persons, traced.spec.disclosure.get("threshold", 0))
    small = too_small(persons, counted, others, least_persons=enough, least_cases=least.cases)
    return int((small & (persons > 0)).sum())
