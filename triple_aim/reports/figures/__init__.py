"""Figures of a release as SVG and PNG, in one style.

Not here: tables (``triple_aim.reports``). Only this package imports matplotlib, so that exports load without it.
"""

from triple_aim.reports.figures.control_chart import chart
from triple_aim.reports.figures.funnel_plot import funnel
from triple_aim.reports.figures.series import caterpillar, trend

__all__ = ["caterpillar", "chart", "funnel", "trend"]
