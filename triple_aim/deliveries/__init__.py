"""The way of a delivered file into staging: read, validate, land, stage.

Not here: sums of rows (``triple_aim.cubes``), or what a contract may say (``triple_aim.definitions``).
"""

from triple_aim.deliveries.arrivals import Arrivals, look_for_arrivals
from triple_aim.deliveries.contributions import (
    MANIFEST,
    MOST,
    SLOT,
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
from triple_aim.deliveries.ingest import delivered_periods, ingest_extract, inputs
from triple_aim.deliveries.landing import (
    delivered_files,
    discover,
    is_unchanged,
    landed,
    slot_name,
    slots_of,
    unclaimed,
)
from triple_aim.deliveries.staging import LEDGER

__all__ = [
    "LEDGER",
    "MANIFEST",
    "MOST",
    "SLOT",
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
    "discover",
    "ingest_extract",
    "inputs",
    "is_unchanged",
    "landed",
    "look_for_arrivals",
    "slot_name",
    "slots_of",
    "unclaimed",
]
