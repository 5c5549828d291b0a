"""The independent audit: attacks releases with what they print and the rules that they state, and nothing else.

Not here: the gate (``triple_aim.disclosure``). This room imports neither the gate nor anything that computes a number;
it reads a release as a stranger does.
"""

from triple_aim.audit.examination import audit_releases
from triple_aim.audit.findings import DOORS, Finding, Report

__all__ = ["DOORS", "Finding", "Report", "audit_releases"]
