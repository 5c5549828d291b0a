"""Arrays of (period, region, category) → one row per element, with a status and the reason for a missing value.

Not here: the arrays (``compute``, ``methods``), the protection of rows (``triple_aim.disclosure``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.cubes import Floats
from triple_aim.definitions import Spec
from triple_aim.indicators.rollup import Breakdown, Geography, Mask
from triple_aim.stats.arguments import quotient
from triple_aim.stats.compare import Difference, interval_overlap
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL

TOO_FEW = "too few municipalities delivered"
ABSENT = "nothing was delivered"
NO_VALUE = "cannot be computed from what was delivered"
OTHERS = "compared with the other municipalities delivered"
ESTIMATES = ("value", "lower", "upper", "comparator_value", "comparator_lower", "comparator_upper")
PLACE, LABELS = ("region_type", "region_code", "region_name"), ("sex", "age_group", "segment_type", "segment")
BEHIND = ("numerator", "denominator", "persons", "cases", "rest_persons", "rest_cases", "coverage_share")
VERDICTS = ("difference", "judgement", "status", "reason", "source")
#: Additional columns of changed rows: the relative standard deviation of the noise, and Σx²/(Σx)² of the contributors.
NOISE = ("relative_noise", "concentration")
#: The columns of a table of rows and their types.
ROW_TYPES = {
    **dict.fromkeys(PLACE, "str"),
    "period": "int64",
    **dict.fromkeys(LABELS, "str"),
    **dict.fromkeys((*ESTIMATES, *BEHIND), "float64"),
    **dict.fromkeys(VERDICTS, "str"),
}
NO_ROWS = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in ROW_TYPES.items()})
#: The names of the verdicts, in the order of their codes.
DIFFERENCES = {
    Difference.NOT_COMPARED: "not_compared",
    Difference.LOWER: "lower",
    Difference.NO_DEMONSTRABLE_DIFFERENCE: "no_demonstrable_difference",
    Difference.HIGHER: "higher",
}


@dataclass(frozen=True)
class Block:
    """One breakdown or one segment: numbers as (period, region, category), with the labels of the axes.

    All blocks of a source become one frame: most blocks are small, so one frame per block would cost more than its
    numbers.
    """

    periods: NDArray[np.int64]
    place: Geography
    split: Breakdown
    segment: tuple[str, str]
    difference: NDArray[np.int8]
    numbers: dict[str, Floats]  # each broadcasts to the shape of ``difference``
    has_rows: Mask  # the periods that get rows

    @property
    def is_empty(self) -> bool:
        return not self.has_rows.any()

    @property
    def delivered(self) -> Mask:
        """The regions with a delivery in at least one period that gets rows."""
        delivered: Mask = np.any(~np.isnan(self._broadcast(self.numbers["denominator"])[self.has_rows]), axis=(0, 2))
        return delivered

    def columns(self, regions: Mask) -> dict[str, NDArray[Any]]:
        """One row per period with rows, chosen region and category; ``difference`` is the code of its verdict."""
        chosen = np.ix_(self.has_rows, regions)
        shape = (int(self.has_rows.sum()), int(regions.sum()), len(self.split.labels))
        period, region, category = (index.reshape(-1) for index in np.indices(shape))
        labels = np.array(self.split.labels, dtype=object)[category]
        total = np.full(len(labels), ALL, dtype=object)
        numbers = {name: self._broadcast(array)[chosen].reshape(-1) for name, array in self.numbers.items()}
        return {
            **{name: self.place.frame[name].to_numpy(dtype=object)[regions][region] for name in PLACE},
            "period": self.periods[self.has_rows][period],
            "sex": labels if self.split.dimension == "sex" else total,
            "age_group": labels if self.split.dimension == "age_group" else total,
            "segment_type": np.full(len(labels), "none" if self.segment[1] == ALL else self.segment[0], dtype=object),
            "segment": np.full(len(labels), self.segment[1], dtype=object),
            **{name: numbers.pop(name) for name in ESTIMATES},
            "difference": self.difference[chosen].reshape(-1),
            **numbers,
        }

    def frame(self) -> pd.DataFrame:
        """Every row, indexed by its position in the flattened arrays."""
        all_regions = np.ones(len(self.place.frame), dtype=bool)
        position = np.arange(self.difference.size).reshape(self.difference.shape)[self.has_rows].reshape(-1)
        return pd.DataFrame(self.columns(all_regions), index=position)

    def _broadcast(self, array: Floats) -> Floats:
        return np.broadcast_to(array, self.difference.shape)


def make_block(
    spec: Spec,
    periods: list[int],
    place: Geography,
    split: Breakdown,
    estimate: Estimate,
    comparator: Estimate,
    columns: Mapping[str, Floats],
    segment: tuple[str, str],
    has_rows: Mask | None = None,
) -> Block:
    """The block of an estimate as (period, region, category) and of its comparator, the rest of the country.

    ``columns`` are other arrays that broadcast to the estimate; ``has_rows`` selects the periods that get rows, by
    default all.
    """
    not_compared = np.full(estimate.value.shape, Difference.NOT_COMPARED, np.int8)
    parts = (estimate.value, estimate.lower, estimate.upper, comparator.value, comparator.lower, comparator.upper)
    return Block(
        periods=np.array(periods, dtype=np.int64),
        place=place,
        split=split,
        segment=segment,
        difference=interval_overlap(estimate, comparator) if spec.compare else not_compared,
        numbers={**dict(zip(ESTIMATES, parts, strict=True)), **columns},
        has_rows=np.ones(len(periods), dtype=bool) if has_rows is None else has_rows,
    )


def with_status(spec: Spec, source: str, blocks: Iterable[Block]) -> pd.DataFrame:
    """The rows of one source, each with a value or a reason; regions without any delivery have no rows."""
    blocks = [block for block in blocks if not block.is_empty]
    delivered = np.logical_or.reduce([block.delivered for block in blocks])
    parts = [block.columns(delivered) for block in blocks]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    reporting, municipalities = rows.pop("reporting_count"), rows.pop("municipality_count")
    absent = np.isnan(rows["denominator"]) | np.isnan(rows["numerator"])
    thin = ~absent & (rows["coverage_share"] < (spec.expect.coverage.min or 0.0))
    empty = ~absent & ~thin & np.isnan(rows["value"])
    shown = ~(absent | thin | empty)
    rows["status"] = np.select([absent, shown], ["not_delivered", "published"], "not_computed")
    partial = shown & (reporting < municipalities)
    partial_country = _partial_country(rows, reporting, municipalities)
    partial_rest = shown & ~np.isnan(rows["comparator_value"]) & partial_country
    rows["reason"] = np.select(
        [absent, thin, empty, partial & partial_rest, partial, partial_rest],
        [
            ABSENT,
            TOO_FEW,
            NO_VALUE,
            np.strings.add(remark := partial_remark(reporting, municipalities), f"; {OTHERS}"),
            remark,
            OTHERS,
        ],
        "",
    )
    # A municipality that no delivery mentions is missing too: coverage is at most the share that reported.
    rows["coverage_share"] = rows["coverage_share"] * np.minimum(quotient(reporting, municipalities), 1)
    for name in ("value", "lower", "upper"):
        rows[name] = np.where(shown, rows[name], np.nan)
    verdict = np.searchsorted(list(DIFFERENCES), rows["difference"])
    rows["difference"] = np.array(list(DIFFERENCES.values()), dtype=object)[verdict]
    rows["judgement"] = np.array(list(_judgements(spec).values()), dtype=object)[verdict]
    rows["source"] = np.full(len(verdict), source, dtype=object)
    return pd.DataFrame({name: rows[name] for name in (*ROW_TYPES, *NOISE) if name in rows})


def concatenated(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All frames as one; an empty table if there are none."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if len(filled) > 1 else next(iter(filled), NO_ROWS)


def _partial_country(rows: Mapping[str, NDArray[Any]], reporting: Floats, municipalities: Floats) -> Mask:
    """The rows of the periods in which only part of the country reported."""
    periods, position = np.unique(rows["period"], return_inverse=True)
    country = rows["region_type"] == "nl"
    most = np.full((2, len(periods)), np.nan)
    for which, count in enumerate((reporting, municipalities)):
        np.fmax.at(most[which], position[country], count[country])
    partial: Mask = (most[0] < most[1])[position]
    return partial


def _judgements(spec: Spec) -> dict[Difference, str]:
    """The judgement of each verdict, by the polarity of the indicator."""
    better = {"higher_is_better": ("better", "worse"), "lower_is_better": ("worse", "better")}.get(
        spec.polarity, ("no_judgement", "no_judgement")
    )
    return {**DIFFERENCES, Difference.HIGHER: better[0], Difference.LOWER: better[1]}


def partial_remark(reporting: Floats, municipalities: Floats) -> NDArray[np.str_]:
    """The remark on a value that covers some of the municipalities of a region."""
    some, total = (np.nan_to_num(count).round().astype(int).astype(str) for count in (reporting, municipalities))
    remark: NDArray[np.str_] = np.strings.add("rests on ", np.strings.add(some, np.strings.add(" of ", total)))
    return np.strings.add(remark, " municipalities")
