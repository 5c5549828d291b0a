"""The parameters of an invented nation and of the queries that generate it.

Not here: the queries (``model``) or running them (``generator``).
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from triple_aim.errors import ProjectError
from triple_aim.synthetic.surveys import BY_GGD, wave_of

FIRST_YEAR, LAST_YEAR = 2013, 2099  # the reference has costs from the first year on
MUNICIPALITIES = 342
FEWEST = 100  # persons
ENTRANTS = 0.025  # births and arrivals per year, as a share of the persons in the first year
#: Gompertz mortality (linear on a log scale), close to the Dutch life table above age 30: deaths per person-year at age
#: 0, their growth with age, and factors of men and women. Infant deaths are per live birth.
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
    """Size, places, years and planted defects; defects are shares of services, ``bad_rows`` a share of other rows."""

    persons: int  # in the first year; births and arrivals are added later
    years: tuple[int, ...] = (2023,)
    municipalities: int = MUNICIPALITIES  # the largest ones; 0: the sample places, which differ on purpose
    seed: int = 20230101
    insured_share: float = 1.0  # of the residents; their insurers deliver
    lines: float = 33.0  # claim lines per insured year
    rare: float = 1.0  # factor on infarctions, strokes and amputations
    delivered: str = ""  # day of delivery; later bookings are not delivered
    respondents: int = 100  # maximum per survey, municipality and age group
    unknown_person: float = 0.01
    other_year: float = 0.0001
    bad_lines: float = 0.001
    corrected: float = 0.005
    bad_rows: float = 0.0005

    def __post_init__(self) -> None:
        is_valid = {
            "persons": self.persons >= FEWEST,
            "years": [*self.years] == sorted({*self.years} & {*range(FIRST_YEAR, LAST_YEAR)}) != [],
            "municipalities": 0 <= self.municipalities <= MUNICIPALITIES,
            "lines": 0 < self.lines < math.inf,
            "delivered": re.fullmatch(r"(\d{4}-\d\d-\d\d)?", self.delivered) is not None,
        }
        if wrong := [name for name, valid in is_valid.items() if not valid]:
            raise ProjectError(
                f"no nation can be generated with these {', '.join(wrong)}",
                "arguments of the invented nation",
                f"use {FEWEST} persons or more, ordered years from {FIRST_YEAR} on, at most {MUNICIPALITIES} "
                "municipalities, more than 0 lines, and a day of delivery such as 2024-05-01",
            )

    def values(self, year: int) -> dict[str, Any]:
        """The parameters of the queries of a year."""
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
        """The given day; by default 1 May after the last year, or a year later if there is only one.

        With several years the last one is incomplete, and the earlier ones show its run-off.
        """
        return self.delivered or f"{max(self.years) + (2 if len(self.years) == 1 else 1)}-05-01"

    def person_count(self, year: int) -> int:
        """The number of persons up to the end of a year, including those who left or died."""
        return self.persons + (year - min(self.years)) * self.entrants

    def counted_share(self) -> float:
        """The share of euros that remains without unknown persons, defects and corrected amounts."""
        # Of the corrected services 10 % lose half their euros and 45 % all of them.
        lost = self.corrected * (0.1 * 0.5 + 0.45)
        return (1 - self.unknown_person - self.other_year - self.bad_lines) * (1 - lost)
