"""The worked example of a spec, run through the functions that make the published numbers.

Not here: the methods (``stats``). Lists in ``given`` are strata (sex × age cells) of one region, or the respondents of
one stratum of a sample.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from triple_aim.cubes import Floats
from triple_aim.errors import ContentError
from triple_aim.estimates import UNUSED, Sums, estimate
from triple_aim.growth import GrowthPlan
from triple_aim.specs import Compute, Spec
from triple_aim.surveys import sampled_sums

STRATA = {"numerator", "denominator", "sumsq", "persons"}
#: What an example may give, by the first route's method; the rest of the keys are of no use to it.
GIVEN = {
    "survey_proportion": {"weight", "yes"},
    "growth": {"start", "end", "years"},
    "directly_standardised_rate": {"numerator", "denominator", "weight"},
    "directly_standardised_mean": STRATA | {"weight"},
    "indirectly_standardised_ratio": {"numerator", "denominator", "reference"},
}


def run_example(spec: Spec) -> float:
    """The value that the first route of a spec makes of its example."""
    route = spec.compute[0]
    given = {name: np.array(values, dtype=float) for name, values in spec.example.given.items()}
    if unknown := set(given) - GIVEN.get(route.method, STRATA):
        raise _wrong(spec, f"{route.method} has no use for {', '.join(sorted(unknown))}")
    try:
        if route.method == "survey_proportion":
            value = _sampled(route, given)
        elif route.method == "growth":
            value = _grown(route, given)
        else:
            value = _estimated(route, given)
    except (KeyError, ValueError) as error:
        raise _wrong(spec, f"{route.method} cannot be made of it ({error})") from error
    return float(value.reshape(-1)[0])


def refuse_wrong_examples(specs: Iterable[Spec]) -> None:
    """Refuse the first spec whose example does not come out, to nine digits."""
    for spec in specs:
        value = run_example(spec)
        if not np.isclose(value, spec.example.value, rtol=1e-9, atol=1e-12):
            raise _wrong(spec, f"it says {spec.example.value:g} and comes out at {value:.10g}")


def _wrong(spec: Spec, what: str) -> ContentError:
    return ContentError(
        f"the worked example is wrong: {what}",
        f"indicator_specs/{spec.aim}/{spec.id}.yaml",
        "work the example out by hand and correct it, or the method",
    )


def _estimated(route: Compute, given: dict[str, Floats]) -> Floats:
    """Standardised methods see the strata, the others their sum: rates are made of sums, never averaged."""
    weight, reference = (given.get(name, UNUSED) for name in ("weight", "reference"))
    sums = {name: values for name, values in given.items() if name in STRATA}
    if "standardised" not in route.method:
        sums = {name: values.sum() for name, values in sums.items()}
    return estimate(route, Sums(sums), weight, reference).value


def _sampled(route: Compute, given: dict[str, Floats]) -> Floats:
    """Respondents of one stratum of one municipality, summed as ``sql/cube/survey.sql`` sums them."""
    weight, yes = given["weight"], given["yes"]
    columns = {
        "respondent_count": np.ones_like(weight),
        "answer_count": np.ones_like(weight),
        "yes_count": yes,
        "weight_sum": weight,
        "weighted_yes_sum": weight * yes,
        "weight_sumsq": weight**2,
        "weighted_yes_sumsq": weight**2 * yes,
    }
    # (period, municipality, sex, band, stratum)
    at = {name: column.sum().reshape(1, 1, 1, 1, 1) for name, column in columns.items()}
    parts = sampled_sums(at, np.ones((1, 1, 1)))
    return estimate(route, Sums({name: array.sum(axis=2) for name, array in parts.items()})).value


def _grown(route: Compute, given: dict[str, Floats]) -> Floats:
    """A cost per unit of exposure at both ends, of one kind of care, in one cell."""
    years = int(given.get("years", np.ones(1))[0])
    plan = GrowthPlan(np.array([2000, 2000 + years]), 2000, {2000: 1.0, 2000 + years: 1.0}, np.ones(1), {"all": []})

    def ends(value: Floats) -> dict[str, Floats]:
        total = np.broadcast_to(value.sum(), (2, 1, 1, 1))
        return {"total": total, "parts": total[..., None], "exposure": np.ones_like(total), "persons": total}

    grown: Floats = route.per * plan.growth(ends(given["end"]), ends(given["start"]))["nominal"][1]
    return grown
