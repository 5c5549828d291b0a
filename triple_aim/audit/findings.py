"""What the audit reports: one finding is a door that is open, with the first cell behind it.

Not here: finding it (``doors``, ``tables``). A finding never holds a true value, an end of an interval or a printed
number, only a width.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The feasible interval of a withheld or small count is at least this wide.
NARROW = 5.0
#: The feasible interval of an amount reaches at least this share of its upper end below and above its middle.
SHARE = 0.1

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


@dataclass(frozen=True)
class Report:
    """Everything that the audit found."""

    releases: tuple[str, ...]
    findings: tuple[Finding, ...]
    examined: int  # withheld or small cells
    programs: int  # linear programs solved
    contradictions: int  # connected parts whose numbers contradict each other, so that sums were left out

    @property
    def is_safe(self) -> bool:
        """Whether no door is open."""
        return not self.findings

    def by_door(self) -> dict[str, int]:
        """The number of cells behind each door."""
        counts = dict.fromkeys(DOORS, 0)
        for finding in self.findings:
            counts[finding.door] += finding.count
        return counts
