"""Indicator values with intervals and a status, computed from the cells of cubes as the specs define them.

Not here: the formulas (``triple_aim.stats``), or which values readers may see (``triple_aim.disclosure``).
"""

from triple_aim.indicators.build import IndicatorInputs, indicator_row_counts, rebuild_indicators, record_indicators
from triple_aim.indicators.compute import builder_of
from triple_aim.indicators.estimators import Note, Sums, estimate, noting
from triple_aim.indicators.inputs import Supply, supply
from triple_aim.indicators.methods.decomposition import components
from triple_aim.indicators.methods.growth import ENDS
from triple_aim.indicators.methods.inequality import UNKNOWN
from triple_aim.indicators.methods.survey import by_stratum, compared
from triple_aim.indicators.numerators import cases
from triple_aim.indicators.rollup import Geography, Mask, geography, where
from triple_aim.indicators.rows import KINDS, TOO_FEW
from triple_aim.indicators.worked_examples import refuse_wrong_examples

__all__ = [
    "ENDS",
    "KINDS",
    "TOO_FEW",
    "UNKNOWN",
    "Geography",
    "IndicatorInputs",
    "Mask",
    "Note",
    "Sums",
    "Supply",
    "builder_of",
    "by_stratum",
    "cases",
    "compared",
    "components",
    "estimate",
    "geography",
    "indicator_row_counts",
    "noting",
    "rebuild_indicators",
    "record_indicators",
    "refuse_wrong_examples",
    "supply",
    "where",
]
