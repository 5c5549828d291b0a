"""Exchanges cubes with other parties: exports them without small cells, validates and imports what others send.

Not here: adding their cells to a cube (``triple_aim.cubes``).
"""

from triple_aim.federation.export import export_cubes
from triple_aim.federation.import_ import import_cubes, stage_contributions

__all__ = ["export_cubes", "import_cubes", "stage_contributions"]
