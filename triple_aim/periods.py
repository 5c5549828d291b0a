"""Labels of time: a period is a calendar year, and a choice of periods is ``2018``, ``2018..2020`` or ``2018,2020``.

Not here: dates inside a period; those are arithmetic of SQL.
"""

from __future__ import annotations

import datetime
import re

from triple_aim.errors import ProjectError

FIRST_PERIOD = 2006  # the Health Insurance Act (Zvw) starts here


def parse_periods(text: str) -> list[int]:
    """``"2018..2020"`` → [2018, 2019, 2020]."""
    years: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})(?:\.\.(\d{4}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not FIRST_PERIOD <= first <= last <= datetime.date.today().year + 1:
            raise ProjectError(
                f"“{text}” is not a choice of periods",
                "--period",
                f"write a year from {FIRST_PERIOD} on, as 2018, 2018..2020 or 2018,2020",
            )
        years.update(range(first, last + 1))
    return sorted(years)


def runs_of(years: list[int]) -> list[tuple[int, int]]:
    """Consecutive stretches: [2018, 2019, 2021] → [(2018, 2019), (2021, 2021)]."""
    stretches: list[tuple[int, int]] = []
    for year in sorted(set(years)):
        if stretches and stretches[-1][1] == year - 1:
            stretches[-1] = (stretches[-1][0], year)
        else:
            stretches.append((year, year))
    return stretches
