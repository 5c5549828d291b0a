"""Cubes of sums, built from staged rows on DuckDB or Spark, merged over parties and read as arrays.

Not here: rates, intervals and regions (``triple_aim.indicators``). No room above this one reads a row of a person.
"""

from triple_aim.cubes.build import InWarehouse, build_table
from triple_aim.cubes.cells import Cells, Floats, load_cells, municipality_codes
from triple_aim.cubes.columns import MEASURES, TYPES, column_type
from triple_aim.cubes.fingerprints import all_built, built, remember
from triple_aim.cubes.ledger import reconcile
from triple_aim.cubes.merge import COUNTED, META, NOWHERE, contributed, place_of
from triple_aim.cubes.spark import open_builder, open_cluster

__all__ = [
    "COUNTED",
    "MEASURES",
    "META",
    "NOWHERE",
    "TYPES",
    "Cells",
    "Floats",
    "InWarehouse",
    "all_built",
    "build_table",
    "built",
    "column_type",
    "contributed",
    "load_cells",
    "municipality_codes",
    "open_builder",
    "open_cluster",
    "place_of",
    "reconcile",
    "remember",
]
