"""Indicator values with intervals and a status, computed from the cells of cubes as the specs define them.

Not here: the formulas (``triple_aim.stats``), or which values readers may see (``triple_aim.disclosure``).
"""

from triple_aim.indicators.build import (
    IndicatorInputs,
    changed_rows,
    indicator_row_counts,
    rebuild_indicators,
    record_indicators,
)
from triple_aim.indicators.compute import route_builder
from triple_aim.indicators.estimators import EstimatorInputs, Sums, estimate, recording_inputs
from triple_aim.indicators.inputs import RouteInputs, route_inputs
from triple_aim.indicators.methods.decomposition import components
from triple_aim.indicators.methods.growth import ENDS
from triple_aim.indicators.methods.inequality import UNKNOWN
from triple_aim.indicators.methods.survey import by_stratum, gap_groups
from triple_aim.indicators.numerators import cases, squares_column
from triple_aim.indicators.rollup import Geography, Mask, geography, where
from triple_aim.indicators.rows import NOISE, ROW_TYPES, TOO_FEW
from triple_aim.indicators.worked_examples import refuse_wrong_examples

__all__ = [
    "ENDS",
    "NOISE",
    "ROW_TYPES",
    "TOO_FEW",
    "UNKNOWN",
    "EstimatorInputs",
    "Geography",
    "IndicatorInputs",
    "Mask",
    "RouteInputs",
    "Sums",
    "by_stratum",
    "cases",
    "changed_rows",
    "components",
    "estimate",
    "gap_groups",
    "geography",
    "indicator_row_counts",
    "rebuild_indicators",
    "record_indicators",
    "recording_inputs",
    "refuse_wrong_examples",
    "route_builder",
    "route_inputs",
    "squares_column",
    "where",
]
