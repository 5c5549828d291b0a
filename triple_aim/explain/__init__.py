"""One published number traced back to its strata, its deliveries and its recomputation.

Not here: the computation itself (``triple_aim.indicators``).
"""

from triple_aim.explain.report import Part, explain_indicator

__all__ = ["Part", "explain_indicator"]
