"""The insured: who comes, moves, interrupts the insurance, leaves or dies.

Not here: the care they use (``care``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.places import (
    HORIZON,
    NEVER,
    PLACES,
    YEARS,
    age_in_band,
    age_shares,
    dates,
    death_rate,
    drawn_cells,
    pseudonyms,
    year_days,
)


def drawn_people(rng: Generator, count: int) -> pd.DataFrame:
    """Insured persons with the days on which they come, go and change their enrolment."""
    newborn, arriving = int(count * 0.03), int(count * 0.04)
    stayers = count - newborn - arriving
    place, band = drawn_cells(rng, age_shares(), count)
    age = age_in_band(rng, band)
    age[stayers : stayers + newborn] = 0
    start = np.concatenate([rng.integers(-5400, -300, stayers), rng.integers(0, HORIZON, newborn + arriving)])
    # Age is that of 31 December of the year in which the person comes into view.
    seen = YEARS[0] + np.maximum(start, 0) // 365
    sex = rng.integers(0, 2, count)
    years_left = rng.exponential(1 / (death_rate(age + 1, sex) + 0.008))
    end = np.maximum(start, 0) + 1 + (years_left * 365).astype(int)
    # A second span begins where the first ends, after a gap, or while the first still runs.
    kind = rng.choice(4, count, p=[0.87, 0.12, 0.006, 0.004])
    moved = kind == 1
    split = rng.integers(30, HORIZON - 90, count)
    kind[(split <= np.maximum(start, 0) + 30) | (split >= end - 90)] = 0
    moved &= kind == 1
    return pd.DataFrame(
        {
            "person_key": pseudonyms(rng, count),
            "sex": sex,
            "birth_year": seen - age,
            "start": start,
            "end": np.where(end > HORIZON, NEVER, end),
            "split": np.where(kind == 0, NEVER, split),
            "resume": split + np.array([0, 0, 40, -20])[kind],
            "place": place,
            "second_place": np.where(moved, rng.choice(len(PLACES), count, p=PLACES["share"]), place),
            "frailty": rng.gamma(1.2, 1 / 1.2, count),
            "practice": rng.integers(0, 4, count),
        }
    )


def insured_spans(people: pd.DataFrame, year: int) -> pd.DataFrame:
    """The spans that touch a year, and seven rows that break a rule."""
    first = people.assign(valid_to=people[["split", "end"]].min(axis=1), at=people["place"])
    second = people[people["split"] < NEVER].assign(valid_to=lambda p: p["end"], at=lambda p: p["second_place"])
    second["start"] = second["resume"]
    spans = pd.concat([first, second]).sort_values(["person_key", "start"], kind="stable", ignore_index=True)
    opens, closes = year_days(year)
    spans = spans[(spans["start"] < closes) & (spans["valid_to"] > opens)].reset_index(drop=True)
    delivered = pd.DataFrame(
        {
            "person_key": spans["person_key"],
            "valid_from": dates(spans["start"]),
            "valid_to": dates(spans["valid_to"]),
            "birth_year": spans["birth_year"],
            "sex": np.where(spans["sex"] == 1, "F", "M"),
            "municipality_code": PLACES["code"].to_numpy()[spans["at"]],
        }
    )
    defects = delivered.head(7).copy()
    defects["person_key"] = [f"{number:016x}" for number in range(7)]
    defects.loc[:2, "valid_to"] = pd.Timestamp("1999-12-31")
    defects.loc[3:4, "sex"] = "9"
    defects.loc[5:6, "municipality_code"] = "GM9999"
    return pd.concat([delivered, defects], ignore_index=True)
