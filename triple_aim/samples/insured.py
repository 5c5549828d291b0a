"""The insured: how well off they are, who comes, moves, interrupts the insurance, leaves or dies.

Not here: what ails them (``conditions``) or the care they use (``care``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.places import (
    DELIVERED,
    HORIZON,
    NEVER,
    PLACES,
    YEARS,
    Array,
    age_in_band,
    age_shares,
    dates,
    death_rate,
    drawn_cells,
    pseudonyms,
    year_days,
)

#: Frailty and death rate by socio-economic fifth, lowest first, against the average.
FRAILTY = np.array([1.10, 1.04, 1.00, 0.96, 0.90])
DEATHS = np.array([1.15, 1.05, 0.95, 0.85, 0.75])
LEAVING = 0.008  # a year, to another insurer


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
    fifth = _drawn_fifths(rng, place)
    dies = rng.exponential(1 / (death_rate(age + 1, sex) * DEATHS[fifth]))
    leaves = rng.exponential(1 / LEAVING, count)
    end = np.maximum(start, 0) + 1 + (np.minimum(dies, leaves) * 365).astype(int)
    # What happens after the delivery is not known in it.
    end = np.where(end > DELIVERED, NEVER, end)
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
            "end": end,
            "died": (dies < leaves) & (end < NEVER),
            "split": np.where(kind == 0, NEVER, split),
            "resume": split + np.array([0, 0, 40, -20])[kind],
            "place": place,
            "second_place": np.where(moved, rng.choice(len(PLACES), count, p=PLACES["share"]), place),
            "fifth": fifth,
            "fifth_known": rng.random(count) < 0.985,
            "frailty": rng.gamma(1.2, 1 / 1.2, count) * FRAILTY[fifth],
            "practice": rng.integers(0, 4, count),
        }
    )


def _drawn_fifths(rng: Generator, place: Array) -> Array:
    """Socio-economic fifth 0 to 4, tilted to the lower ones where health is poor."""
    share = np.exp(-5 * PLACES["poor_health"].to_numpy()[:, None] * (np.arange(5) - 2))
    upto = np.cumsum(share / share.sum(axis=1, keepdims=True), axis=1)
    fifth: Array = (rng.random(len(place))[:, None] > upto[place, :-1]).sum(axis=1)
    return fifth


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
            "ses_quintile": (spans["fifth"] + 1).astype(str).where(spans["fifth_known"]),
            # The day of death is the last insured one.
            "death_date": dates(np.where(spans["died"], spans["end"] - 1, NEVER)),
        }
    )
    defects = delivered.head(7).copy()
    defects["person_key"] = [f"{number:016x}" for number in range(7)]
    defects.loc[:2, "valid_to"] = pd.Timestamp("1999-12-31")
    defects.loc[3:4, "sex"] = "9"
    defects.loc[5:6, "municipality_code"] = "GM9999"
    return pd.concat([delivered, defects], ignore_index=True)
