"""Arrays of (period, region, category) → one row each, with a status that says why a value is or is not there.

Not here: making the arrays (``indicators``, ``growth``, ``surveys``) or withholding rows (``disclosure``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from triple_aim.cubes import Floats
from triple_aim.rollup import Breakdown, Geography
from triple_aim.specs import Spec
from triple_aim.stats.compare import Difference, interval_overlap
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL

TOO_FEW = "too few municipalities delivered"
DIFFERENCES = {
    Difference.HIGHER: "higher",
    Difference.LOWER: "lower",
    Difference.NO_DEMONSTRABLE_DIFFERENCE: "no_demonstrable_difference",
    Difference.NOT_COMPARED: "not_compared",
}


def tidy(
    spec: Spec,
    periods: list[int],
    place: Geography,
    split: Breakdown,
    made: Estimate,
    rest: Estimate,
    columns: Mapping[str, Floats],
    segment: tuple[str, str],
) -> pd.DataFrame:
    """Arrays of (period, region, category) as one row each; ``columns`` are further arrays that broadcast to them."""
    shape = made.value.shape
    difference = interval_overlap(made, rest) if spec.compare else np.full(shape, Difference.NOT_COMPARED)
    period, region, category = (index.reshape(-1) for index in np.indices(shape))
    labels = np.array(split.labels, dtype=object)[category]
    everywhere = np.array(ALL, dtype=object)
    return pd.DataFrame(
        {
            **{name: place.frame[name].to_numpy()[region] for name in place.frame},
            "period": np.array(periods)[period],
            "sex": labels if split.dimension == "sex" else everywhere,
            "age_group": labels if split.dimension == "age_group" else everywhere,
            "segment_type": "none" if segment[1] == ALL else segment[0],
            "segment": segment[1],
            "value": made.value.reshape(-1),
            "lower": made.lower.reshape(-1),
            "upper": made.upper.reshape(-1),
            "comparator_value": rest.value.reshape(-1),
            "comparator_lower": rest.lower.reshape(-1),
            "comparator_upper": rest.upper.reshape(-1),
            "difference": [DIFFERENCES[Difference(verdict)] for verdict in difference.reshape(-1).tolist()],
            **{name: np.broadcast_to(array, shape).reshape(-1) for name, array in columns.items()},
        }
    )


def with_status(spec: Spec, frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One source's rows, each with a value or the reason why not; regions of which nothing was ever delivered go."""
    frame = pd.concat(frames, ignore_index=True)
    delivered = frame.groupby(["region_type", "region_code"])["denominator"].transform("count")
    frame = frame[delivered > 0].reset_index(drop=True)
    absent = frame["denominator"].isna() | frame["numerator"].isna()
    thin = ~absent & (frame["coverage_share"] < (spec.expect.coverage.min or 0.0))
    empty = ~absent & ~thin & frame["value"].isna()
    frame["status"] = np.select([absent, thin, empty], ["not_delivered", "not_computed", "not_computed"], "published")
    frame["reason"] = np.select(
        [absent, thin, empty, frame["heard"] < frame["listed"]],
        [
            "nothing was delivered",
            TOO_FEW,
            "cannot be computed from what was delivered",
            partial_remark(frame["heard"], frame["listed"]),
        ],
        "",
    )
    country = frame[frame["region_type"] == "nl"].groupby("period")[["heard", "listed"]].max()
    partly = frame["period"].map(country["heard"] < country["listed"]).eq(True) & frame["comparator_value"].notna()
    frame.loc[partly & frame["status"].eq("published"), "reason"] += (
        "; compared with the other municipalities delivered"
    )
    frame["reason"] = frame["reason"].str.removeprefix("; ")
    # What no delivery mentions is missing too, so coverage is never more than the share of municipalities heard.
    frame["coverage_share"] *= (frame["heard"] / frame["listed"]).clip(upper=1)
    unseen = ["value", "lower", "upper"]
    frame.loc[frame["status"] != "published", unseen] = np.nan
    better = {"higher_is_better": ("better", "worse"), "lower_is_better": ("worse", "better")}.get(
        spec.polarity, ("no_judgement", "no_judgement")
    )
    words = {"higher": better[0], "lower": better[1]}
    frame["judgement"] = frame["difference"].replace(words)
    return frame.drop(columns=["heard", "listed"])


def partial_remark(heard: pd.Series[float], listed: pd.Series[float]) -> pd.Series[str]:
    """What is said of a value that rests on some of a region's municipalities."""
    whole = heard.fillna(0).round().astype(int).astype(str), listed.round().astype(int).astype(str)
    return "rests on " + whole[0] + " of " + whole[1] + " municipalities"
