"""What is asked of an invented nation, and what its queries may name.

Not here: the queries themselves (``model``) or who runs them (``maker``).
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from triple_aim.errors import ProjectError
from triple_aim.synthetic.surveys import BY_GGD, wave_of

FIRST_YEAR, LAST_YEAR = 2013, 2099  # costs are known from the first on
MUNICIPALITIES = 342
FEWEST = 100  # persons
ENTRANTS = 0.025  # born or arrived in a year, of the persons of the first
#: Gompertz, a straight line on a log scale, near enough to the Dutch life table above 30: deaths a person-year at 0 and
#: how they grow with age; men and women beside the mean. Infants by live birth.
DEATHS = {
    "deaths_at_birth": 2.5e-5,
    "deaths_by_age": 0.094,
    "deaths_of_men": 1.15,
    "deaths_of_women": 0.88,
    "infant_deaths": 0.0033,
    "unknown_causes": 0.02,
}


@dataclass(frozen=True)
class Nation:
    """How many people, where and when, and which defects; shares are those of services, ``bad_rows`` of other rows."""

    persons: int  # in the first year; births and arrivals come on top
    years: tuple[int, ...] = (2023,)
    municipalities: int = MUNICIPALITIES  # the largest; 0 for those of the samples, with differences put in on purpose
    seed: int = 20230101
    insured_share: float = 1.0  # of the residents, with insurers that deliver
    lines: float = 33.0  # claim lines per insured year
    rare: float = 1.0  # times as many infarctions, strokes and amputations as there are
    delivered: str = ""  # what is booked later is not in it
    respondents: int = 100  # to a survey, of each municipality and age group, if so many take part
    unknown_person: float = 0.01
    other_year: float = 0.0001
    bad_lines: float = 0.001
    corrected: float = 0.005
    bad_rows: float = 0.0005

    def __post_init__(self) -> None:
        is_right = {
            "persons": self.persons >= FEWEST,
            "years": [*self.years] == sorted({*self.years} & {*range(FIRST_YEAR, LAST_YEAR)}) != [],
            "municipalities": 0 <= self.municipalities <= MUNICIPALITIES,
            "lines": 0 < self.lines < math.inf,
            "delivered": re.fullmatch(r"(\d{4}-\d\d-\d\d)?", self.delivered) is not None,
        }
        if wrong := [name for name, right in is_right.items() if not right]:
            raise ProjectError(
                f"there can be no nation with such {', '.join(wrong)}",
                "what is asked of the invented nation",
                f"ask for {FEWEST} persons or more, years in order from {FIRST_YEAR} on, at most {MUNICIPALITIES} "
                "municipalities, some lines, and a day of delivery such as 2024-05-01",
            )

    def values(self, year: int) -> dict[str, Any]:
        """What the queries of a year may name."""
        opens, closes = (np.datetime64(f"{each}-01-01") for each in (year, year + 1))
        return {
            **asdict(self),
            **DEATHS,
            "year": year,
            "first_year": min(self.years),
            "entrants": self.entrants,
            "opens": opens.item(),
            "days": int((closes - opens).astype(int)),
            "delivered": np.datetime64(self.day_of_delivery()).item(),
            "wave": wave_of(year),
            "by_ggd": BY_GGD,
        }

    @property
    def entrants(self) -> int:
        return max(round(ENTRANTS * self.persons), 1)

    def day_of_delivery(self) -> str:
        """As asked; else the last year is still filling up, unless it stands alone and nothing tells of its run-off."""
        return self.delivered or f"{max(self.years) + (2 if len(self.years) == 1 else 1)}-05-01"

    def numbered(self, year: int) -> int:
        """How many persons were here by the end of a year."""
        return self.persons + (year - min(self.years)) * self.entrants

    def counted(self) -> float:
        """The share of euros that is left when unknown persons, defects and corrections are out."""
        # Of the corrected one in ten loses half its euros, and every second one of the others all.
        lost = self.corrected * (0.1 * 0.5 + 0.45)
        return (1 - self.unknown_person - self.other_year - self.bad_lines) * (1 - lost)
