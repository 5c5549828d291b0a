"""The benchmark question as one DuckDB query by hand: the floor."""

import sys
from pathlib import Path

import duckdb

insured, claims, year, out = sys.argv[1:]
connection = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
sql = (Path(__file__).resolve().parent.parent / "floor.sql").read_text()
# Values are inserted as text, because the first parameter makes DuckDB import pandas, which takes two seconds.
for name, value in {"$insured": f"'{insured}'", "$claims": f"'{claims}'", "$year": year}.items():
    sql = sql.replace(name, value)
connection.execute(f"copy ({sql}) to '{out}' (format csv)")
