"""The worked example of a spec, computed with the functions of the published numbers.

Not here: the methods (``stats``). Lists in ``given`` are strata (sex × age cells) of one region, or the respondents of
one stratum of a sample.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from triple_aim.cubes import Floats
from triple_aim.definitions import Compute, Spec, line_of
from triple_aim.errors import ContentError
from triple_aim.indicators.estimators import UNUSED, Sums, estimate
from triple_aim.indicators.methods.decomposition import components
from triple_aim.indicators.methods.growth import GrowthPlan
from triple_aim.indicators.methods.survey import gap_groups, route_sums
from triple_aim.stats.growth import log_linear
from triple_aim.vocabulary import ALL, TRAITS

STRATA = {"numerator", "denominator", "sumsq", "persons"}
LIFE = {"age", "numerator", "denominator"}
#: The keys that an example may give, by the method of the first route; other keys are refused.
GIVEN = {
    "survey_proportion": {"weight", "yes", "cell", "standard"},
    "survey_mean": {"weight", "score"},
    "survey_gap": {"weight", "yes", "group"},
    "growth": {"start", "end", "years", "value"},
    "decomposition": {"start_exposure", "start_euros", "end_exposure", "end_euros"},
    "directly_standardised_rate": {"numerator", "denominator", "sumsq", "weight"},
    "directly_standardised_mean": STRATA | {"weight"},
    "indirectly_standardised_ratio": STRATA | {"reference"},
    "life_expectancy": LIFE,
    "healthy_life_expectancy": LIFE | {"healthy", "healthy_variance"},
    "systematic_variation": {"observed", "expected"},
}
#: Methods whose lists are groups, not strata.
GROUPED = {"slope_index", "relative_index", "concentration_index", "gini"}


def run_example(spec: Spec) -> float:
    """The value of the example by the first route of a spec; ValueError if the given numbers do not fit the method."""
    route = spec.compute[0]
    given = {name: np.array(values, dtype=float) for name, values in spec.example.given.items()}
    if unknown := set(given) - GIVEN.get(route.method, STRATA):
        raise ValueError(f"{route.method} has no use for {', '.join(sorted(unknown))}")
    try:
        if route.is_sampled:
            value = _sampled(route, given)
        elif route.method == "growth":
            value = _trended(route, given) if route.growth and route.growth.years else _grown(route, given)
        elif route.method == "decomposition":
            value = _decomposed(route, given)
        else:
            value = _estimated(route, given)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{route.method} cannot be made of it ({error})") from error
    return float(value.reshape(-1)[0])


def refuse_wrong_examples(specs: Iterable[Spec], folder: Path) -> None:
    """Raise ContentError for the first spec with a wrong example, to nine digits; ``folder`` contains the specs."""
    for spec in specs:
        try:
            value = run_example(spec)
            message = f"it says {spec.example.value:g} and comes out at {value:.10g}"
            fault = None if np.isclose(value, spec.example.value, rtol=1e-9, atol=1e-12) else message
        except ValueError as error:
            fault = str(error)
        if fault:
            line = line_of(folder / spec.aim / f"{spec.id}.yaml", ("example",))
            raise ContentError(
                f"the worked example is wrong: {fault}",
                f"indicator_specs/{spec.aim}/{spec.id}.yaml:{line}",
                "work the example out by hand and correct it, or the method",
            )


def _estimated(route: Compute, given: dict[str, Floats]) -> Floats:
    """Standardised methods get the strata, other methods their sum: rates come from sums and are never averaged."""
    weight, reference = (given.get(name, UNUSED) for name in ("weight", "reference"))
    sums = {name: values for name, values in given.items() if name not in ("weight", "reference")}
    if route.method in GROUPED:
        sums = {name: values[:, None] for name, values in sums.items()}  # one stratum per group
    elif TRAITS[route.method].strata == "added":
        sums = {name: values.sum() for name, values in sums.items()}
    return estimate(route, Sums(sums), weight, reference).value


def _sampled(route: Compute, given: dict[str, Floats]) -> Floats:
    """Respondents of one stratum of one municipality, summed as the cubes of surveys sum them.

    With a standard each respondent has a cell of sex and age; with groups each has a group (0 is the worst off).
    """
    weight, answer = given["weight"], given["score" if route.method == "survey_mean" else "yes"]
    ones, product = np.ones_like(weight), weight * answer
    columns = {
        "respondent_count": ones,
        "answer_count": ones,
        "answer_sum": answer,
        "weight_sum": weight,
        "weighted_answer_sum": product,
        "weight_sumsq": weight**2,
        "weighted_answer_cross_sum": weight * product,
        "weighted_answer_sumsq": product**2,
    }
    cell, group = (given.get(name, np.zeros_like(weight)).astype(int) for name in ("cell", "group"))
    shape = (cell.max() + 1, 2 if route.method == "survey_gap" else 1)
    if shape[1] == 2:
        gap_groups(route)
    place = np.ravel_multi_index((cell, group), shape)
    # (period, municipality, sex, band, stratum[, group])
    axes = (1, 1, 1, shape[0], 1, *([2] if shape[1] == 2 else []))
    sums = {name: np.bincount(place, column, np.prod(shape)).reshape(axes) for name, column in columns.items()}
    sampled = np.full((1, 1, 1), weight.size, dtype=float)
    parts = route_sums(route, sums, np.ones((1, 1, shape[0]), dtype=bool), sampled)
    added = Sums({name: array.sum(axis=2) for name, array in parts.items()})
    return estimate(route, added, given["standard"] if route.standard else UNUSED).value


def _grown(route: Compute, given: dict[str, Floats]) -> Floats:
    """A cost per unit of exposure at both ends, with one kind of care and one cell."""
    years = int(given.get("years", np.ones(1))[0])
    plan = GrowthPlan(np.array([2000, 2000 + years]), 2000, {2000: 1.0, 2000 + years: 1.0}, np.ones(1), {"all": []})

    def ends(value: Floats) -> dict[str, Floats]:
        total = np.broadcast_to(value.sum(), (2, 1, 1, 1))
        return {"total": total, "parts": total[..., None], "exposure": np.ones_like(total), "persons": total}

    grown: Floats = route.per * plan.growth(ends(given["end"]), ends(given["start"]))["nominal"][1]
    return grown


def _trended(route: Compute, given: dict[str, Floats]) -> Floats:
    """One value per year, of consecutive years."""
    growth: Floats = route.per * log_linear(given["value"], np.arange(len(given["value"]))).value
    return growth


def _decomposed(route: Compute, given: dict[str, Floats]) -> Floats:
    """The change of one region with one kind of care; ValueError if the components do not add up to it."""

    def side(name: str) -> Sums:
        exposure, euros = (given[f"{name}_{column}"].reshape(1, 1, 1, -1) for column in ("exposure", "euros"))
        return Sums({"exposure": exposure, "euros": euros[..., None]})

    parts = components((side("start"), side("end")), [])
    total = parts.pop(ALL)
    if not np.allclose(total, sum(parts.values()), rtol=1e-12):
        raise ValueError("the components do not add to the change")
    return route.per * total
