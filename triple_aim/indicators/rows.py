"""Arrays of (period, region, category) → one row each, with a status that says why a value is or is not there.

Not here: making the arrays (``compute``, ``growth``, ``survey``) or withholding rows (``disclosure``).
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
#: The columns of a table of rows, whatever made them.
KINDS = {
    **dict.fromkeys(PLACE, "str"),
    "period": "int64",
    **dict.fromkeys(LABELS, "str"),
    **dict.fromkeys((*ESTIMATES, *BEHIND), "float64"),
    **dict.fromkeys(VERDICTS, "str"),
}
NO_ROWS = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in KINDS.items()})
#: What a verdict is called, in the order of the numbers that stand for them.
DIFFERENCES = {
    Difference.NOT_COMPARED: "not_compared",
    Difference.LOWER: "lower",
    Difference.NO_DEMONSTRABLE_DIFFERENCE: "no_demonstrable_difference",
    Difference.HIGHER: "higher",
}


@dataclass(frozen=True)
class Block:
    """One breakdown, or one member of a family: numbers as (period, region, category) and what the axes are called.

    Rows are made of all blocks of a source at once: most blocks are small, and a frame each would cost more than the
    numbers in it.
    """

    periods: NDArray[np.int64]
    place: Geography
    split: Breakdown
    segment: tuple[str, str]
    difference: NDArray[np.int8]
    numbers: dict[str, Floats]  # not all broadcast yet
    told: Mask  # the periods of which there is something to say

    @property
    def is_empty(self) -> bool:
        return not self.told.any()

    @property
    def delivered(self) -> Mask:
        """The regions of which anything was delivered in a period that is told."""
        there: Mask = np.any(~np.isnan(self._whole(self.numbers["denominator"])[self.told]), axis=(0, 2))
        return there

    def columns(self, regions: Mask) -> dict[str, NDArray[Any]]:
        """The told periods of some regions, one row each; ``difference`` as the number of its verdict."""
        chosen = np.ix_(self.told, regions)
        shape = (int(self.told.sum()), int(regions.sum()), len(self.split.labels))
        period, region, category = (index.reshape(-1) for index in np.indices(shape))
        labels = np.array(self.split.labels, dtype=object)[category]
        everywhere = np.full(len(labels), ALL, dtype=object)
        numbers = {name: self._whole(array)[chosen].reshape(-1) for name, array in self.numbers.items()}
        return {
            **{name: column.to_numpy(dtype=object)[regions][region] for name, column in self.place.frame.items()},
            "period": self.periods[self.told][period],
            "sex": labels if self.split.dimension == "sex" else everywhere,
            "age_group": labels if self.split.dimension == "age_group" else everywhere,
            "segment_type": np.full(len(labels), "none" if self.segment[1] == ALL else self.segment[0], dtype=object),
            "segment": np.full(len(labels), self.segment[1], dtype=object),
            **{name: numbers.pop(name) for name in ESTIMATES},
            "difference": self.difference[chosen].reshape(-1),
            **numbers,
        }

    def frame(self) -> pd.DataFrame:
        """Every told row, with its place in the arrays as its index."""
        every = np.ones(len(self.place.frame), dtype=bool)
        at = np.arange(self.difference.size).reshape(self.difference.shape)[self.told].reshape(-1)
        return pd.DataFrame(self.columns(every), index=at)

    def _whole(self, array: Floats) -> Floats:
        return np.broadcast_to(array, self.difference.shape)


def tidy(
    spec: Spec,
    periods: list[int],
    place: Geography,
    split: Breakdown,
    made: Estimate,
    rest: Estimate,
    columns: Mapping[str, Floats],
    segment: tuple[str, str],
    told: Mask | None = None,
) -> Block:
    """An estimate of every (period, region, category) beside that of the rest of the country.

    ``columns`` are further arrays that broadcast to them; ``told`` are the periods that make rows, all unless given.
    """
    shape = made.value.shape
    parts = (made.value, made.lower, made.upper, rest.value, rest.lower, rest.upper)
    return Block(
        periods=np.array(periods, dtype=np.int64),
        place=place,
        split=split,
        segment=segment,
        difference=interval_overlap(made, rest) if spec.compare else np.full(shape, Difference.NOT_COMPARED, np.int8),
        numbers={**dict(zip(ESTIMATES, parts, strict=True)), **columns},
        told=np.ones(len(periods), dtype=bool) if told is None else told,
    )


def with_status(spec: Spec, source: str, blocks: Iterable[Block]) -> pd.DataFrame:
    """The rows of one source, each with a value or the reason why not; regions that never delivered go."""
    blocks = [block for block in blocks if not block.is_empty]
    delivered = np.logical_or.reduce([block.delivered for block in blocks])
    parts = [block.columns(delivered) for block in blocks]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    heard, listed = rows.pop("heard"), rows.pop("listed")
    absent = np.isnan(rows["denominator"]) | np.isnan(rows["numerator"])
    thin = ~absent & (rows["coverage_share"] < (spec.expect.coverage.min or 0.0))
    empty = ~absent & ~thin & np.isnan(rows["value"])
    shown = ~(absent | thin | empty)
    rows["status"] = np.select([absent, shown], ["not_delivered", "published"], "not_computed")
    partly = shown & (heard < listed)
    among = shown & ~np.isnan(rows["comparator_value"]) & _partly_heard(rows, heard, listed)
    rows["reason"] = np.select(
        [absent, thin, empty, partly & among, partly, among],
        [
            ABSENT,
            TOO_FEW,
            NO_VALUE,
            np.strings.add(remark := partial_remark(heard, listed), f"; {OTHERS}"),
            remark,
            OTHERS,
        ],
        "",
    )
    # What no delivery mentions is missing too, so coverage is never more than the share of municipalities heard.
    rows["coverage_share"] = rows["coverage_share"] * np.minimum(quotient(heard, listed), 1)
    for name in ("value", "lower", "upper"):
        rows[name] = np.where(shown, rows[name], np.nan)
    verdict = np.searchsorted(list(DIFFERENCES), rows["difference"])
    rows["difference"] = np.array(list(DIFFERENCES.values()), dtype=object)[verdict]
    rows["judgement"] = np.array(list(_judgements(spec).values()), dtype=object)[verdict]
    rows["source"] = np.full(len(verdict), source, dtype=object)
    return pd.DataFrame({name: rows[name] for name in KINDS})


def together(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Frames of rows as one; none at all is a table without rows."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if len(filled) > 1 else next(iter(filled), NO_ROWS)


def _partly_heard(rows: Mapping[str, NDArray[Any]], heard: Floats, listed: Floats) -> Mask:
    """The rows of a period in which part of the country delivered."""
    periods, at = np.unique(rows["period"], return_inverse=True)
    country = rows["region_type"] == "nl"
    most = np.full((2, len(periods)), np.nan)
    for which, count in enumerate((heard, listed)):
        np.fmax.at(most[which], at[country], count[country])
    partly: Mask = (most[0] < most[1])[at]
    return partly


def _judgements(spec: Spec) -> dict[Difference, str]:
    """What a verdict means for an indicator."""
    better = {"higher_is_better": ("better", "worse"), "lower_is_better": ("worse", "better")}.get(
        spec.polarity, ("no_judgement", "no_judgement")
    )
    return {**DIFFERENCES, Difference.HIGHER: better[0], Difference.LOWER: better[1]}


def partial_remark(heard: Floats, listed: Floats) -> NDArray[np.str_]:
    """What is said of a value that rests on some of a region's municipalities."""
    told, whole = (np.nan_to_num(count).round().astype(int).astype(str) for count in (heard, listed))
    remark: NDArray[np.str_] = np.strings.add("rests on ", np.strings.add(told, np.strings.add(" of ", whole)))
    return np.strings.add(remark, " municipalities")
