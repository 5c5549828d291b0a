"""The floor: one DuckDB query by hand."""

import sys
from pathlib import Path

import duckdb

insured, claims, year, out = sys.argv[1:]
connection = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
sql = (Path(__file__).resolve().parent.parent / "floor.sql").read_text()
# As text, for the first value that is passed as a parameter makes DuckDB import pandas: two seconds.
for name, value in {"$insured": f"'{insured}'", "$claims": f"'{claims}'", "$year": year}.items():
    sql = sql.replace(name, value)
connection.execute(f"copy ({sql}) to '{out}' (format csv)")
