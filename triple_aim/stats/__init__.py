"""Statistics of the monitor: one documented, cited function per published method.

Belongs here: arithmetic on arrays. Every function takes numpy arrays and returns an
:class:`~triple_aim.stats.estimate.Estimate`; leading dimensions broadcast, strata lie on the last axis.
Missing is nan and stays nan; it never becomes zero.

Does not belong here: reading or writing anything, pandas, DuckDB, the names of indicators, rounding, and
the decision whether a value may be published (that is ``triple_aim.disclosure``).
"""
