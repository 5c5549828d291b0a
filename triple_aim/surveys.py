"""Sums of a sample per stratum → design-based shares with their variance.

Not here: the linearisation itself (``stats.survey``), percentages that others published (``published``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from triple_aim.cubes import Cells, Floats
from triple_aim.estimates import Sums, estimate
from triple_aim.regions import Regions
from triple_aim.rollup import breakdown, geography, where
from triple_aim.rows import tidy
from triple_aim.specs import Compute, Spec
from triple_aim.stats.survey import StratumSums, variance_components
from triple_aim.vocabulary import ALL


def survey_frames(spec: Spec, route: Compute, cells: Cells, regions: Regions) -> Iterator[pd.DataFrame]:
    """Design-based shares: variance is made per stratum within a municipality, before regions are summed."""
    place = geography(regions, spec.levels, cells.labels["municipality_code"])
    cells = where(cells, route)
    others = tuple(i for i, name in enumerate(cells.labels) if i >= 4 and name != "stratum")
    # What remains is (period, municipality, sex, band, stratum).
    at = {name: array.sum(axis=others) for name, array in cells.sums.items()}
    spoke, listed = place.deliverers(at["respondent_count"])
    for dimension in ("none", *spec.breakdowns):
        split = breakdown(cells, dimension)
        parts = sampled_sums(at, split.masks.astype(float))
        rolled = Sums({name: place.roll_up(array.sum(axis=2)) for name, array in parts.items()})
        rest_sums = rolled.of(place.country).minus(rolled)
        have = (rolled.parts["w"] > 0) & (rest_sums.parts["w"] > 0)
        p, q = rolled.parts, rest_sums.parts
        yield tidy(
            spec,
            cells.periods(),
            place,
            split,
            estimate(route, rolled),
            estimate(route, rest_sums).where(have),
            {
                "numerator": p["numerator"],
                "denominator": p["denominator"],
                "persons": p["denominator"],
                "rest_persons": q["denominator"],
                "cases": p["numerator"],
                "rest_cases": q["numerator"],
                "coverage_share": np.where(p["w"] > 0, 1.0, np.nan),
                "heard": spoke[..., None],
                "listed": listed[:, None],
            },
            ("none", ALL),
        )


def sampled_sums(at: Mapping[str, Floats], masks: Floats) -> dict[str, Floats]:
    """What a share of a sample and its variance need, as (period, municipality, stratum, category); they add up.

    ``at`` holds the cube's sums as (period, municipality, sex, band, stratum), ``masks`` who is in a category. Variance
    is that of a domain: the whole stratum was sampled, whoever of it is in the category.
    """
    domain = {name: np.tensordot(array, masks, axes=((2, 3), (1, 2))) for name, array in at.items()}
    sampled = at["respondent_count"].sum(axis=(2, 3))[..., None]
    spread = variance_components(
        StratumSums(
            n=sampled,
            w=domain["weight_sum"],
            wy=domain["weighted_yes_sum"],
            ww=domain["weight_sumsq"],
            wwy=domain["weighted_yes_sumsq"],
            wwyy=domain["weighted_yes_sumsq"],  # y is 0 or 1
        )
    )
    return {
        "w": domain["weight_sum"],
        "wy": domain["weighted_yes_sum"],
        "ww": domain["weight_sumsq"],
        "v_yy": spread.v_yy,
        "v_yw": spread.v_yw,
        "v_ww": spread.v_ww,
        # Degrees of freedom as R's degf of a subset: who is in the category, less the strata that hold one of them.
        "respondents": domain["answer_count"],
        "strata": np.where(np.isnan(domain["answer_count"]), np.nan, domain["answer_count"] > 0),
        "numerator": domain["yes_count"],
        "denominator": domain["answer_count"],
    }
