"""The only access to an SQL engine: DuckDB connections, SQL files and the reference tables that SQL reads.

Not here: what a table means, or which engine builds a cube (``triple_aim.cubes``).
"""

from triple_aim.warehouse.connection import (
    WORK_FOLDER,
    EngineError,
    Warehouse,
    is_machine_failure,
    is_sql_fault,
    is_transient,
    literal,
    masked_message,
    open_warehouse,
    qualified,
    quoted,
)
from triple_aim.warehouse.reference_tables import load_reference, read_table
from triple_aim.warehouse.spark_sql import spark_type, to_spark, view_name
from triple_aim.warehouse.sql_files import CELL, Query, read_queries, restrict_to_persons

__all__ = [
    "CELL",
    "WORK_FOLDER",
    "EngineError",
    "Query",
    "Warehouse",
    "is_machine_failure",
    "is_sql_fault",
    "is_transient",
    "literal",
    "load_reference",
    "masked_message",
    "open_warehouse",
    "qualified",
    "quoted",
    "read_queries",
    "read_table",
    "restrict_to_persons",
    "spark_type",
    "to_spark",
    "view_name",
]
