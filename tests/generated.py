"""Generated deliveries without their true values: to compute those takes more than half of the time, and few tests read
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from triple_aim.synthetic import delivery_files, samples


@contextmanager
def without_true_values() -> Iterator[None]:
    """Writes no true value of an indicator; the true sums in ``truth.parquet`` are written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery_files, "true_values", lambda truth: None)  # pandas leaves out a None
        yield


def write_samples(folder: Path, persons: int, seed: int = 20260110, years: tuple[int, ...] = samples.YEARS) -> None:
    """The deliveries of the samples; the last year has other formats than the years before it."""
    with without_true_values(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "YEARS", years)
        samples.write_samples(folder, seed, persons)
