"""What one published number is made of, stratum by stratum, and the number made again from just that.

Not here: printing it (``explain``). The code that works at night makes the sums; nothing is worked out in another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from triple_aim.contracts import Threshold
from triple_aim.cubes import Cells, Floats
from triple_aim.disclosure.primary import too_small
from triple_aim.equity import UNKNOWN
from triple_aim.estimates import METHODS, Note, Sums, estimate, noting
from triple_aim.indicators import indicator_rows
from triple_aim.numerators import cases, family
from triple_aim.regions import Regions
from triple_aim.rollup import geography, where
from triple_aim.specs import Compute, Spec
from triple_aim.standards import Tables
from triple_aim.stats.estimate import Estimate
from triple_aim.supply import supply
from triple_aim.surveys import compared
from triple_aim.vocabulary import ALL

JOINT = {"covariance"}  # of two strata, not of one
SHARES = {"proportion", "survey_proportion", "survey_gap", "concentration_index"}  # who has a trait, and who has not


@dataclass(frozen=True)
class Workings:
    """One row a stratum: its labels, and the sums, weights and expectations that the number is made of."""

    strata: pd.DataFrame
    hidden: int  # strata too small to be shown; any one of them could be solved for, so then none may be
    again: Estimate | None  # the number made from these alone; None for growth, whose ends stand in the strata


def workings(
    spec: Spec,
    cubes: Mapping[str, Cells],
    cube: str,
    regions: Regions,
    tables: Tables,
    region: str,
    period: int,
    least: Threshold,
) -> Workings | None:
    """The workings of the total of a region and period; None where the cube holds none or the method notes none."""
    route = spec.route_of[cube]
    alone = spec.model_copy(update={"compute": [route.model_copy(update={"cubes": [cube]})], "breakdowns": []})
    alone.__dict__.pop("route_of", None)  # to be made anew, of the one route
    with noting() as notes:
        indicator_rows(alone, cubes, regions, tables)
    labels = where(cubes[cube], route).pooled(route.pool).labels
    if not notes or str(period) not in labels["period"]:
        return None
    place = geography(regions, spec.levels, labels["municipality_code"]).frame
    at = labels["period"].index(str(period)), int(np.flatnonzero(place["region_code"] == region)[0])
    made = _cut(notes[0], at)
    again = None
    if route.method in METHODS:
        found = estimate(route, made.sums, made.weight, made.reference)
        again = Estimate(*(np.ravel(part)[:1] for part in (found.value, found.lower, found.upper)))
    columns = _columns(made)
    if "standardised" not in route.method and not columns:
        columns = _plain(spec, route, cubes, cube, regions, at)
    strata = _labelled(route, where(cubes[cube], route), regions, columns)
    return Workings(strata, _hidden(strata, spec, route, least), again)


def _hidden(strata: pd.DataFrame, spec: Spec, route: Compute, least: Threshold) -> int:
    """How many strata the gate would withhold; strata of nobody tell nothing."""
    if strata.empty:
        return 0
    counts = route.cases or route.method.endswith("life_expectancy")
    ends = strata.filter(regex="persons$|exposure$").min(axis=1)
    persons = strata.get("persons", strata.get("answers", strata.get("denominator", ends)))
    counted = strata.get("cases", strata.get("yes", strata["numerator"] if counts else pd.Series(np.nan, strata.index)))
    others = persons - counted if route.method in SHARES else np.nan
    if route.factors:  # euros tell of whoever used the care
        users = [f"{when}_{next(iter(route.factors))}" for when in ("start", "end")]
        counted = strata[users].replace(0, np.nan).min(axis=1)
    enough = max(least.persons, spec.disclosure.get("threshold", 0))
    small = too_small(persons, counted, others, least_persons=enough, least_cases=least.cases)
    return int((small & (persons > 0)).sum())


def _cut(made: Note, at: tuple[int, int]) -> Note:
    """One period and region of a note, kept as axes of length 1."""

    def one(array: Floats) -> Floats:
        if array.ndim < 3:  # ages and weights are the same for all
            return array
        picked = array[[at[0]]] if array.shape[0] > 1 else array
        return picked[:, [at[1]]] if picked.shape[1] > 1 else picked

    return Note(Sums({name: one(array) for name, array in made.sums.parts.items()}), made.weight, one(made.reference))


def _columns(made: Note) -> dict[str, Floats]:
    """What stands beyond (period, region, category) as columns of one length; nothing for totals."""
    fine = {name: array.reshape(-1) for name, array in made.sums.parts.items() if array.ndim > 3 and name not in JOINT}
    size = max((len(column) for column in fine.values()), default=0)
    columns = {name: column for name, column in fine.items() if len(column) == size}
    if made.weight.size and size:
        columns["weight"] = np.resize(made.weight.reshape(-1), size)
    if made.reference.size and size:
        columns["reference"] = made.reference.reshape(-1)
        columns["expected"] = columns["denominator"] * columns["reference"]
    return columns


def _plain(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, at: tuple[int, int]
) -> dict[str, Floats]:
    """A method that sees totals only: its sums by sex and age all the same, for a reader to add up."""
    if route.is_sampled:
        return {}
    given = supply(spec, route, cubes, cube, regions)
    arrays = {"numerator": given.numerator[ALL], "denominator": given.known}
    if (counted := cases(route, given.cells, ALL)) is not None:
        arrays["cases"] = counted
    columns = {name: given.rolled(array)[at].reshape(-1) for name, array in arrays.items()}
    if (persons := given.column(route.persons)) is not None:
        columns["persons"] = persons[at].reshape(-1)
    return columns


def _labelled(route: Compute, cells: Cells, regions: Regions, columns: dict[str, Floats]) -> pd.DataFrame:
    """Columns beside the labels of their rows, in the order in which the axes were laid out."""
    size = len(next(iter(columns.values()), []))
    sex_and_age = {"sex": cells.labels["sex"], "age": cells.labels["age_band"]}
    axes: dict[str, list[str]] = {**sex_and_age, **{name: cells.labels[name] for name in route.strata}}
    if route.is_sampled and route.groups:
        axes = {route.groups: compared(route)}
    elif route.groups:
        axes = {route.groups: [label for label in cells.labels[route.groups] if label != UNKNOWN], **sex_and_age}
    if route.method.endswith("life_expectancy"):
        axes = {"age": sex_and_age["age"]}
    elif route.growth and route.growth.years:
        axes = {"year": [str(back) for back in range(1 - route.growth.years, 1)]}
    elif route.family and route.method == "decomposition":
        axes |= {route.family: list(family(route.numerator, cells))}
    elif route.method == "systematic_variation":
        axes = {"municipality": list(regions.names("municipality").values())}
    labels = pd.DataFrame(list(product(*axes.values())), columns=list(axes)) if columns else pd.DataFrame()
    if len(labels) != size:
        raise ValueError(f"{route.method} notes {size} strata, and {len(labels)} have a name")
    return labels.assign(**columns).dropna(subset=list(columns), how="all")
