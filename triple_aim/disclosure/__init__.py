"""The disclosure gate: thresholds, changed sums, rounding, suppression, and the trend of published rows.

Not here: the thresholds (``contracts/publication.yaml``), or the marts (``triple_aim.release``).
"""

from triple_aim.disclosure.corrections import record_published, refuse_small_corrections
from triple_aim.disclosure.gate import TABLE, pass_gate
from triple_aim.disclosure.ledger import published_counts, published_ledger
from triple_aim.disclosure.primary import below_threshold
from triple_aim.disclosure.published_rules import protection_file

__all__ = [
    "TABLE",
    "below_threshold",
    "pass_gate",
    "protection_file",
    "published_counts",
    "published_ledger",
    "record_published",
    "refuse_small_corrections",
]
