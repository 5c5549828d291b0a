"""Releases: marts, data package and checks page, published together or not at all; finding, verifying and reading them.

Not here: which values may be shown (``triple_aim.disclosure``), or exports and figures (``triple_aim.reports``).
"""

from triple_aim.release.build import publish_release
from triple_aim.release.checks_page import ledger
from triple_aim.release.dictionary import write_dictionary
from triple_aim.release.freshness import up_to_date_release
from triple_aim.release.marts import build_mart, read_mart
from triple_aim.release.reader import open_marts
from triple_aim.release.secret import installation_secret
from triple_aim.release.store import current_release, history, linked_release, read_manifest, verify

__all__ = [
    "build_mart",
    "current_release",
    "history",
    "installation_secret",
    "ledger",
    "linked_release",
    "open_marts",
    "publish_release",
    "read_manifest",
    "read_mart",
    "up_to_date_release",
    "verify",
    "write_dictionary",
]
