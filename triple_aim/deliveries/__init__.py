"""Brings a delivered file into staging: read, validate, land, stage.

Not here: sums of rows (``triple_aim.cubes``), or the contents of a contract (``triple_aim.definitions``).
"""

from triple_aim.deliveries.arrivals import Arrivals, look_for_arrivals
from triple_aim.deliveries.contributions import (
    CONTRIBUTION,
    LARGEST_COUNT,
    MANIFEST,
    Contribution,
    CubeFile,
    LedgerLine,
    StoredContribution,
    accept_contributions,
    clear_leftovers,
    contributed_slots,
    copied_contribution,
    current_contributions,
)
from triple_aim.deliveries.ingest import delivered_periods, ingest_extract, staged_inputs
from triple_aim.deliveries.landing import (
    delivered_files,
    deliveries_by_slot,
    discover,
    is_unchanged,
    landed_deliveries,
    slot_name,
    unclaimed_files,
)
from triple_aim.deliveries.staging import LEDGER

__all__ = [
    "CONTRIBUTION",
    "LARGEST_COUNT",
    "LEDGER",
    "MANIFEST",
    "Arrivals",
    "Contribution",
    "CubeFile",
    "LedgerLine",
    "StoredContribution",
    "accept_contributions",
    "clear_leftovers",
    "contributed_slots",
    "copied_contribution",
    "current_contributions",
    "delivered_files",
    "delivered_periods",
    "deliveries_by_slot",
    "discover",
    "ingest_extract",
    "is_unchanged",
    "landed_deliveries",
    "look_for_arrivals",
    "slot_name",
    "staged_inputs",
    "unclaimed_files",
]
