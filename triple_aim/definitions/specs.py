"""Models of ``indicator_specs/<aim>/<indicator>.yaml``, and the combinations of fields that they refuse.

Not here: reading the files (``spec_files``), or computing (``triple_aim.indicators``). A spec contains no SQL: it
names columns of a cube and one of the methods.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from triple_aim.definitions.contracts import Name, Sum
from triple_aim.definitions.shared_texts import NamedBreak, NamedCaution, NamedSource
from triple_aim.definitions.yaml_reader import Bilingual, Content
from triple_aim.vocabulary import INTERVALS, TRAITS, Aim, Method, Polarity, Population, Severity

GROUPED = frozenset({"slope_index", "relative_index", "concentration_index", "gini", "survey_gap"})
#: Endings of the names of columns whose cells add up.
ADDITIVE = ("_count", "_sum", "_eur", "_years")


class AgeRange(Content):
    """Ages from ``from`` up to, but not including, ``below``."""

    from_: int = Field(0, alias="from")
    below: int = 200

    def __str__(self) -> str:
        return f"from {self.from_} to under {self.below}"


class Interval(Content):
    method: str
    level: float = Field(0.95, gt=0.5, lt=1)


class Addend(Content):
    """Sums of another cube, with their own denominator, that are added to the numerator.

    In each municipality they are grossed up from their own denominator to that of the route, because an insurer
    delivers only part of the residents.
    """

    cube: Name
    numerator: Name
    denominator: Name
    segment: Name  # its label in the breakdown by segment


class Growth(Content):
    """The comparison with earlier periods; ``trend`` fits a line to the logarithms of the last years."""

    over: Literal["previous_period", "since_base", "trend"]
    base: int | None = None
    years: int | None = Field(None, ge=3)
    deflator: Name
    standard: Name
    breaks: Name

    @model_validator(mode="after")
    def _has_base_and_years(self) -> Growth:
        if (self.over == "since_base") != (self.base is not None):
            raise ValueError("base is for since_base only, and is required there")
        if (self.over == "trend") != (self.years is not None):
            raise ValueError("years is for trend only, and is required there")
        return self


class Healthy(Content):
    """The share in good health for a healthy life expectancy: an item of a survey cube."""

    cube: Name
    item: Name


class CodeList(Content):
    """The version of a list of ``reference/codes`` with which the indicator was defined."""

    list: Name
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Compute(Content):
    """One route from a cube to values; several cubes are sources of the same sums."""

    method: Method
    cubes: list[Name] = Field(min_length=1)
    segments: Name | None = None  # the axis that splits the numerator into segments; they add up to the total
    numerator: Sum
    denominator: Sum | None = None
    sumsq: Sum | None = None  # Σx² over persons, if the cube has it; x may be the number of events of a person
    persons: Name | None = (
        None  # the number of persons behind a cell, for the disclosure gate; the denominator if left out
    )
    cases_from: Sum | None = None  # the count that the gate checks if the numerator is in euros
    add: list[Addend] = []
    where: dict[Name, AgeRange | list[str]] = {}
    standard: Name | None = None
    per: float = Field(1, gt=0)
    interval: Interval | None = None
    growth: Growth | None = None
    pool: int = Field(1, ge=1, le=10)  # the number of periods added up; the last one is the period of the value
    at: int | None = Field(None, ge=0)  # the age of a life expectancy
    healthy: Healthy | None = None
    groups: Name | None = None  # an axis of the cube whose groups are compared, the worst off first
    strata: list[Name] = []  # axes of the cube that are strata in addition to sex and age
    factors: dict[Name, Sum] = {}  # sums between denominator and numerator, in that order, by name
    correction: Literal["erreygers", "wagstaff"] | None = None  # for a concentration index of a bounded quantity
    completion: Name | None = None  # the run-off cube with the factors that complete a year

    @property
    def only(self) -> str:
        """The filter of ``where`` as text."""
        texts = {name: ", ".join(wanted) if isinstance(wanted, list) else wanted for name, wanted in self.where.items()}
        return "; ".join(f"{name}: {wanted}" for name, wanted in texts.items())

    @model_validator(mode="after")
    def _fits_the_method(self) -> Compute:
        if self.interval and self.interval.method not in INTERVALS[self.method]:
            allowed = " or ".join(INTERVALS[self.method])
            raise ValueError(f"the interval of {self.method} is {allowed}, not {self.interval.method}")
        standard = TRAITS[self.method].standard
        if standard == "needed" and self.standard is None:
            raise ValueError(f"{self.method} needs a standard")
        if self.standard and standard == "none":
            raise ValueError(f"{self.method} uses no standard")
        for name, methods in {
            "growth": {"growth"},
            "groups": GROUPED,
            "at": {"life_expectancy", "healthy_life_expectancy"},
            "healthy": {"healthy_life_expectancy"},
        }.items():
            if (getattr(self, name) is not None) != (self.method in methods):
                raise ValueError(f"{name} is for {' and '.join(sorted(methods))} only, and is required there")
        for name, method in {"factors": "decomposition", "correction": "concentration_index"}.items():
            if getattr(self, name) and self.method != method:
                raise ValueError(f"{name} is for {method} only")
        if self.method == "decomposition" and self.segments is None:
            raise ValueError("decomposition needs segments")
        if self.strata and self.method != "indirectly_standardised_ratio":
            raise ValueError("strata in addition to sex and age are for indirect standardisation only")
        if self.denominator is None and self.method != "as_published" and not self.is_sampled:
            raise ValueError(f"{self.method} needs a denominator")
        if self.interval_method == "delta" and not (self.sumsq and self.persons):
            raise ValueError("a delta interval needs sumsq and persons")
        if self.interval_method == "dobson_dependent" and not (self.sumsq and self.cases_from):
            raise ValueError("dobson_dependent needs sumsq, and cases_from for the number of persons")
        return self

    @model_validator(mode="after")
    def _is_additive(self) -> Compute:
        if self.method == "as_published" or self.is_sampled:
            return self
        for column in (self.numerator, self.denominator, *self.factors.values()):
            if column and not column.partition("[")[0].endswith(ADDITIVE):
                raise ValueError(f"{column} is not a sum: its cells do not add up")
        if self.segments and self.numerator.endswith("_person_count"):
            raise ValueError(
                f"{self.numerator} counts a person in several segments, so the segments do not add up to a total"
            )
        return self

    def columns(self, available: Iterable[str]) -> list[str]:
        """The sums among ``available`` that the route reads, with their parts."""
        fields = (self.numerator, self.denominator, self.sumsq, self.persons, self.cases_from)
        named = [name for name in (*fields, *self.factors.values()) if name]
        return [column for column in available if any(self.uses_as(name, column) for name in named)]

    def uses_as(self, name: str, column: str) -> bool:
        """Whether a column is the sum ``name``, or a part of it by the segments of the route."""
        return column == name or (self.segments is not None and column.startswith(f"{name}[{self.segments}="))

    @property
    def is_sampled(self) -> bool:
        return self.method.startswith("survey")

    @property
    def interval_method(self) -> str:
        return self.interval.method if self.interval else INTERVALS[self.method][0]

    @property
    def level(self) -> float:
        return self.interval.level if self.interval else 0.95

    @property
    def cases(self) -> bool:
        """Whether the numerator counts persons or events, so that a small numerator is itself a disclosure risk."""
        return TRAITS[self.method].counts_cases and self.interval_method != "none"


class Compare(Content):
    """The comparator, which never includes the region itself."""

    to: Literal["rest_of_nl"]
    method: Literal["interval_overlap"]
    trend: Literal["five_point_wls"] | None = None


class Expectation(Content):
    min: float | None = None
    max: float | None = None
    severity: Severity = "warning"


class Expect(Content):
    range: Expectation
    coverage: Expectation
    change: Expectation | None = None


class Origin(Content):
    framework: str


class Reviewed(Content):
    on: datetime.date
    next: datetime.date


class Example(Content):
    """Numbers that a reader can check by hand; a test computes them with the production code."""

    given: dict[str, list[float]]
    value: float


class Spec(Content):
    """One indicator."""

    id: Name
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    aim: Aim
    domain: str
    title: Bilingual
    meaning: Bilingual
    why: Bilingual | None = None
    origin: list[Origin] = Field(min_length=1)
    measures: list[Annotated[str, Field(pattern=r"^TA[0-9]{2}$")]] = []  # of reference/menu/measures.csv
    codes: list[CodeList] = []
    unit: Bilingual
    decimals: int = Field(ge=0, le=4)
    polarity: Polarity
    population: Population
    compute: list[Compute] = Field(min_length=1)
    levels: list[Name] = Field(min_length=1)
    breakdowns: list[Name] = []
    compare: Compare | None = None
    disclosure: Annotated[dict[Literal["threshold"], int], Field(default_factory=dict)]
    expect: Expect
    breaks: list[NamedBreak] = []
    cautions: list[NamedCaution] = []
    sources: list[NamedSource] = Field(min_length=1)
    owner: str
    reviewed: Reviewed
    example: Example

    @model_validator(mode="after")
    def _consistent(self) -> Spec:
        cubes = [cube for route in self.compute for cube in route.cubes]
        if len(cubes) != len(set(cubes)):
            raise ValueError("a cube may be in one route of an indicator only")
        segments = {route.segments for route in self.compute} - {None}
        if unknown := set(self.breakdowns) - {"sex", "age_group"} - segments:
            raise ValueError(f"no route has the breakdown {', '.join(sorted(unknown))}")
        if self.compare and self.population == "respondents" and not self.compute[0].is_sampled:
            raise ValueError("published percentages cannot be compared with the rest: there are no sums to subtract")
        if self.compare and self.compare.trend and any(route.pool > 1 for route in self.compute):
            raise ValueError("a trend on pooled periods would compare periods that overlap")
        return self

    @cached_property
    def route_of(self) -> dict[str, Compute]:
        return {cube: route for route in self.compute for cube in route.cubes}
