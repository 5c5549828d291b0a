"""How long do directly standardised rates with intervals take? Prints one line per number of cells.

Run: ``python benchmarks/rates.py``. Synthetic counts over 38 strata (19 age bands by sex), seed fixed.
"""

import time

import numpy as np

from triple_aim.stats.standardise import directly_standardised_rate

STRATA = 38
REPEATS = 5


def seconds(cells: int) -> float:
    """Give the fastest of a few runs: the others measure what else the machine was doing."""
    rng = np.random.default_rng(38)
    person_years = rng.uniform(10, 2000, (cells, STRATA))
    count = rng.poisson(person_years * 0.005)
    weight = rng.integers(1000, 7000, STRATA)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        directly_standardised_rate(count, person_years, weight, per=100_000)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    for cells in (20_000, 100_000):
        print(f"{cells:>7} rates x {STRATA} strata: {seconds(cells):.3f} s")
