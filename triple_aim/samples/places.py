"""Where the invented people live and how time is counted.

Not here: what happens to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[Any]

YEARS = (2021, 2022, 2023)
ORIGIN = np.datetime64("2021-01-01")  # day 0 of everything below
HORIZON = 1095  # the first day after the last year
DELIVERED = HORIZON + 90  # 31 March 2024: the day on which every delivery was made
NEVER = 100_000

#: Code, share of the population, how much older than average, and what is regionally different: cost, acute
#: admissions, use of the social domain, deaths, poor health in the survey.
PLACES = pd.DataFrame(
    [
        ("GM0664", 0.09, 0.15, 1.00, 1.0, 1.0, 1.00, 0.00),
        ("GM0687", 0.10, 0.15, 1.00, 1.0, 1.0, 1.00, 0.00),
        ("GM0718", 0.09, 0.20, 1.03, 1.2, 1.4, 1.15, 0.10),
        ("GM1695", 0.04, 0.40, 0.95, 1.0, 0.8, 0.95, -0.03),
        ("GM0715", 0.11, 0.25, 1.00, 1.0, 1.0, 1.05, 0.02),
        ("GM0748", 0.13, 0.05, 1.20, 1.4, 1.1, 1.08, 0.05),
        ("GM0879", 0.05, 0.00, 1.28, 1.1, 0.7, 1.00, -0.02),
        ("GM1674", 0.14, 0.05, 1.25, 1.5, 1.3, 1.10, 0.08),
        ("GM0758", 0.18, -0.15, 1.02, 1.0, 1.0, 0.97, -0.02),
        ("GM1959", 0.07, 0.00, 0.95, 0.9, 0.7, 0.95, -0.04),
    ],
    columns=["code", "share", "older", "cost", "acute", "social", "deaths", "poor_health"],
)
BANDS = np.array([f"{age:02d}-{age + 4:02d}" for age in range(0, 90, 5)] + ["90+"])
#: Thousands by five-year band, the Netherlands in 2021.
RESIDENTS = np.array(
    [858, 900, 954, 1032, 1107, 1133, 1126, 1054, 1033, 1132] + [1286, 1263, 1138, 1004, 971, 644, 449, 258, 132],
    dtype=float,
)


def age_shares() -> Array:
    """Share of the population by place and age band."""
    middle = np.arange(len(BANDS)) * 5 + 2.5
    weight = RESIDENTS * np.exp(PLACES["older"].to_numpy()[:, None] * (middle - 42) / 40)
    shares: Array = weight / weight.sum(axis=1, keepdims=True) * PLACES["share"].to_numpy()[:, None]
    return shares


def drawn_cells(rng: Generator, shares: Array, count: int) -> tuple[Array, Array]:
    cell = rng.choice(shares.size, count, p=shares.ravel() / shares.sum())
    return np.divmod(cell, shares.shape[1])


def age_in_band(rng: Generator, band: Array) -> Array:
    return band * 5 + rng.integers(0, 5, len(band))


#: Gompertz, a straight line on a log scale, near enough to the Dutch life table above 30: deaths a person-year at 0 and
#: how they grow with age; men and women beside the mean.
DEATHS_AT_BIRTH, DEATHS_BY_AGE = 2.5e-5, 0.094
DEATHS_BY_SEX = {"M": 1.15, "F": 0.88}


def death_rate(age: Array, sex: Array) -> Array:
    return np.minimum(DEATHS_AT_BIRTH * np.exp(DEATHS_BY_AGE * age), 0.5) * np.where(
        sex == 1, DEATHS_BY_SEX["F"], DEATHS_BY_SEX["M"]
    )


def by_age(age: Array, rates: Iterable[float]) -> Array:
    return np.array(tuple(rates))[np.digitize(age, (18, 65, 80))]


def pseudonyms(rng: Generator, count: int) -> Array:
    return np.array([f"{number:016x}" for number in rng.integers(2**60, 2**63, count)])


def labels(letter: str, year: int, numbers: Array) -> Array:
    return np.array([f"{letter}{year}{number:07d}" for number in numbers])


def year_days(year: int) -> tuple[int, int]:
    """First day of a year and first day after it, counted from ORIGIN."""
    return tuple(int((np.datetime64(f"{y}-01-01") - ORIGIN).astype(int)) for y in (year, year + 1))  # type: ignore[return-value]


def dates(days: Any) -> pd.Series[Any]:
    """Dates of day numbers; NEVER and whatever lies beyond becomes an empty date."""
    numbers = np.asarray(days)
    dates = ORIGIN + np.where(numbers >= NEVER, 0, numbers).astype("timedelta64[D]")
    return pd.Series(dates.astype("datetime64[s]")).where(numbers < NEVER)
