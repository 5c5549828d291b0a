"""Is our SQL translated to Spark with the same meaning, and refused with its file when that is impossible?

Not here: whether the rows are equal (``tests/spark``, with a cluster).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.content import queries
from triple_aim.errors import ContentError
from triple_aim.warehouse.spark_sql import spark_type, to_spark, view_name
from triple_aim.warehouse.sql_files import Query, read_query

SQL = Path(__file__).parents[3] / "sql"
BELOW = [query for floor in ("staging", "person", "cube") for query in queries(floor).values()]

TRANSLATED = {
    "tables become views with an alias": (
        "select visits.k from stg.visits",
        "SELECT visits.k FROM stg__visits AS visits",
    ),
    "division gives doubles": ("select a / b as k from stg.t", "CAST(a AS DOUBLE) / CAST(b AS DOUBLE) AS k"),
    "means are of doubles": ("select avg(a) as k from stg.t", "AVG(CAST(a AS DOUBLE)) AS k"),
    "percentiles are exact": (
        "select percentile_cont(0.9) within group (order by a) as k from stg.t",
        "PERCENTILE(CAST(a AS DOUBLE), 0.9) AS k",
    ),
    "quantiles are exact": ("select quantile_cont(a, 0.9) as k from stg.t", "PERCENTILE(CAST(a AS DOUBLE), 0.9) AS k"),
    "integers divide to integers": ("select a // 5 as k from stg.t", "a DIV 5 AS k"),
    "days are counted equally": ("select date_diff('day', a, b) as k from stg.t", "DATEDIFF(DAY, a, b) AS k"),
    "parameters are filled in": ("select k from stg.t where period = $period", "WHERE period = 2024"),
    "empty values come last": (
        "select row_number() over (order by a) as k from stg.t",
        "ROW_NUMBER() OVER (ORDER BY a NULLS LAST) AS k",
    ),
    "using becomes on": (
        "select k, u.a from stg.t left join stg.u using (k) left join stg.v on v.k = u.k",
        "SELECT t.k, u.a FROM stg__t AS t LEFT JOIN stg__u AS u ON t.k = u.k LEFT JOIN stg__v AS v ON v.k = u.k",
    ),
    "a full join keeps using": (
        "select k from stg.t full join stg.u using (k)",
        "SELECT k FROM stg__t AS t FULL JOIN stg__u AS u USING (k)",
    ),
}
REFUSED = {
    "years between dates": "select date_diff('year', a, b) as k from stg.t",
    "months between dates": "select date_diff('month', a, b) as k from stg.t",
    "lists": "select list(a order by b) as k from stg.t",
    "the most frequent": "select mode(a) as k from stg.t",
    "medians": "select median(a) as k from stg.t",
    "patterns": "select regexp_replace(a, 'b', 'c') as k from stg.t",
    "logarithms": "select ln(a) as k from stg.t",
    "functions that sqlglot does not know": "select hash(a) as k from stg.t",
    "substrings before the first character": "select substr(a, 0, 2) as k from stg.t",
    "approximations": "select approx_quantile(a, 0.5) as k from stg.t",
}


def query(folder: Path, sql: str) -> Query:
    path = folder / "cube" / "example.sql"
    path.parent.mkdir()
    path.write_text(f"-- A cube.\n-- grain: k\n{sql}\n")
    return read_query(path)


@pytest.mark.parametrize("case", TRANSLATED)
def test_a_translation_has_the_same_meaning(tmp_path: Path, case: str) -> None:
    duckdb_sql, spark_sql = TRANSLATED[case]
    assert spark_sql in to_spark(query(tmp_path, duckdb_sql), {"period": 2024})


@pytest.mark.parametrize("case", REFUSED)
def test_sql_with_another_result_is_refused_with_its_file(tmp_path: Path, case: str) -> None:
    with pytest.raises(ContentError, match=r"sql/cube/example\.sql") as caught:
        to_spark(query(tmp_path, REFUSED[case]), {})
    assert caught.value.exit_code == 10


@pytest.mark.parametrize("file", BELOW, ids=lambda file: file.table)
def test_every_file_up_to_the_cubes_can_be_translated(file: Query) -> None:
    translated = to_spark(file, {"period": 2024})
    assert "$" not in translated and all(view_name(table) in translated for table in file.reads)


def test_types_keep_their_digits() -> None:
    named = {"HUGEINT": "DECIMAL(38, 0)", "DECIMAL(18,2)": "DECIMAL(18, 2)", "VARCHAR": "STRING", "BIGINT": "BIGINT"}
    assert {name: spark_type(name) for name in named} == named
