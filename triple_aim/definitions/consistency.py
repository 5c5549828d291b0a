"""Checks a spec against the rest of the content: cubes, columns, standards, price indices, code lists, thresholds.

Not here: checks within a spec (``specs``), or of its worked example (``triple_aim.indicators``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from triple_aim.definitions.code_lists import CodeFile, pin_faults
from triple_aim.definitions.contracts import Publication
from triple_aim.definitions.specs import ADDITIVE, Compute, Spec
from triple_aim.definitions.standards import Tables
from triple_aim.warehouse import Query

Place = tuple[int | str, ...]
Fault = tuple[Place, str, str]  # where in the YAML, what is wrong, how to correct it
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
class SpecContext:
    """The content against which a spec is checked."""

    cubes: Mapping[str, Query]
    sums: Mapping[str, Sequence[str]]  # by cube: the names of its columns and of their parts
    publication: Publication
    tables: Tables
    codes: Mapping[str, CodeFile]
    measures: Set[str]  # ids of the menu


def spec_faults(spec: Spec, context: SpecContext) -> Iterator[Fault]:
    """The faults of a spec, route by route; an unknown cube ends the check, because later checks need it."""
    used: set[str] = set()
    for number, route in enumerate(spec.compute):
        place = ("compute", number)
        for cube in route.cubes:
            if cube not in context.cubes:
                yield (*place, "cubes"), f"there is no cube {cube}", f"choose from {', '.join(sorted(context.cubes))}"
                return
            query, sums = context.cubes[cube], context.sums[cube]
            used |= set(route.columns(sums))
            yield from _column_faults(route, query, sums, place)
            yield from _threshold_faults(spec, route, query, sums, context.publication, place)
        yield from _sample_faults(route, place)
        yield from _square_faults(route, place)
        yield from _other_faults(route, context, place)
    for what, how in pin_faults(spec, used, context.codes):
        yield ("codes",), what, how
    if unknown := sorted(set(spec.measures) - context.measures):
        yield ("measures",), f"the menu has no measure {', '.join(unknown)}", "see reference/menu/measures.csv"


def _column_faults(route: Compute, query: Query, sums: Sequence[str], place: Place) -> Iterator[Fault]:
    if missing := sorted(_needed_columns(route) - set(sums)):
        what = f"cube {query.name} has no column {', '.join(missing)}"
        known = sorted(name for name in sums if name.partition("[")[0] == missing[0].partition("[")[0])
        how = (
            f"choose from {', '.join(known)}" if "[" in missing[0] and known else f"add it to sql/cube/{query.name}.sql"
        )
        yield (*place, "numerator"), what, f"{how}, or name another"
    if route.segments and not any(name.startswith(f"{route.numerator}[{route.segments}=") for name in sums):
        what = f"cube {query.name} has no {route.numerator} by {route.segments}"
        yield (*place, "segments"), what, "see -- parts: and -- parts of: in sql/cube"
    axes = {"where": list(route.where), "strata": route.strata, "groups": [route.groups] if route.groups else []}
    for key, names in axes.items():
        if unknown := sorted(set(names) - set(query.grain)):
            what = f"cube {query.name} has no dimension {', '.join(unknown)}"
            yield (*place, key), what, "name a column of its grain"


def _sample_faults(route: Compute, place: Place) -> Iterator[Fault]:
    """A share or mean of a sample needs one item; a gap also needs two groups of respondents."""
    if not route.is_sampled:
        return
    if not isinstance(item := route.where.get("item"), list) or len(item) != 1:
        yield (*place, "where"), f"{route.method} needs one item", "name it under where: {item: [...]}"
    groups = route.where.get(route.groups) if route.groups else None
    if route.groups and (not isinstance(groups, list) or len(groups) != 2):
        what = f"a gap needs two groups of {route.groups}"
        yield (*place, "where"), what, f"name them under where: {{{route.groups}: [worst off, best off]}}"


def _threshold_faults(
    spec: Spec, route: Compute, query: Query, sums: Sequence[str], publication: Publication, place: Place
) -> Iterator[Fault]:
    least = publication.threshold(query.name)
    # With a misspelt column the gate would look at no count at all.
    if route.cases_from and least.cases and not any(route.uses_as(route.cases_from, name) for name in sums):
        what = f"cube {query.name} has no column {route.cases_from}"
        yield (*place, "cases_from"), what, "name the column that counts the cases"
    if _is_part_in_euros(route.numerator) and least.cases and not route.cases_from:
        what = f"{route.numerator} is euros of a part, and no count says how many persons have them"
        yield (*place, "numerator"), what, "name the count of these persons under cases_from"
    if spec.disclosure.get("threshold", least.persons) < least.persons:
        what = f"the threshold is below the {least.persons} persons of {query.name} in contracts/publication.yaml"
        yield ("disclosure", "threshold"), what, "raise it: a spec may only raise the threshold"


def _is_part_in_euros(name: str) -> bool:
    total, part, _ = name.partition("[")
    return bool(part) and total.endswith("_eur")


def _square_faults(route: Compute, place: Place) -> Iterator[Fault]:
    """A sum of squares has the name and the part of its numerator: bed_day_count has bed_day_sumsq."""
    if not route.sumsq:
        return
    total, bracket, part = route.numerator.partition("[")
    stems = {total, *(total.removesuffix(ending) for ending in ADDITIVE)}
    allowed = sorted(f"{stem}_sumsq{bracket}{part}" for stem in stems)
    if route.sumsq not in allowed:
        what = f"{route.sumsq} is not the sum of the squares of {route.numerator}"
        yield (*place, "sumsq"), what, f"name {' or '.join(allowed)}"


def _other_faults(route: Compute, context: SpecContext, place: Place) -> Iterator[Fault]:
    """Faults in what a route names outside its own cubes."""
    for number, addend in enumerate(route.add):
        if absent := sorted({addend.numerator, addend.denominator} - set(context.sums.get(addend.cube, ()))):
            yield (*place, "add", number), f"there is no {addend.cube}.{', '.join(absent)}", "name columns of a cube"
    if route.standard and route.standard not in context.tables.standards:
        yield (*place, "standard"), f"there is no standard {route.standard}", "add it to reference/standards"
    growth = route.growth
    if growth and (growth.deflator not in context.tables.deflators or growth.breaks not in context.tables.breaks):
        what = "growth names an unknown price index or list of breaks"
        yield (*place, "growth"), what, "see reference/prices and breaks"
    for key, cube in (("healthy", route.healthy.cube if route.healthy else None), ("completion", route.completion)):
        if cube and cube not in context.cubes:
            yield (*place, key), f"there is no cube {cube}", f"choose from {', '.join(sorted(context.cubes))}"


def _needed_columns(route: Compute) -> set[str]:
    """The columns that every cube of a route must have; sums of squares are optional, except for one interval."""
    needed = {column for column in (route.denominator, route.persons) if column}
    if route.is_sampled:
        needed |= SURVEY_SUMS
    if route.interval_method == "dobson_dependent":
        needed.add(str(route.sumsq))
    if route.segments is None:
        needed.add(route.numerator)
    return needed
