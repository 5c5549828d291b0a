"""Closed word lists that contracts, specs and marts share.

Not here: external code lists such as ICD-10, care kinds and municipalities (``reference/``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

Aim = Literal["health", "quality", "cost"]
Polarity = Literal["higher_is_better", "lower_is_better", "no_judgement"]
Population = Literal["residents", "insured", "gp_list", "respondents"]
Status = Literal["published", "suppressed", "not_computed", "provisional", "not_delivered"]
Severity = Literal["warning", "critical"]
Privacy = Literal["none", "pseudonym", "quasi_identifier", "sensitive"]
Role = Literal["key", "dimension", "measure", "attribute"]
ColumnType = Literal["text", "code", "integer", "decimal", "number", "date"]
Method = Literal[
    "crude_rate",
    "proportion",
    "mean",
    "ratio",
    "directly_standardised_rate",
    "directly_standardised_mean",
    "indirectly_standardised_ratio",
    "survey_proportion",
    "survey_mean",
    "survey_gap",
    "life_expectancy",
    "healthy_life_expectancy",
    "slope_index",
    "relative_index",
    "concentration_index",
    "gini",
    "systematic_variation",
    "growth",
    "decomposition",
    "as_published",
]
Trend = Literal["improving", "worsening", "rising", "falling", "no_demonstrable_change", "not_tested"]

#: Every status that a row of a mart may have.
STATUSES: tuple[Status, ...] = get_args(Status)
#: The statuses of rows whose numbers are published.
SHOWN: tuple[Status, ...] = ("published", "provisional")

#: The ends of the names of columns that count persons.
PERSON_COUNTS = ("_person_count", "_client_count", "_death_count")

#: The label of the total in every dimension of a mart.
ALL = "all"

#: The interval methods that each method allows; the first is the default.
INTERVALS: dict[str, tuple[str, ...]] = {
    "crude_rate": ("byar",),
    "proportion": ("wilson",),
    "mean": ("student_t",),
    "ratio": ("none", "delta"),
    "directly_standardised_rate": ("dobson", "dobson_dependent", "dobson_binomial", "gamma"),
    "directly_standardised_mean": ("none", "delta"),
    "indirectly_standardised_ratio": ("byar", "none", "delta"),
    "survey_proportion": ("linearisation_logit",),
    "survey_mean": ("linearisation_t",),
    "survey_gap": ("linearisation_t",),
    "life_expectancy": ("silcocks",),
    "healthy_life_expectancy": ("sullivan",),
    "slope_index": ("simulation",),
    "relative_index": ("simulation",),
    "concentration_index": ("kakwani",),
    "gini": ("none",),
    "systematic_variation": ("none",),
    "growth": ("none", "student_t"),
    "decomposition": ("none",),
    "as_published": ("none",),
}


@dataclass(frozen=True)
class MethodTraits:
    """What a method needs in addition to its sums. No trait has a default, so that each method says all of them."""

    counts_cases: bool  # the numerator is a count of persons or events, which the disclosure gate checks
    standard: Literal["none", "possible", "needed"]  # a standard population
    #: What becomes of the strata of sex and age on the plain route, that of one cube: they are added up, weighted by
    #: the standard, or compared with the rates of the country. Methods with a route of their own say ``own``.
    strata: Literal["added", "weighted", "expected", "own"]


TRAITS: dict[Method, MethodTraits] = {
    "crude_rate": MethodTraits(True, "none", "added"),
    "proportion": MethodTraits(True, "none", "added"),
    "mean": MethodTraits(False, "none", "added"),
    "ratio": MethodTraits(False, "none", "added"),
    "directly_standardised_rate": MethodTraits(True, "needed", "weighted"),
    "directly_standardised_mean": MethodTraits(False, "needed", "weighted"),
    "indirectly_standardised_ratio": MethodTraits(True, "none", "expected"),
    "survey_proportion": MethodTraits(False, "possible", "own"),
    "survey_mean": MethodTraits(False, "none", "own"),
    "survey_gap": MethodTraits(False, "none", "own"),
    "life_expectancy": MethodTraits(False, "none", "own"),
    "healthy_life_expectancy": MethodTraits(False, "none", "own"),
    "slope_index": MethodTraits(False, "possible", "own"),
    "relative_index": MethodTraits(False, "possible", "own"),
    "concentration_index": MethodTraits(False, "none", "own"),
    "gini": MethodTraits(False, "none", "own"),
    "systematic_variation": MethodTraits(True, "none", "own"),
    "growth": MethodTraits(False, "none", "own"),
    "decomposition": MethodTraits(False, "none", "own"),
    "as_published": MethodTraits(False, "none", "own"),
}

#: Published age groups, each a union of five-year bands: label, first age, first age above the group.
AGE_GROUPS: tuple[tuple[str, int, int], ...] = (
    ("00-19", 0, 20),
    ("20-44", 20, 45),
    ("45-64", 45, 65),
    ("65-74", 65, 75),
    ("75-84", 75, 85),
    ("85+", 85, 200),
)


def part(total: str, axis: str | None, member: str) -> str:
    """The name of a part of a sum: ``amount_eur[care_kind=dental]``; the total has the name of the sum."""
    return total if axis is None or member == ALL else f"{total}[{axis}={member}]"


def squares_of(column: str, columns: Collection[str]) -> str | None:
    """The column with the sum of squares per person of a column or part, or None; a count of persons has none.

    The count of the persons behind a ``_sum`` has none either: ``lost_count`` next to ``lost_sum``.

    >>> names = ["amount_eur", "amount_eur_sumsq", "visit_count", "visit_sumsq", "visit_person_count"]
    >>> squares_of("amount_eur", names), squares_of("visit_count", names), squares_of("visit_person_count", names)
    ('amount_eur_sumsq', 'visit_sumsq', None)
    >>> squares_of("amount_eur[law=wmo]", ["amount_eur_sumsq[law=wmo]"])
    'amount_eur_sumsq[law=wmo]'
    """
    name, bracket, member = column.partition("[")
    counted = name.removesuffix("_count")
    if name.endswith(PERSON_COUNTS) or (counted != name and f"{counted}_sum{bracket}{member}" in columns):
        return None
    stem = name if name.endswith("_eur") else counted.removesuffix("_sum")
    squares = f"{stem}_sumsq{bracket}{member}"
    return squares if squares in columns else None


def contributors_of(column: str, columns: Collection[str]) -> str | None:
    """The column with the number of persons behind events or a sum, or None; euros, days and doses need none.

    >>> names = ["visit_count", "visit_sumsq", "visit_person_count", "lost_sum", "lost_sumsq", "lost_count"]
    >>> contributors_of("visit_count", names), contributors_of("lost_sum", names), contributors_of("lost_count", names)
    ('visit_person_count', 'lost_count', None)
    """
    name, bracket, member = column.partition("[")
    end = next((end for end in ("_count", "_sum") if name.endswith(end)), None)
    if end is None or name.endswith(PERSON_COUNTS) or squares_of(column, columns) is None:
        return None
    ends = (*PERSON_COUNTS, "_count") if end == "_sum" else PERSON_COUNTS
    named = (f"{name.removesuffix(end)}{other}{bracket}{member}" for other in ends)
    return next((other for other in named if other in columns), None)


def age_bounds(band: str) -> tuple[int, int]:
    """The first age in a band and the first age above it: ``"65-69"`` is (65, 70), ``"90+"`` is (90, 200)."""
    if band.endswith("+"):
        return int(band[:-1]), 200
    low, _, high = band.partition("-")
    return int(low), int(high) + 1


def age_group(band: str) -> str:
    """The published group that contains a band; a band that fits in no group (18-64) is returned unchanged."""
    low, high = age_bounds(band)
    return next((name for name, start, stop in AGE_GROUPS if start <= low and high <= stop), band)
