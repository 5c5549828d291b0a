"""The publication rules with one mode for all sources."""

from __future__ import annotations

from tests.unit.cells import ROOT
from triple_aim.definitions.contracts import Publication, load_publication

PUBLICATION = load_publication(ROOT / "contracts")
EVERY_LEVEL = ["municipality", "ggd_region", "province", "own", "nl"]


def with_mode(mode: str, hierarchy: list[str] = EVERY_LEVEL) -> Publication:
    """The shipped thresholds, all in one mode, with these levels of regions for the mode ``suppress``."""
    thresholds = {name: rule.model_copy(update={"mode": mode}) for name, rule in PUBLICATION.thresholds.items()}
    thresholds["default"] = thresholds["default"].model_copy(update={"group_share": None})
    return PUBLICATION.model_copy(update={"thresholds": thresholds, "suppress_hierarchy": hierarchy})
