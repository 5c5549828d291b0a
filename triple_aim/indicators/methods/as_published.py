"""Percentages that others published, copied unchanged, with the reason that the source gives for a missing one.

Not here: computed values (``compute``). A published percentage is never added up, pooled or compared with the rest.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from triple_aim.definitions import Compute, Regions, Spec
from triple_aim.indicators.rows import ROW_TYPES, concatenated
from triple_aim.vocabulary import ALL
from triple_aim.warehouse import Warehouse


def with_published(warehouse: Warehouse, spec: Spec, regions: Regions, computed: pd.DataFrame) -> pd.DataFrame:
    """The computed rows of an indicator, followed by the rows that others published."""
    published = [
        _rows(warehouse, spec, route, cube, regions)
        for cube, route in spec.route_of.items()
        if route.method == "as_published"
    ]
    return concatenated([computed, *published])


def _rows(warehouse: Warehouse, spec: Spec, route: Compute, cube: str, regions: Regions) -> pd.DataFrame:
    """The rows of one item, for the current regions of the levels in the spec."""
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
    levels = [kind for kind in regions.types if kind in spec.levels]
    names = {(kind, code): name for kind in levels for code, name in regions.names(kind).items()}
    frame["region_name"] = [names.get(key) for key in zip(frame["region_type"], frame["region_code"], strict=True)]
    is_current = frame["region_name"].notna()
    unknown = ["lower", "upper", "numerator", "cases", "rest_persons", "rest_cases"]
    unknown += ["comparator_value", "comparator_lower", "comparator_upper"]
    frame = frame[is_current].assign(
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
    return frame[list(ROW_TYPES)].reset_index(drop=True)
