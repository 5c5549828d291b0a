"""Does a spec fit the rest of the content: cubes and their columns, standards, price indices, code lists, thresholds?

Not here: what a spec may say by itself (``specs``), or whether its worked example comes out
(``triple_aim.indicators``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from triple_aim.definitions.code_lists import CodeFile, loose_pins
from triple_aim.definitions.contracts import Publication
from triple_aim.definitions.specs import Compute, Spec
from triple_aim.definitions.standards import Tables
from triple_aim.warehouse import Query

Place = tuple[int | str, ...]
Misfit = tuple[Place, str, str]  # where in the YAML, what, how to mend
#: Respondents and answers, Σ y, Σ w, Σ w y, Σ w², Σ w² y and Σ w² y²; y is a score, or 1 for yes and 0 for no.
SURVEY_SUMS = frozenset(
    {
        "respondent_count",
        "answer_count",
        "answer_sum",
        "weight_sum",
        "weighted_answer_sum",
        "weight_sumsq",
        "weighted_answer_cross_sum",
        "weighted_answer_sumsq",
    }
)


@dataclass(frozen=True)
class Surroundings:
    """What a spec is held against."""

    cubes: Mapping[str, Query]
    sums: Mapping[str, Sequence[str]]  # of each cube, the names of its columns and of their parts
    publication: Publication
    tables: Tables
    codes: Mapping[str, CodeFile]
    measures: Set[str]  # ids of the menu


def misfits(spec: Spec, around: Surroundings) -> Iterator[Misfit]:
    """What does not fit, the gravest first."""
    used: set[str] = set()
    for number, route in enumerate(spec.compute):
        here = ("compute", number)
        for cube in route.cubes:
            if cube not in around.cubes:
                yield (*here, "cubes"), f"there is no cube {cube}", f"choose from {', '.join(sorted(around.cubes))}"
                return
            query, sums = around.cubes[cube], around.sums[cube]
            used |= set(route.columns(sums))
            yield from _columns(route, query, sums, here)
            yield from _thresholds(spec, route, query, sums, around.publication, here)
        yield from _samples(route, here)
        yield from _others(route, around, here)
    for what, how in loose_pins(spec, used, around.codes):
        yield ("codes",), what, how
    if unknown := sorted(set(spec.measures) - around.measures):
        yield ("measures",), f"the menu has no measure {', '.join(unknown)}", "see reference/menu/measures.csv"


def _columns(route: Compute, query: Query, sums: Sequence[str], here: Place) -> Iterator[Misfit]:
    if lacking := sorted(_needed(route) - set(sums)):
        name = f"cube {query.name} has no column {', '.join(lacking)}"
        yield (*here, "numerator"), name, f"add it to sql/cube/{query.name}.sql, or name another"
    if route.segments and not any(name.startswith(f"{route.numerator}[{route.segments}=") for name in sums):
        name = f"cube {query.name} has no {route.numerator} by {route.segments}"
        yield (*here, "segments"), name, "see -- parts: and -- parts of: in sql/cube"
    axes = {"where": list(route.where), "strata": route.strata, "groups": [route.groups] if route.groups else []}
    for key, names in axes.items():
        if unknown := sorted(set(names) - set(query.grain)):
            name = f"cube {query.name} has no dimension {', '.join(unknown)}"
            yield (*here, key), name, "name a column of its grain"


def _samples(route: Compute, here: Place) -> Iterator[Misfit]:
    """A share or mean of a sample is of one item, and a gap between two groups of those who answered it."""
    if not route.is_sampled:
        return
    if not isinstance(item := route.where.get("item"), list) or len(item) != 1:
        yield (*here, "where"), f"{route.method} is of one item", "name it under where: {item: [...]}"
    groups = route.where.get(route.groups) if route.groups else None
    if route.groups and (not isinstance(groups, list) or len(groups) != 2):
        what = f"a gap is between two groups of {route.groups}"
        yield (*here, "where"), what, f"name them under where: {{{route.groups}: [worst off, best off]}}"


def _thresholds(
    spec: Spec, route: Compute, query: Query, sums: Sequence[str], publication: Publication, here: Place
) -> Iterator[Misfit]:
    least = publication.threshold(query.name)
    # A misspelt column here would open the gate without a word.
    if route.cases_from and least.cases and not any(route.names(route.cases_from, name) for name in sums):
        name = f"cube {query.name} has no column {route.cases_from}"
        yield (*here, "cases_from"), name, "name whose number stands behind it"
    if spec.disclosure.get("threshold", least.persons) < least.persons:
        name = f"the threshold is below the {least.persons} that is promised for {query.name}"
        yield ("disclosure", "threshold"), name, "a spec may tighten it, never loosen it"


def _others(route: Compute, around: Surroundings, here: Place) -> Iterator[Misfit]:
    """What a route names beside its own cubes."""
    for number, addend in enumerate(route.add):
        if absent := sorted({addend.numerator, addend.denominator} - set(around.sums.get(addend.cube, ()))):
            yield (*here, "add", number), f"there is no {addend.cube}.{', '.join(absent)}", "name columns of a cube"
    if route.standard and route.standard not in around.tables.standards:
        yield (*here, "standard"), f"there is no standard {route.standard}", "add it to reference/standards"
    growth = route.growth
    if growth and (growth.deflator not in around.tables.deflators or growth.breaks not in around.tables.breaks):
        what = "growth names an unknown price index or list of breaks"
        yield (*here, "growth"), what, "see reference/prices and breaks"
    for key, cube in (("healthy", route.healthy.cube if route.healthy else None), ("completion", route.completion)):
        if cube and cube not in around.cubes:
            yield (*here, key), f"there is no cube {cube}", f"choose from {', '.join(sorted(around.cubes))}"


def _needed(route: Compute) -> set[str]:
    """Columns every cube of a route must have; a spread may be missing."""
    needed = {column for column in (route.denominator, route.persons) if column}
    if route.is_sampled:
        needed |= SURVEY_SUMS
    if route.interval_method == "dobson_dependent":
        needed.add(str(route.sumsq))
    if route.segments is None:
        needed.add(route.numerator)
    return needed
