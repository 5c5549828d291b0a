"""The rules of protection as readers get them: the file ``protection.json`` of a release.

Not here: the rules at work (``protect``), the secret. A reader needs the rules to judge a number, and the audit to
attack it; the protection does not depend on hiding them.
"""

from __future__ import annotations

import json
from typing import Any

from triple_aim.cubes import column_roles
from triple_aim.definitions import AgeRange, Compute, Programme, Spec

FILE = "protection.json"
#: How the audit names the kinds of column.
KINDS = {"follows": "exposure"}
#: The noise of a magnitude is uniform, and this many standard deviations wide on either side.
BOUND = 3**0.5


def protection_file(programme: Programme) -> dict[str, bytes]:
    """Return the file with the rules, by its name; ``triple_aim.audit.rules`` describes its content."""
    publication = programme.publication
    changes = programme.tables.changes
    content = {
        "sources": {cube: _source(programme, cube) for cube in programme.cubes},
        "count_change": {"variance": round(changes.variance, 6), "largest": changes.max_change},
        "magnitude_noise": {"share": publication.noise.share, "bound": BOUND},
        "digits": {"numerator": 0, "denominator": 0, "value": None, "limits": None},
        "reconciliation": {"rows": publication.rounding.rows, "euros": publication.rounding.euros},
        "indicators": {
            spec.id: {cube: _route(programme, spec, cube, route) for cube, route in spec.route_of.items()}
            for spec in programme.specs.values()
        },
        "aliases": [
            {"source": fact.source, "column": fact.column, "same_as": fact.parts[0]}
            for fact in publication.public_facts.aliases
        ],
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
    return {
        "mode": threshold.mode,
        "persons": threshold.persons,
        "cases": threshold.cases,
        "family": "claims" if "care_years" in " ".join(query.reads) else cube,
        "extracts": sorted(programme.extracts_of(query)),
    }


def _route(programme: Programme, spec: Spec, cube: str, route: Compute) -> dict[str, Any]:
    """Return the sums of one route, and the decimals of what is printed."""
    roles = column_roles(programme.cubes[cube], programme.sums_of(cube))
    is_sum = not route.is_sampled and route.method != "as_published"

    def kind(column: str | None) -> str:
        if not column or not is_sum:
            return "none"
        # A total is of the same kind as its parts.
        member = next((name for name in roles.columns if column != name and route.uses_as(column, name)), column)
        found = roles.kind(column if column in roles.columns else member)
        return KINDS.get(found, found)

    return {
        "method": route.method,
        "interval": route.interval_method,
        "level": route.level,
        "per": route.per,
        "pool": route.pool,
        "numerator": route.numerator if is_sum else None,
        "numerator_kind": kind(route.numerator),
        "denominator": route.denominator if is_sum else None,
        "denominator_kind": kind(route.denominator),
        "where": {name: _filter(wanted) for name, wanted in route.where.items()},
        "segments": route.segments,
        "digits": {"value": spec.decimals + 1, "limits": spec.decimals + 1},
    }


def _filter(wanted: AgeRange | list[str]) -> dict[str, int] | list[str]:
    return wanted if isinstance(wanted, list) else {"from": wanted.from_, "below": wanted.below}
