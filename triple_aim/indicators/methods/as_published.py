"""Percentages that others published, taken over as they stand, with the reason the source gives for a missing one.

Not here: anything computed. A published percentage is never rolled up, pooled or compared with a rest of the country.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from triple_aim.definitions import Compute, Regions, Spec
from triple_aim.indicators.rows import KINDS, together
from triple_aim.vocabulary import ALL
from triple_aim.warehouse import Warehouse


def with_published(warehouse: Warehouse, spec: Spec, regions: Regions, computed: pd.DataFrame) -> pd.DataFrame:
    """The computed rows of an indicator, followed by what others published of it."""
    taken = [
        _rows(warehouse, spec, route, cube, regions)
        for cube, route in spec.route_of.items()
        if route.method == "as_published"
    ]
    return together([computed, *taken])


def _rows(warehouse: Warehouse, spec: Spec, route: Compute, cube: str, regions: Regions) -> pd.DataFrame:
    """The rows of one item, for the regions of today's division and the levels the spec wants."""
    items = route.where["item"]
    frame = warehouse.frame(
        f"""select value.period, value.region_type, value.region_code, value.age_band as age_group,
                   value.percent as value, value.suppression as reason, base.percent as denominator
            from cube."{cube}" as value
            left join cube."{cube}" as base
                on base.period = value.period and base.region_code = value.region_code
                and base.age_band = value.age_band and base.item = 'respondents'
            where list_contains(?, value.item) and value.exclusion = 'none'
            order by value.period, value.region_type, value.region_code, value.age_band""",
        [items],
    )
    kinds = [kind for kind in regions.types if kind in spec.levels]
    names = {(kind, code): name for kind in kinds for code, name in regions.names(kind).items()}
    frame["region_name"] = [names.get(key) for key in zip(frame["region_type"], frame["region_code"], strict=True)]
    wanted = frame["region_name"].notna()
    unknown = ["lower", "upper", "numerator", "cases", "rest_persons", "rest_cases"]
    unknown += ["comparator_value", "comparator_lower", "comparator_upper"]
    frame = frame[wanted].assign(
        sex=ALL,
        segment_type="none",
        segment=ALL,
        difference="not_compared",
        judgement="not_compared",
        persons=frame["denominator"],
        coverage_share=1.0,
        source=cube,
        **dict.fromkeys(unknown, np.nan),
    )
    frame["value"] *= route.per / 100
    frame["status"] = np.where(frame["value"].notna(), "published", "suppressed")
    frame["reason"] = frame["reason"].fillna("")
    return frame[list(KINDS)].reset_index(drop=True)
