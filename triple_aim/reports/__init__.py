"""Tables of a release for people: a selection as CSV, Excel or Parquet, Dutch wording, the summary after a run.

Not here: figures (``triple_aim.reports.figures``), or the marts themselves (``triple_aim.release``).
"""

from triple_aim.reports.exports import export
from triple_aim.reports.selection import NOT_AVAILABLE, Language, Selection, is_shown, select_indicator
from triple_aim.reports.summary import show_release
from triple_aim.reports.translations import in_dutch

__all__ = [
    "NOT_AVAILABLE",
    "Language",
    "Selection",
    "export",
    "in_dutch",
    "is_shown",
    "select_indicator",
    "show_release",
]
