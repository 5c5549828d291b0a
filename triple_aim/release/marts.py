"""safe → mart: one SQL file per mart, with the columns and types of ``contracts/publication.yaml``.

Not here: which values may be shown (``triple_aim.disclosure``) or writing the files (``publish``).
"""

from __future__ import annotations

import pyarrow as pa

from triple_aim.definitions import Mart
from triple_aim.warehouse import Query, Warehouse, qualified, quoted

TYPES = {"text": "varchar", "integer": "bigint", "double": "double", "boolean": "boolean"}
ARROW = {"text": pa.string(), "integer": pa.int64(), "double": pa.float64(), "boolean": pa.bool_()}


def build_mart(warehouse: Warehouse, query: Query, mart: Mart) -> None:
    """Create the table of the mart with the columns and types of its contract."""
    columns = ", ".join(f"cast({quoted(c.name)} as {TYPES[c.type]}) as {quoted(c.name)}" for c in mart.columns)
    warehouse.run(f"create or replace table {qualified('mart.' + mart.name)} as select {columns} from ({query.sql})")


def read_mart(warehouse: Warehouse, mart: Mart) -> pa.Table:
    """The mart as an Arrow table, ordered by its grain so that the same content gives the same bytes.

    Every column is nullable: the schema must not depend on the data of a year.
    """
    order = ", ".join(quoted(name) for name in mart.grain)
    table = warehouse.arrow(f"select * from {qualified('mart.' + mart.name)} order by {order}")
    return table.cast(pa.schema([pa.field(column.name, ARROW[column.type]) for column in mart.columns]))
