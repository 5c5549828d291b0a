"""The five-point trend of published rows: what a reader of the mart could work out from it.

Not here: the test (``stats.trend``). It runs after the gate, on what is shown, so that no trend tells of a hidden year.
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
SAME: dict[int, Trend] = {
    Direction.NO_SIGNIFICANT_CHANGE: "no_demonstrable_change",
    Direction.CANNOT_BE_CALCULATED: NOT_TESTED,
}


def trends(rows: Columns, spec: Spec) -> NDArray[np.object_]:
    """The trend into each row's period; not tested without five consecutive years that have a value and limits."""
    period = np.asarray(rows["period"])
    told = np.full(len(period), NOT_TESTED, dtype=object)
    if not (spec.compare and spec.compare.trend) or not len(period):
        return told
    first, last = int(period.min()), int(period.max())
    if last - first + 1 < POINTS:
        return told
    series = pd.MultiIndex.from_arrays([rows[name] for name in SERIES]).factorize()[0]
    when = period - first
    windows = []
    for name in ("value", "lower", "upper"):
        dense = np.full((series.max() + 1, last - first + 1), np.nan)
        dense[series, when] = np.asarray(rows[name], dtype=float)
        windows.append(np.lib.stride_tricks.sliding_window_view(dense, POINTS, axis=1))
    found = recent_trend(Estimate(*windows), period_length=1, step=1, level=spec.compute[0].level).direction
    late = when >= POINTS - 1
    told[late] = _words(found, spec)[series[late], when[late] - POINTS + 1]
    return told


def _words(found: NDArray[np.int8], spec: Spec) -> NDArray[np.object_]:
    """Better or worse where the indicator says which way is better, else up or down."""
    judged = spec.polarity != "no_judgement"
    words = {**SAME, Direction.INCREASING: "rising", Direction.DECREASING: "falling"}
    if judged:
        found = progress(found, spec.polarity)
        words = {**SAME, Progress.GETTING_BETTER: "improving", Progress.GETTING_WORSE: "worsening"}
    told: NDArray[np.object_] = np.vectorize(lambda verdict: words[verdict], otypes=[object])(found)
    return told
