"""The published rules of a release: reads ``protection.json``.

Not here: what is printed (``printed``), or what a reader derives from both (``feasible``).

The file is one JSON object::

    {
      "sources": {
        "claims": {"mode": "cell_key", "persons": 10, "cases": 10, "extracts": ["claims"]},
        "claims_equity": {"mode": "cell_key", "persons": 10, "cases": 10, "part_of": "claims"}
      },
      "count_change": {"variance": 3, "largest": 6},
      "magnitude_noise": {"share": 0.1, "bound": 1.732, "adds_up": true},
      "digits": {"numerator": 0, "denominator": 0, "value": null, "limits": null},
      "reconciliation": {"rows": 10, "euros": 1000, "row_digits": 3, "euro_digits": 2, "least": 10},
      "indicators": {
        "polypharmacy_65_plus": {
          "claims": {
            "method": "proportion", "interval": "wilson", "level": 0.95, "per": 100, "pool": 1,
            "numerator": "polypharmacy_count", "numerator_kind": "persons",
            "denominator": "senior_count", "denominator_kind": "persons",
            "where": {"age_band": {"from": 65}}, "segments": null, "digits": {"value": 1, "limits": 1}
          }
        }
      },
      "aliases": [{"column": "jeugdwet_client_count", "same_as": "youth_care_client_count"}],
      "identities": [{"total": "emergency_visit_count",
                      "parts": ["emergency_visit_admitted_count", "emergency_visit_not_admitted_count"]}],
      "unions": [{"total": "municipal_care_client_count", "parts": ["wmo_client_count", "jeugdwet_client_count"]}],
      "zeros": [{"column": "jeugdwet_client_count", "ages": {"from": 25, "below": 200}}]
    }

* ``mode``: ``cell_key``, ``suppress``, ``thresholds_only`` or ``as_delivered``. Only ``cell_key`` changes numbers.
* ``persons``, ``cases``: a row is shown only if it has at least as many, as a true number.
* ``family`` (the source if left out): sources of one family count the same persons, so that equal columns are equal.
* ``part_of`` (none if left out): the family whose persons include those of this source, without a group of which
  the source says nothing. That group is then a cell that nobody prints.
* ``extracts`` (none if left out): the inputs of a source; two releases with equal inputs have equal true numbers.
* ``kind``: ``persons`` (whole numbers of persons), ``events`` (one person may count more than once), ``exposure``
  (years of those persons), ``magnitude`` (euros, days, doses), ``public`` (known to everyone), ``none`` (not a sum of
  persons, so it is in no sum). A column of kind ``none`` may be null.
  A numerator that no other number adds up with, such as one that is completed or weighted, has the kind ``none``; one
  that adds sums of two sources has a name of its own, whose segments are ``aliases`` of columns where they are equal.
* ``digits``: decimals of what is printed; null means as computed. Those of an indicator replace the general ones.
* ``magnitude_noise``: the noise of an amount is at most ``share * bound`` times the root of the sum of the squares of
  the amounts of its persons. If it ``adds_up``, sums of printed amounts are printed amounts, and a reader who subtracts
  gets the amount of a withheld cell with the noise of that cell. An event changes as its persons do, and by the noise
  of an amount from ``variance / share**2`` persons on.
* ``reconciliation``: row counts and euros of the marts ``reconciliation`` and ``checks`` are multiples of these;
  0 means as counted. They have as many significant digits as ``row_digits`` and ``euro_digits``, all if left out.
  Counts from 1 to below ``least`` (1 if left out), and their euros, are empty.
* ``aliases``, ``identities``, ``unions`` and ``zeros`` are public facts about columns. An object may have a ``source``;
  without it the fact holds for every source. A total of a union is at least each part and at most their sum.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triple_aim.errors import ProjectError

FILE = "protection.json"
MODES = ("cell_key", "suppress", "thresholds_only", "as_delivered")
KINDS = ("persons", "events", "exposure", "magnitude", "public", "none")
#: Methods whose value is ``per`` times the numerator divided by the denominator.
QUOTIENTS = ("crude_rate", "proportion", "ratio", "mean")
NO_AGE = (0, 200)


@dataclass(frozen=True)
class SourceRules:
    """How one source is protected."""

    mode: str
    persons: float
    cases: float
    family: str
    part_of: str | None = None
    extracts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """Which sums are in the columns numerator and denominator of one indicator from one source."""

    method: str
    numerator: str | None
    denominator: str | None
    numerator_kind: str
    denominator_kind: str
    per: float = 1.0
    ages: tuple[int, int] = NO_AGE
    filter: str = ""  # any filter other than one on age, as text
    pool: int = 1
    segments: str | None = None
    interval: str | None = None
    level: float = 0.95  # of the limits
    digits: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """A public fact: a total and its parts, or a column that is zero at some ages."""

    column: str
    parts: tuple[str, ...]
    source: str | None
    ages: tuple[int, int] = NO_AGE


@dataclass(frozen=True)
class Rules:
    """Everything that a release says about its protection."""

    sources: Mapping[str, SourceRules]
    largest_change: float
    magnitude_noise: float  # the largest noise of an amount, in roots of its sum of squares; below 1
    row_base: float
    euro_base: float
    row_digits: int | None
    euro_digits: int | None
    row_least: float  # smaller counts of rows are not printed
    count_variance: float  # of the change of a count of persons
    magnitudes_add_up: bool
    events_limit: float  # events of fewer persons change by the table of changes of persons
    routes: Mapping[tuple[str, str], Route]  # by indicator and source
    aliases: tuple[Fact, ...] = ()
    identities: tuple[Fact, ...] = ()
    unions: tuple[Fact, ...] = ()
    zeros: tuple[Fact, ...] = ()

    def facts(self, facts: Iterable[Fact], family: str) -> list[Fact]:
        """The facts that hold for a family of sources, with the names under which equal columns are one column."""
        sources = [name for name, source in self.sources.items() if source.family == family]
        return [
            Fact(
                self.canonical(fact.column, source),
                tuple(self.canonical(name, source) for name in fact.parts),
                fact.source,
                fact.ages,
            )
            for fact in facts
            for source in (sources[:1] if fact.source is None else [name for name in sources if name == fact.source])
        ]

    def canonical(self, column: str, source: str) -> str:
        """The name under which equal columns are one column."""
        for alias in self.aliases:
            if alias.column == column and alias.source in (None, source):
                return alias.parts[0]
        return column


def read_rules(release: Path) -> Rules:
    """Read the rules of a release.

    Raises
    ------
    ProjectError
        If the file is missing or is not as described above.
    """
    path = release / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _rules(content)
    except OSError as error:
        raise ProjectError(
            "the release does not state its rules of protection", str(path), "publish it with this version"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProjectError(
            f"the rules of protection cannot be read: {type(error).__name__} {error}",
            str(path),
            "triple_aim/audit/rules.py describes the file",
        ) from error


def _rules(content: Mapping[str, Any]) -> Rules:
    digits = content.get("digits", {})
    tables, noise = content.get("reconciliation", {}), content.get("magnitude_noise", {})
    share, variance = float(noise.get("share", 0)), float(content.get("count_change", {}).get("variance", 0))
    sources = {name: _source(name, rules) for name, rules in content["sources"].items()}
    return Rules(
        sources=sources,
        largest_change=float(content.get("count_change", {}).get("largest", 0)),
        magnitude_noise=min(0.5, share * float(noise.get("bound", 0))),
        row_base=float(tables.get("rows", 0)),
        euro_base=float(tables.get("euros", 0)),
        row_digits=tables.get("row_digits"),
        euro_digits=tables.get("euro_digits"),
        row_least=float(tables.get("least", 1)),
        count_variance=variance,
        magnitudes_add_up=bool(noise.get("adds_up", False)),
        events_limit=variance / share**2 if share else float("inf"),
        routes={
            (indicator, source): _route(route, digits)
            for indicator, by_source in content["indicators"].items()
            for source, route in by_source.items()
        },
        aliases=tuple(_facts(content, "aliases", "column", "same_as")),
        identities=tuple(_facts(content, "identities", "total", "parts")),
        unions=tuple(_facts(content, "unions", "total", "parts")),
        zeros=tuple(_facts(content, "zeros", "column", None)),
    )


def _source(name: str, rules: Mapping[str, Any]) -> SourceRules:
    if rules["mode"] not in MODES:
        raise ValueError(f"the mode of {name} is none of {', '.join(MODES)}")
    return SourceRules(
        mode=rules["mode"],
        persons=float(rules["persons"]),
        cases=float(rules["cases"]),
        family=rules.get("family") or name,
        part_of=rules.get("part_of"),
        extracts=tuple(rules.get("extracts", ())),
    )


def _route(route: Mapping[str, Any], digits: Mapping[str, int | None]) -> Route:
    kinds = {role: route.get(f"{role}_kind") or "none" for role in ("numerator", "denominator")}
    if unknown := set(kinds.values()) - set(KINDS):
        raise ValueError(f"the kind {', '.join(unknown)} is none of {', '.join(KINDS)}")
    filters = dict(route.get("where") or {})
    ages = filters.pop("age_band", None)
    return Route(
        method=route["method"],
        numerator=route.get("numerator"),
        denominator=route.get("denominator"),
        numerator_kind=kinds["numerator"],
        denominator_kind=kinds["denominator"],
        per=float(route.get("per", 1)),
        ages=_ages(ages),
        filter=json.dumps(filters, sort_keys=True) if filters else "",
        pool=int(route.get("pool") or 1),
        segments=route.get("segments"),
        interval=route.get("interval"),
        level=float(route.get("level", 0.95)),
        digits={**digits, **route.get("digits", {})},
    )


def _facts(content: Mapping[str, Any], name: str, column: str, parts: str | None) -> Iterator[Fact]:
    for fact in content.get(name, []):
        named = fact[parts] if parts else ()
        columns = (named,) if isinstance(named, str) else tuple(named)
        yield Fact(fact[column], columns, fact.get("source"), _ages(fact.get("ages")))


def _ages(ages: Mapping[str, int] | None) -> tuple[int, int]:
    return (int(ages.get("from", 0)), int(ages.get("below", 200))) if ages else NO_AGE
