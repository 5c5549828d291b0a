"""Statistics of the monitor: one documented, cited function per published method.

Belongs here: arithmetic on arrays. Every function takes numpy arrays and returns an
:class:`~triple_aim.stats.estimate.Estimate`; leading dimensions broadcast, strata are the last axis.
Missing is nan and remains nan; it never becomes zero.

Not here: reading or writing, pandas, DuckDB, the names of indicators, rounding, and the decision whether a value may be
published (``triple_aim.disclosure``).
"""
