"""What is expected of marts, ``mart.*``: suites generated from ``contracts/publication.yaml`` and the specs, that ship.

Not here: expectations of our own; whoever downloads a release validates it with Great Expectations alone, so these
suites hold its own types only. Ranges of the specs are a suite of their own: it takes an expectation an indicator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from triple_aim.checks.suites import (
    WITHHELD,
    TableExpectation,
    at_least,
    bounds,
    in_range,
    in_set,
    like,
    not_null,
    null,
    row_count,
    some_rows,
    suite_bytes,
    unique,
)
from triple_aim.checks.validation import table_verdicts
from triple_aim.checks.verdicts import Verdict
from triple_aim.definitions import Mart, MartColumn, Programme, Spec
from triple_aim.vocabulary import ALL, SHOWN
from triple_aim.warehouse import Warehouse, qualified

#: What a column is in pandas once its Parquet file is read; text has a type of its own in each version of pandas.
PANDAS = {"integer": "int64", "double": "float64", "boolean": "bool"}
FOLDER = "expectations"
RANGES = "indicator_ranges"


def mart_verdicts(
    warehouse: Warehouse, mart: Mart, table: pd.DataFrame, values: Mapping[str, Sequence[str]]
) -> list[Verdict]:
    """A mart has its promised columns, types, grain and values, and every row of the table behind the gate it is of.

    ``table`` is the mart as a reader of its Parquet file gets it.
    """
    behind = f"safe.{mart.name}"  # one name everywhere: a mart that is named as such a table has its rows
    rows = warehouse.value(f"select count(*) from {qualified(behind)}") if warehouse.exists(behind) else None
    return table_verdicts(f"mart/{mart.name}", table, mart_suite(mart, values, rows))


def mart_suite(mart: Mart, values: Mapping[str, Sequence[str]], rows: int | None = None) -> list[TableExpectation]:
    """The expectations of one mart; columns name closed lists of ``values``, and ``rows`` is its size where known."""
    names = [column.name for column in mart.columns]
    suite = [
        TableExpectation(
            "columns",
            "expect_table_columns_to_match_ordered_list",
            f"the table has the {len(names)} promised columns, in order",
            arguments={"column_list": names},
        ),
        unique(mart.grain),
    ]
    if not mart.may_be_empty:
        suite.append(some_rows())
    if rows is not None:
        suite.append(row_count(rows))
    for column in mart.columns:
        suite += _column(column, values)
    return suite


def _column(column: MartColumn, values: Mapping[str, Sequence[str]]) -> list[TableExpectation]:
    name, suite = column.name, []
    # A range fails on what is no number, and pandas reads integers with an empty one as floats.
    is_typed = column.required if column.type == "integer" else not (column.type == "double" and column.range)
    if column.type in PANDAS and is_typed:
        suite.append(
            TableExpectation(
                f"{name}:type",
                "expect_column_values_to_be_of_type",
                f"{name} is of the type {column.type}",
                arguments={"column": name, "type_": PANDAS[column.type]},
            )
        )
    if column.shown_by:
        status = {column.shown_by: WITHHELD["status"]}
        suite.append(null(name, f"{name} is empty where {column.shown_by} withholds it", where=status))
    if column.required:
        shown = {column.shown_by: SHOWN} if column.shown_by else {}
        words = f"{name} is never empty" + (f" where {column.shown_by} is {' or '.join(SHOWN)}" if shown else "")
        suite.append(not_null(name, words, where=shown))
    if column.values:
        suite.append(in_set(name, values[column.values]))
    if column.range:
        suite.append(in_range(name, column.range.min, column.range.max))
    if column.matches:
        suite.append(like(name, column.matches))
    if column.at_least:
        # On ``ind.*`` the same comparison has a tolerance and stops a run; here rounding at 100 percent may break it.
        suite.append(at_least(name, column.at_least, severity="warning"))
    return suite


def range_suite(specs: Iterable[Spec]) -> list[TableExpectation]:
    """The range that each spec expects of rows without a segment, as expectations of ``indicator_values``."""
    return [
        in_range(
            "value",
            spec.expect.range.min,
            spec.expect.range.max,
            f"{spec.id} without a segment {bounds(spec.expect.range.min, spec.expect.range.max)} ({spec.unit.en})",
            id=f"range:{spec.id}",
            severity=spec.expect.range.severity,
            where={"indicator_id": [spec.id], "segment": (ALL,)},  # a value that is withheld is empty
        )
        for spec in specs
    ]


def closed_lists(programme: Programme, region_types: Iterable[str]) -> dict[str, list[str]]:
    """Every closed list that a column of a mart may name: those of the contract, and those of the content around it."""
    return {
        **programme.publication.value_lists,
        "headlines": sorted(programme.publication.headlines.values()),
        "indicators": sorted(programme.specs),
        "sources": sorted(programme.cubes),
        "extracts": sorted(programme.contracts),
        "region_types": sorted(region_types),
    }


def suite_files(programme: Programme, rows: Mapping[str, int]) -> dict[str, bytes]:
    """The suites of a release as files, one a mart with the number of its ``rows``, and one for the ranges of specs."""
    values = closed_lists(programme, programme.regions().types)
    files = {
        f"{FOLDER}/{mart.name}.json": suite_bytes(
            mart.name, mart_suite(mart, values, rows[mart.name]), f"{mart.title.en}: {mart.name}.parquet"
        )
        for mart in programme.publication.marts
    }
    notes = "The range that is expected of each indicator without a segment: indicator_values.parquet"
    return files | {f"{FOLDER}/{RANGES}.json": suite_bytes(RANGES, range_suite(programme.specs.values()), notes)}
