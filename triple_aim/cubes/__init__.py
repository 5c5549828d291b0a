"""Cubes of sums: built from staged rows on DuckDB or Spark, merged over parties and read as arrays.

Not here: rates, intervals and regions (``triple_aim.indicators``). No room above this one reads rows of persons.
"""

from triple_aim.cubes.build import DuckDBBuilder, TableBuilder, build_table, in_reading_order
from triple_aim.cubes.built import fingerprints, fingerprints_of, record_fingerprint
from triple_aim.cubes.cells import Cells, Floats, load_cells, municipality_codes
from triple_aim.cubes.columns import MEASURES, TYPES, column_type
from triple_aim.cubes.ledger import parts_that_differ, reconcile
from triple_aim.cubes.merge import COUNTED, UNKNOWN_LABEL, contributed, ensure_contributions, place_of
from triple_aim.cubes.noise import ColumnRoles, CubeNoise, Keys, Kind, column_roles, cube_noise
from triple_aim.cubes.spark import open_builder, open_cluster

__all__ = [
    "COUNTED",
    "MEASURES",
    "TYPES",
    "UNKNOWN_LABEL",
    "Cells",
    "ColumnRoles",
    "CubeNoise",
    "DuckDBBuilder",
    "Floats",
    "Keys",
    "Kind",
    "TableBuilder",
    "build_table",
    "column_roles",
    "column_type",
    "contributed",
    "cube_noise",
    "ensure_contributions",
    "fingerprints",
    "fingerprints_of",
    "in_reading_order",
    "load_cells",
    "municipality_codes",
    "open_builder",
    "open_cluster",
    "parts_that_differ",
    "place_of",
    "reconcile",
    "record_fingerprint",
]
