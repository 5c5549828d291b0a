"""Checks on the tables of a run, from deliveries to marts: what is expected, what was found, and where it is kept.

Not here: what a failed check stops (``assets``), or the page that shows verdicts (``triple_aim.release``).
"""

from triple_aim.checks.cube_suite import cube_suite, cube_verdicts
from triple_aim.checks.indicator_suite import RULES, indicator_suite, indicator_verdicts
from triple_aim.checks.mart_suite import (
    FOLDER,
    RANGES,
    closed_lists,
    mart_suite,
    mart_verdicts,
    range_suite,
    suite_files,
)
from triple_aim.checks.rules import (
    delivery_verdicts,
    extract_verdicts,
    ledger_verdicts,
    municipality_verdicts,
    part_verdicts,
    person_verdicts,
    region_verdicts,
)
from triple_aim.checks.safe_suites import (
    dictionary_suites,
    dictionary_verdicts,
    gate_suite,
    gate_verdicts,
    reconciliation_suite,
    reconciliation_verdicts,
)
from triple_aim.checks.suites import TableExpectation
from triple_aim.checks.verdicts import Verdict, as_frame, existing_verdicts, recall, record

__all__ = [
    "FOLDER",
    "RANGES",
    "RULES",
    "TableExpectation",
    "Verdict",
    "as_frame",
    "closed_lists",
    "cube_suite",
    "cube_verdicts",
    "delivery_verdicts",
    "dictionary_suites",
    "dictionary_verdicts",
    "existing_verdicts",
    "extract_verdicts",
    "gate_suite",
    "gate_verdicts",
    "indicator_suite",
    "indicator_verdicts",
    "ledger_verdicts",
    "mart_suite",
    "mart_verdicts",
    "municipality_verdicts",
    "part_verdicts",
    "person_verdicts",
    "range_suite",
    "recall",
    "reconciliation_suite",
    "reconciliation_verdicts",
    "record",
    "region_verdicts",
    "suite_files",
]
