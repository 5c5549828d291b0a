"""The disclosure gate: primary and secondary suppression, the audit, and the trend of what is shown.

Not here: the thresholds (``contracts/publication.yaml``), or the marts (``triple_aim.release``).
"""

from triple_aim.disclosure.gate import TABLE, pass_gate
from triple_aim.disclosure.primary import too_small

__all__ = ["TABLE", "pass_gate", "too_small"]
