"""The dispensings of a year: medicines for long use every few months, antibiotics and short courses in between.

Not here: who takes what for long (``conditions``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.lines import happenings, lines_of
from triple_aim.samples.places import Array, by_age, year_days

SUPPLY = 110  # days between two dispensings of a medicine for long use
PRICE = 75
#: Courses a year at ages 0-17, 18-64, 65-79 and 80+; medicines with their shares; daily doses of a course.
COURSES = (
    ((0.28, 0.31, 0.52, 0.70), {"J01CA04": 0.45, "J01AA02": 0.20, "J01XE01": 0.20, "J01CR02": 0.15}, (5, 7, 10, 14)),
    ((0.00, 0.03, 0.06, 0.08), {"N05CD07": 0.45, "N05BA04": 0.35, "N05CF02": 0.20}, (5, 10, 15)),
)


def dispensings(rng: Generator, members: pd.DataFrame, regimens: pd.DataFrame, year: int) -> list[pd.DataFrame]:
    """Lines of the pharmacy for the members of a year."""
    return [_regular(rng, members, regimens, year), *(_courses(rng, members, *course) for course in COURSES)]


def _regular(rng: Generator, members: pd.DataFrame, regimens: pd.DataFrame, year: int) -> pd.DataFrame:
    opens, closes = year_days(year)
    rows = pd.Series(np.arange(len(members)), index=members["person"])
    taken = regimens[regimens["person"].isin(rows.index)]
    who = rows[taken["person"]].to_numpy()
    # All medicines of a person are fetched together, on days that run on from year to year.
    phase = members["person"].to_numpy()[who] * 37 % SUPPLY
    day = (opens + (phase - opens) % SUPPLY)[:, None] + SUPPLY * np.arange((closes - opens) // SUPPLY + 1)
    first, last = (members[name].to_numpy()[who, None] for name in ("first", "last"))
    fetched = (day >= first) & (day < last) & (rng.random(day.shape) < 0.97)
    regimen, _ = np.nonzero(fetched)
    lines = lines_of(rng, members, who[regimen], "pharmacy", "RX", PRICE)
    lines["day"] = day[fetched]
    lines["atc_code"] = taken["atc_code"].to_numpy()[regimen]
    lines["ddd"] = SUPPLY * taken["dose"].to_numpy()[regimen]
    return lines


def _courses(
    rng: Generator, members: pd.DataFrame, rates: tuple[float, ...], medicines: dict[str, float], doses: tuple[int, ...]
) -> pd.DataFrame:
    risk: Array = (0.5 + 0.5 * members["frailty"].to_numpy()) * members["exposure"].to_numpy()
    lines = happenings(rng, members, by_age(members["age"].to_numpy(), rates) * risk, "pharmacy", "RX", PRICE / 2)
    lines["atc_code"] = rng.choice(list(medicines), len(lines), p=list(medicines.values()))
    lines["ddd"] = rng.choice(doses, len(lines)).astype(float)
    return lines
