"""What the audit reports: one finding is a door that is open, with the first cell behind it.

Not here: finding it (``doors``, ``tables``). A finding never holds a true value, an end of an interval or a printed
number, only a width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, pdtr

#: The feasible interval of a withheld or small count is at least this wide.
NARROW = 5.0
#: The feasible interval of an amount reaches at least this share of its upper end below and above its middle.
SHARE = 0.1

#: Fewer narrow intervals by chance than are found have this probability.
SURPRISE = 0.01
#: An interval that is narrower than this is no chance: it says what the count is.
KNOWN = 1.0

DOORS = (
    "one_release",
    "related_indicators",
    "reasons",
    "comparators",
    "limits",
    "fractions",
    "tables",
    "magnitudes",
    "two_releases",
)


def expected_by_chance(cells: int, variance: float, largest: float) -> int:
    """The number of cells whose intervals may be narrow by chance.

    A withheld count is at least 0, and a total less its other part, plus twice the largest change, is its upper bound.
    The bound of an empty cell is below ``NARROW`` if the two changes, of variance ``2 * variance``, differ by more than
    ``2 * largest - NARROW``. That is the most probable case: of a count that is not empty they must differ by more. The
    number is what so many empty cells exceed with a probability of ``SURPRISE``.
    """
    if not (cells and variance and 2 * largest > NARROW):
        return 0
    # Changes are whole numbers, so half a unit is added.
    chance = float(ndtr(-(2 * largest - NARROW + 0.5) / (2 * variance) ** 0.5))
    expected = cells * chance
    numbers = np.arange(int(expected + 10 * (1 + expected**0.5)))
    return int(np.argmax(pdtr(numbers, expected) >= 1 - SURPRISE))


@dataclass(frozen=True)
class Finding:
    """One open door: what a reader learns, and about which cell, or the first of ``count`` cells."""

    door: str
    what: str
    indicator: str
    region_type: str
    region_code: str
    period: int
    persons: str = ""  # sex, ages and segment, if not everyone
    width: float | None = None
    count: int = 1
    may_be_chance: bool = False  # large opposite changes can leave such an interval


@dataclass(frozen=True)
class Report:
    """Everything that the audit found."""

    releases: tuple[str, ...]
    findings: tuple[Finding, ...]
    examined: int  # withheld or small cells
    programs: int  # linear programs solved
    contradictions: int  # connected parts whose numbers contradict each other, so that sums were left out
    by_chance: int = 0  # so many narrow intervals are no surprise

    @property
    def is_safe(self) -> bool:
        """Whether no door is open: narrow intervals that may be chance open one if there are too many of them."""
        certain = any(not finding.may_be_chance for finding in self.findings)
        return not certain and len(self.findings) <= self.by_chance

    def by_door(self) -> dict[str, int]:
        """The number of cells behind each door."""
        counts = dict.fromkeys(DOORS, 0)
        for finding in self.findings:
            counts[finding.door] += finding.count
        return counts
