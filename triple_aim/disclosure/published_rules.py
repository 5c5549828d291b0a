"""The rules of protection as readers get them: the file ``protection.json`` of a release.

Not here: the rules at work (``protect``), the secret. A reader needs the rules to judge a number, and the audit to
attack it; the protection does not depend on hiding them.
"""

from __future__ import annotations

import json
from typing import Any

from triple_aim.cubes import column_roles
from triple_aim.definitions import AgeRange, Compute, Programme, Spec
from triple_aim.disclosure.ledger import EURO_DIGITS, LEAST_COUNT, ROW_DIGITS

FILE = "protection.json"
#: How the audit names the kinds of column.
KINDS = {"follows": "exposure"}
#: The noise of a magnitude is uniform, and this many standard deviations wide on either side.
BOUND = 3**0.5
#: The persons of these sources are those of another one, less a group of which the source says nothing.
PART_OF = {"claims_equity": "claims"}
#: Methods that print other sums than those of a region in a year: of several years, or of classes of cost.
NO_SUM = {"as_published", "decomposition", "gini", "growth"}


def protection_file(programme: Programme) -> dict[str, bytes]:
    """Return the file with the rules, by its name; ``triple_aim.audit.rules`` describes its content."""
    publication = programme.publication
    changes = programme.tables.changes
    content = {
        "sources": {cube: _source(programme, cube) for cube in programme.cubes},
        "count_change": {"variance": round(changes.variance, 6), "largest": changes.max_change},
        "magnitude_noise": {"share": publication.noise.share, "bound": BOUND, "adds_up": True},
        "digits": {"numerator": 0, "denominator": 0, "value": None, "limits": None},
        "reconciliation": {
            "rows": publication.rounding.rows,
            "euros": publication.rounding.euros,
            "row_digits": ROW_DIGITS,
            "euro_digits": EURO_DIGITS,
            "least": LEAST_COUNT,
        },
        "indicators": {
            spec.id: {cube: _route(programme, spec, cube, route) for cube, route in spec.route_of.items()}
            for spec in programme.specs.values()
        },
        "aliases": [
            {"source": fact.source, "column": fact.column, "same_as": fact.parts[0]}
            for fact in publication.public_facts.aliases
        ]
        + _aliases_of_parts(programme),
        "identities": [
            {"source": fact.source, "total": fact.column, "parts": fact.parts}
            for fact in publication.public_facts.identities
        ],
        "unions": [
            {"source": fact.source, "total": fact.column, "parts": fact.parts}
            for fact in publication.public_facts.unions
        ],
        "zeros": [
            {"source": fact.source, "column": fact.column, "ages": {"from": fact.below, "below": 200}}
            for fact in publication.public_facts.zeros
        ],
    }
    return {FILE: json.dumps(content, indent=1, sort_keys=True).encode()}


def _source(programme: Programme, cube: str) -> dict[str, Any]:
    threshold = programme.publication.threshold(cube)
    query = programme.cubes[cube]
    is_claims = "care_years" in " ".join(query.reads)
    content: dict[str, Any] = {
        "mode": threshold.mode,
        "persons": threshold.persons,
        "cases": threshold.cases,
        "family": "claims" if is_claims and cube not in PART_OF else cube,
        "extracts": sorted(programme.extracts_of(query)),
    }
    return {**content, "part_of": PART_OF[cube]} if cube in PART_OF else content


def _aliases_of_parts(programme: Programme) -> list[dict[str, str]]:
    """Return the names of parts that are columns of their own, also under the names of added sums."""
    aliases = [
        {"source": cube, "column": name, "same_as": column}
        for cube, query in programme.cubes.items()
        for name, column in query.parts
        if not name.partition("[")[0].endswith("_sumsq")
    ]
    added = {
        (cube, route.numerator, _numerator(route))
        for spec in programme.specs.values()
        for cube, route in spec.route_of.items()
        if route.add
    }
    return aliases + [
        {**alias, "column": alias["column"].replace(name, total, 1)}
        for cube, name, total in sorted(added)
        for alias in aliases
        if alias["source"] == cube and alias["column"].startswith(f"{name}[")
    ]


def _numerator(route: Compute) -> str:
    """Return the name of the sum that a route prints: with sums of other cubes it is another sum."""
    return "+".join([route.numerator, *(addend.segment for addend in route.add)])


def _route(programme: Programme, spec: Spec, cube: str, route: Compute) -> dict[str, Any]:
    """Return the sums of one route, and the decimals of what is printed."""
    roles = column_roles(programme.cubes[cube], programme.sums_of(cube))
    is_sum = not route.is_sampled and route.method not in NO_SUM

    def kind(column: str | None) -> str:
        if not column or not is_sum:
            return "none"
        # A total is of the same kind as its parts.
        member = next((name for name in roles.columns if column != name and route.uses_as(column, name)), column)
        if column.partition("[")[0].endswith("_eur"):  # open data has no squares
            return "magnitude"
        found = roles.kind(column if column in roles.columns else member)
        return KINDS.get(found, found)

    return {
        "method": route.method,
        "interval": route.interval_method,
        "level": route.level,
        "per": route.per,
        "pool": route.pool,
        "numerator": _numerator(route) if is_sum else None,
        # An incomplete year is completed by a factor, so it is not the sum of the other indicators.
        "numerator_kind": "none" if route.completion else kind(route.numerator),
        "denominator": route.denominator if is_sum else None,
        "denominator_kind": kind(route.denominator),
        "where": {name: _filter(wanted) for name, wanted in route.where.items()},
        "segments": route.segments,
        "digits": {"value": spec.decimals + 1, "limits": spec.decimals + 1},
    }


def _filter(wanted: AgeRange | list[str]) -> dict[str, int] | list[str]:
    return wanted if isinstance(wanted, list) else {"from": wanted.from_, "below": wanted.below}
