"""Periods: calendar years, written as ``2018``, ``2018..2020`` or ``2018,2020``.

Not here: dates within a period (``sql/``).
"""

from __future__ import annotations

import datetime
import re

from triple_aim.errors import ProjectError

FIRST_PERIOD = 2006  # the first year of the Health Insurance Act (Zvw)


def parse_periods(text: str) -> list[int]:
    """``"2018..2020"`` → [2018, 2019, 2020]."""
    years: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})(?:\.\.(\d{4}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not FIRST_PERIOD <= first <= last <= datetime.date.today().year + 1:
            raise ProjectError(
                f"“{text}” is not a list of periods",
                "--period",
                f"write years from {FIRST_PERIOD} on, such as 2018, 2018..2020 or 2018,2020",
            )
        years.update(range(first, last + 1))
    return sorted(years)


def consecutive_ranges(years: list[int]) -> list[tuple[int, int]]:
    """The first and last year of each run of consecutive years: [2018, 2019, 2021] → [(2018, 2019), (2021, 2021)]."""
    ranges: list[tuple[int, int]] = []
    for year in sorted(set(years)):
        if ranges and ranges[-1][1] == year - 1:
            ranges[-1] = (ranges[-1][0], year)
        else:
            ranges.append((year, year))
    return ranges
