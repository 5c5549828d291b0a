"""What an indicator is: models of ``indicator_specs/<aim>/<indicator>.yaml``, and what may not be combined.

Not here: computing it (``indicators``). A spec holds no SQL: it names columns of a cube and a method of a closed list.
"""

from __future__ import annotations

import datetime
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from triple_aim.content import Bilingual, Content, read_model
from triple_aim.contracts import Name
from triple_aim.errors import ContentError
from triple_aim.vocabulary import INTERVALS, Aim, Method, Polarity, Population, Severity

FAMILY = re.compile(r"\{([a-z_]+)\}")
COUNTS_CASES = frozenset({"crude_rate", "proportion", "directly_standardised_rate", "indirectly_standardised_ratio"})


class AgeRange(Content):
    """``from`` is the first age kept, ``below`` the first age no longer kept."""

    from_: int = Field(0, alias="from")
    below: int = 200


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
    segment: Name  # the member it becomes in the breakdown of the family


class Growth(Content):
    """How a value is compared with an earlier one."""

    over: Literal["previous_period", "since_base"]
    base: int | None = None
    deflator: Name
    standard: Name
    breaks: Name

    @model_validator(mode="after")
    def _base_when_needed(self) -> Growth:
        if (self.over == "since_base") != (self.base is not None):
            raise ValueError("base goes with since_base, and only with it")
        return self


class Compute(Content):
    """One route from a cube to values. Several cubes in one route means: the same sums from another source."""

    method: Method
    cubes: list[Name] = Field(min_length=1)
    numerator: str  # a column, or a family such as cost_{care_kind}_eur: the total is its sum, care_kind a breakdown
    denominator: Name | None = None
    sumsq: Name | None = None  # Σx² over persons, when a cube has it
    persons: Name | None = None  # how many persons a cell rests on, for the disclosure gate; else the denominator
    cases_from: str | None = None  # whose number the gate looks at when the numerator is euros; may be a family too
    add: list[Addend] = []
    where: dict[Name, AgeRange | list[str]] = {}
    standard: Name | None = None
    per: float = Field(1, gt=0)
    interval: Interval | None = None
    growth: Growth | None = None

    @model_validator(mode="after")
    def _fits_the_method(self) -> Compute:
        if self.interval and self.interval.method not in INTERVALS[self.method]:
            allowed = " or ".join(INTERVALS[self.method])
            raise ValueError(f"the interval of {self.method} is {allowed}, not {self.interval.method}")
        if (self.standard is not None) != self.method.startswith("directly"):
            raise ValueError("direct standardisation names its standard, and only that does")
        if (self.growth is not None) != (self.method == "growth"):
            raise ValueError("growth goes with the method growth, and only with it")
        if self.denominator is None and self.method not in ("as_published", "survey_proportion"):
            raise ValueError(f"{self.method} needs a denominator")
        if self.interval_method == "delta" and not (self.sumsq and self.persons):
            raise ValueError("a delta interval needs sumsq and persons")
        return self

    @property
    def interval_method(self) -> str:
        return self.interval.method if self.interval else INTERVALS[self.method][0]

    @property
    def level(self) -> float:
        return self.interval.level if self.interval else 0.95

    @property
    def family(self) -> str | None:
        """The breakdown a family of numerator columns spans."""
        match = FAMILY.search(self.numerator)
        return match[1] if match else None

    @property
    def cases(self) -> bool:
        """Whether the numerator counts persons or events, so that a small one is a disclosure risk of its own."""
        return self.method in COUNTS_CASES and self.interval_method != "none"


class Compare(Content):
    """The comparator always leaves the region itself out."""

    to: Literal["rest_of_nl"] = "rest_of_nl"
    method: Literal["interval_overlap"] = "interval_overlap"


class Expectation(Content):
    min: float | None = None
    max: float | None = None
    severity: Severity = "warning"


class Expect(Content):
    range: Expectation
    coverage: Expectation = Expectation(min=0.5, severity="warning")
    change: Expectation | None = None


class Break(Content):
    from_: int = Field(alias="from")
    reason: Bilingual
    comparable: bool


class Origin(Content):
    framework: str


class Source(Content):
    title: str
    url: str | None = None
    accessed: datetime.date


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
    unit: Bilingual
    decimals: int = Field(1, ge=0, le=4)
    polarity: Polarity
    population: Population
    compute: list[Compute] = Field(min_length=1)
    levels: list[Name] = Field(min_length=1)
    breakdowns: list[Name] = []
    compare: Compare | None = None
    disclosure: Annotated[dict[Literal["threshold"], int], Field(default_factory=dict)]
    expect: Expect
    breaks: list[Break] = []
    cautions: list[Bilingual] = []
    sources: list[Source] = Field(min_length=1)
    owner: str
    reviewed: Reviewed
    example: Example

    @model_validator(mode="after")
    def _consistent(self) -> Spec:
        cubes = [cube for route in self.compute for cube in route.cubes]
        if len(cubes) != len(set(cubes)):
            raise ValueError("a cube may supply an indicator by one route only")
        families = {route.family for route in self.compute} - {None}
        if unknown := set(self.breakdowns) - {"sex", "age_group"} - families:
            raise ValueError(f"nothing spans the breakdown {', '.join(sorted(unknown))}")
        if self.compare and self.population == "respondents" and not self.compute[0].method.startswith("survey"):
            raise ValueError("published percentages cannot be compared with the rest: there are no sums to subtract")
        return self

    @cached_property
    def route_of(self) -> dict[str, Compute]:
        return {cube: route for route in self.compute for cube in route.cubes}


def load_specs(folder: Path) -> dict[str, Spec]:
    """Every spec by indicator id; the id is the file's name and the aim its folder's."""
    specs: dict[str, Spec] = {}
    for path in sorted(folder.glob("*/*.yaml")):
        spec = read_model(path, Spec)
        if (spec.id, spec.aim) != (path.stem, path.parent.name):
            raise ContentError(
                f"the spec calls itself {spec.aim}/{spec.id}",
                f"indicator_specs/{path.parent.name}/{path.name}",
                "give folder and aim, file and id, one name",
            )
        specs[spec.id] = spec
    return specs
