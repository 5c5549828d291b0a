"""What an indicator is: models of ``indicator_specs/<aim>/<indicator>.yaml``, and what may not be combined.

Not here: reading the files (``spec_files``), or computing (``triple_aim.indicators``). A spec holds no SQL: it names
columns of a cube and a method of a closed list.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from triple_aim.definitions.contracts import Name
from triple_aim.definitions.shared_texts import NamedBreak, NamedCaution, NamedSource
from triple_aim.definitions.yaml_reader import Bilingual, Content
from triple_aim.vocabulary import INTERVALS, Aim, Method, Polarity, Population, Severity

COUNTS_CASES = frozenset(
    {"crude_rate", "proportion", "directly_standardised_rate", "indirectly_standardised_ratio", "systematic_variation"}
)
GROUPED = frozenset({"slope_index", "relative_index", "concentration_index", "gini", "survey_gap"})
MAY_STANDARDISE = frozenset({"slope_index", "relative_index", "survey_proportion"})
#: What the name of a column must end in for its cells to add up.
ADDS_UP = ("_count", "_sum", "_eur", "_years")
#: A sum of a cube, or one part of it, such as amount_eur[care_kind=dental].
Sum = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}(\[[a-z][a-z0-9_]{0,62}=[a-z0-9_]{1,63}\])?$")]


class AgeRange(Content):
    """``from`` is the first age kept, ``below`` the first age no longer kept."""

    from_: int = Field(0, alias="from")
    below: int = 200

    def __str__(self) -> str:
        return f"from {self.from_} to under {self.below}"


class Interval(Content):
    method: str
    level: float = Field(0.95, gt=0.5, lt=1)


class Addend(Content):
    """Sums of another cube, over a base of its own, that are added to the numerator.

    They are grossed up per municipality from their own base to the route's: an insurer delivers part of the residents.
    """

    cube: Name
    numerator: Name
    denominator: Name
    segment: Name  # the member it becomes in the breakdown by segment


class Growth(Content):
    """How a value is compared with an earlier one; ``trend`` fits a line to the logarithms of the last years."""

    over: Literal["previous_period", "since_base", "trend"]
    base: int | None = None
    years: int | None = Field(None, ge=3)
    deflator: Name
    standard: Name
    breaks: Name

    @model_validator(mode="after")
    def _base_when_needed(self) -> Growth:
        if (self.over == "since_base") != (self.base is not None):
            raise ValueError("base goes with since_base, and only with it")
        if (self.over == "trend") != (self.years is not None):
            raise ValueError("years goes with trend, and only with it")
        return self


class Healthy(Content):
    """Whose share of good health a healthy life expectancy takes: an item of a survey cube."""

    cube: Name
    item: Name


class CodeList(Content):
    """A list of ``reference/codes`` as it was when the indicator was defined."""

    list: Name
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Compute(Content):
    """One route from a cube to values. Several cubes in one route means: the same sums from another source."""

    method: Method
    cubes: list[Name] = Field(min_length=1)
    segments: Name | None = None  # what the numerator is split by: the total is the sum of its parts, each a segment
    numerator: Sum
    denominator: Sum | None = None
    sumsq: Sum | None = None  # Σx² over persons, when a cube has it; x may be events of a person
    persons: Name | None = None  # how many persons a cell rests on, for the disclosure gate; else the denominator
    cases_from: Sum | None = None  # whose number the gate looks at when the numerator is euros
    add: list[Addend] = []
    where: dict[Name, AgeRange | list[str]] = {}
    standard: Name | None = None
    per: float = Field(1, gt=0)
    interval: Interval | None = None
    growth: Growth | None = None
    pool: int = Field(1, ge=1, le=10)  # periods added up, the last of which gives its name
    at: int | None = Field(None, ge=0)  # the age of a life expectancy
    healthy: Healthy | None = None
    groups: Name | None = None  # a further axis of the cube whose groups are compared, the worst off first
    strata: list[Name] = []  # further axes of the cube that are strata beside sex and age
    factors: dict[Name, Sum] = {}  # sums between denominator and numerator, in that order, by what they are called
    correction: Literal["erreygers", "wagstaff"] | None = None  # of a concentration index of a bounded quantity
    completion: Name | None = None  # the run-off cube whose factors make a year whole

    @property
    def only(self) -> str:
        """What is kept of the cube, in words."""
        kept = {name: ", ".join(wanted) if isinstance(wanted, list) else wanted for name, wanted in self.where.items()}
        return "; ".join(f"{name}: {wanted}" for name, wanted in kept.items())

    @model_validator(mode="after")
    def _fits_the_method(self) -> Compute:
        if self.interval and self.interval.method not in INTERVALS[self.method]:
            allowed = " or ".join(INTERVALS[self.method])
            raise ValueError(f"the interval of {self.method} is {allowed}, not {self.interval.method}")
        direct = self.method.startswith("directly")
        if direct and self.standard is None:
            raise ValueError(f"{self.method} names its standard")
        if self.standard and not direct and self.method not in MAY_STANDARDISE:
            raise ValueError(f"{self.method} has no use for a standard")
        for name, methods in {
            "growth": {"growth"},
            "groups": GROUPED,
            "at": {"life_expectancy", "healthy_life_expectancy"},
            "healthy": {"healthy_life_expectancy"},
        }.items():
            if (getattr(self, name) is not None) != (self.method in methods):
                raise ValueError(f"{name} goes with {' and '.join(sorted(methods))}, and only with it")
        for name, method in {"factors": "decomposition", "correction": "concentration_index"}.items():
            if getattr(self, name) and self.method != method:
                raise ValueError(f"{name} goes with {method}, and only with it")
        if self.method == "decomposition" and self.segments is None:
            raise ValueError("decomposition needs segments")
        if self.strata and self.method != "indirectly_standardised_ratio":
            raise ValueError("strata beside sex and age go with indirect standardisation")
        if self.denominator is None and self.method != "as_published" and not self.is_sampled:
            raise ValueError(f"{self.method} needs a denominator")
        if self.interval_method == "delta" and not (self.sumsq and self.persons):
            raise ValueError("a delta interval needs sumsq and persons")
        if self.interval_method == "dobson_dependent" and not (self.sumsq and self.cases_from):
            raise ValueError("events that are not independent need sumsq, and cases_from for the number of persons")
        return self

    @model_validator(mode="after")
    def _adds_up(self) -> Compute:
        if self.method == "as_published" or self.is_sampled:
            return self
        for column in (self.numerator, self.denominator, *self.factors.values()):
            if column and not column.partition("[")[0].endswith(ADDS_UP):
                raise ValueError(f"{column} is no sum: what does not add up over cells cannot make an indicator")
        if self.segments and self.numerator.endswith("_person_count"):
            raise ValueError(f"{self.numerator} counts a person in more than one member: its members have no total")
        return self

    def columns(self, available: Iterable[str]) -> list[str]:
        """Which of these sums of its cube the route reads, parts included."""
        one = (self.numerator, self.denominator, self.sumsq, self.persons, self.cases_from)
        named = [name for name in (*one, *self.factors.values()) if name]
        return [column for column in available if any(self.names(name, column) for name in named)]

    def names(self, name: str, column: str) -> bool:
        """Whether a column is the sum of that name, or a part of it by the segments of the route."""
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
        """Whether the numerator counts persons or events, so that a small one is a disclosure risk of its own."""
        return self.method in COUNTS_CASES and self.interval_method != "none"


class Compare(Content):
    """The comparator always leaves the region itself out."""

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
    """Numbers a reader can check by hand; it runs as a test through the same code as production."""

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
            raise ValueError("a cube may supply an indicator by one route only")
        segments = {route.segments for route in self.compute} - {None}
        if unknown := set(self.breakdowns) - {"sex", "age_group"} - segments:
            raise ValueError(f"nothing spans the breakdown {', '.join(sorted(unknown))}")
        if self.compare and self.population == "respondents" and not self.compute[0].is_sampled:
            raise ValueError("published percentages cannot be compared with the rest: there are no sums to subtract")
        if self.compare and self.compare.trend and any(route.pool > 1 for route in self.compute):
            raise ValueError("a trend on pooled periods would compare periods that overlap")
        return self

    @cached_property
    def route_of(self) -> dict[str, Compute]:
        return {cube: route for route in self.compute for cube in route.cubes}
