"""Tables of a release for readers: exports to CSV, Excel and Parquet, Dutch texts, the summary after a run.

Not here: figures (``triple_aim.reports.figures``), or the marts themselves (``triple_aim.release``).
"""

from triple_aim.reports.exports import export
from triple_aim.reports.selection import NOT_AVAILABLE, Language, Selection, is_shown, select_indicator
from triple_aim.reports.summary import print_summary
from triple_aim.reports.translations import translate_to_dutch

__all__ = [
    "NOT_AVAILABLE",
    "Language",
    "Selection",
    "export",
    "is_shown",
    "print_summary",
    "select_indicator",
    "translate_to_dutch",
]
