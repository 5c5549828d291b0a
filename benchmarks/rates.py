"""Measures standardised rates and life expectancies with intervals; prints one line per method.

Run ``python benchmarks/rates.py``. The deaths are synthetic, by 19 age bands and sex, with a fixed seed; one core.
"""

import time
from collections.abc import Callable

import numpy as np

from triple_aim.stats.inequality import slope_index
from triple_aim.stats.life_table import life_expectancy
from triple_aim.stats.standardise import directly_standardised_rate

STRATA, BANDS, GROUPS = 38, 19, 5
REPEATS = 5


def seconds(work: Callable[[], object]) -> float:
    """The fastest of several runs, which other work on the machine delays least."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    rng = np.random.default_rng(38)
    person_years = rng.uniform(10, 2000, (100_000, STRATA))
    deaths = rng.poisson(person_years * 0.005)
    weight = rng.integers(1000, 7000, STRATA)
    ages = np.arange(0, 5 * BANDS, 5)
    lived, died = person_years[:10_000, :BANDS], deaths[:10_000, :BANDS] + 1
    value, people = rng.uniform(0.1, 0.3, (400, GROUPS)), rng.uniform(100, 900, (400, GROUPS))
    for label, work in (
        ("100,000 directly standardised rates", lambda: directly_standardised_rate(deaths, person_years, weight)),
        (
            "100,000 of dependent events",
            lambda: directly_standardised_rate(deaths, person_years, weight, event_sumsq=deaths),
        ),
        ("10,000 life expectancies", lambda: life_expectancy(died, lived, ages)),
        ("400 slope indices by simulation", lambda: slope_index(value, value / 100, people)),
    ):
        print(f"{label:<38} {seconds(work):.3f} s")
