"""The only door to an engine: DuckDB connections, the SQL files and the reference tables that SQL reads.

Not here: what a table means, or which engine builds a cube (``triple_aim.cubes``).
"""

from triple_aim.warehouse.connection import (
    WORK,
    EngineError,
    Warehouse,
    is_machine_failure,
    is_sql_fault,
    literal,
    masked,
    open_warehouse,
    passes,
    qualified,
    quoted,
)
from triple_aim.warehouse.reference_tables import load_reference, read_table
from triple_aim.warehouse.spark_sql import spark_type, to_spark, view_name
from triple_aim.warehouse.sql_files import Query, of_some, read_queries

__all__ = [
    "WORK",
    "EngineError",
    "Query",
    "Warehouse",
    "is_machine_failure",
    "is_sql_fault",
    "literal",
    "load_reference",
    "masked",
    "of_some",
    "open_warehouse",
    "passes",
    "qualified",
    "quoted",
    "read_queries",
    "read_table",
    "spark_type",
    "to_spark",
    "view_name",
]
