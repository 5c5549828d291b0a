"""One published number explained: its strata, its deliveries and its recomputation from them.

Not here: the computation itself (``triple_aim.indicators``).
"""

from triple_aim.explain.report import Part, explain_indicator

__all__ = ["Part", "explain_indicator"]
