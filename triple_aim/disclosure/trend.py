"""The five-point trend of published rows: what a reader of the mart could compute.

Not here: the test (``stats.trend``). It runs on the published values, so that no trend reveals a hidden year.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.definitions import Spec
from triple_aim.stats.estimate import Estimate
from triple_aim.stats.trend import POINTS, Direction, Progress, progress, recent_trend
from triple_aim.vocabulary import Trend

Columns = Mapping[str, Any]
SERIES = ["source", "region_type", "region_code", "sex", "age_group", "segment_type", "segment"]
NOT_TESTED: Trend = "not_tested"
NEUTRAL_LABELS: dict[int, Trend] = {
    Direction.NO_SIGNIFICANT_CHANGE: "no_demonstrable_change",
    Direction.CANNOT_BE_CALCULATED: NOT_TESTED,
}


def trends(rows: Columns, spec: Spec) -> NDArray[np.object_]:
    """Return the trend into each row's period; not tested without five consecutive years with a value and limits."""
    period = np.asarray(rows["period"])
    labels = np.full(len(period), NOT_TESTED, dtype=object)
    if not (spec.compare and spec.compare.trend) or not len(period):
        return labels
    first, last = int(period.min()), int(period.max())
    if last - first + 1 < POINTS:
        return labels
    series = pd.MultiIndex.from_arrays([rows[name] for name in SERIES]).factorize()[0]
    year = period - first
    windows = []
    for name in ("value", "lower", "upper"):
        dense = np.full((series.max() + 1, last - first + 1), np.nan)
        dense[series, year] = np.asarray(rows[name], dtype=float)
        windows.append(np.lib.stride_tricks.sliding_window_view(dense, POINTS, axis=1))
    directions = recent_trend(Estimate(*windows), period_length=1, step=1, level=spec.compute[0].level).direction
    has_window = year >= POINTS - 1
    labels[has_window] = _labels(directions, spec)[series[has_window], year[has_window] - POINTS + 1]
    return labels


def _labels(directions: NDArray[np.int8], spec: Spec) -> NDArray[np.object_]:
    """Return improving or worsening where the indicator says which way is better, else rising or falling."""
    if spec.polarity == "no_judgement":
        words = {**NEUTRAL_LABELS, Direction.INCREASING: "rising", Direction.DECREASING: "falling"}
    else:
        directions = progress(directions, spec.polarity)
        words = {**NEUTRAL_LABELS, Progress.GETTING_BETTER: "improving", Progress.GETTING_WORSE: "worsening"}
    labels: NDArray[np.object_] = np.vectorize(lambda verdict: words[verdict], otypes=[object])(directions)
    return labels
