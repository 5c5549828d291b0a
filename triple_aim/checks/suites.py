"""What a suite is made of: one expectation as Great Expectations configures it, and a suite as the JSON that ships.

Not here: which expectations a table has (``cube_suite``, ``indicator_suite``, ``safe_suites``, ``mart_suites``) or
running them (``validation``). A configuration is plain data, so that the same content always gives the same bytes,
whatever version of Great Expectations is installed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.vocabulary import SHOWN, STATUSES, Severity
from triple_aim.warehouse import quoted

#: The rows an expectation is about: each of these columns holds one of these values.
Where = Mapping[str, Sequence[str]]
#: Types that look at the table as a whole, of which there is one, and not at its rows.
OF_TABLES = ("expect_table_", "expect_column_values_to_be_of_type")
#: Types that look at rows whose value is missing, too; all others leave these out.
LOOK_AT_MISSING = ("_null", "_unique")
#: A range without a limit is bounded by the largest number, which is below infinity.
LARGEST = sys.float_info.max

#: The column with the number of columns of a key that are empty.
EMPTY = "empty_in_key"
PUBLISHED: Where = {"status": SHOWN}
WITHHELD: Where = {"status": tuple(status for status in STATUSES if status not in SHOWN)}


@dataclass(frozen=True)
class TableExpectation:
    """One expectation of one table.

    ``id`` is unique and stable within its suite. Expectations that share a ``check`` are one check of the mart
    ``checks``; without one, each is its own.
    """

    id: str
    type: str
    words: str
    severity: Severity = "critical"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    where: Where = field(default_factory=dict)
    check: str = ""

    @property
    def name(self) -> str:
        """The check it is part of."""
        return self.check or self.id

    @property
    def is_about_table(self) -> bool:
        return self.type.startswith(OF_TABLES)

    @property
    def is_our_own(self) -> bool:
        """Whether it is one of ``named_expectations``, whose result has its own counts by group."""
        return "by" in self.arguments

    def configuration(self) -> dict[str, Any]:
        """The expectation as Great Expectations reads it, in Python or from JSON."""
        kwargs = dict(self.arguments)
        if self.where:
            kwargs["row_condition"] = _row_condition(self.where)
        return {
            "id": self.id,
            "type": self.type,
            "kwargs": kwargs,
            "severity": self.severity,
            "description": self.words,
        }

    def mask(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """The rows of a table that it checks: those it is about, without those whose value is missing."""
        chosen = np.ones(len(table), dtype=bool)
        for column, values in self.where.items():
            chosen &= table[column].isin(values).to_numpy(dtype=bool)
        if not self.type.endswith(LOOK_AT_MISSING):
            for name in ("column", "column_A", "column_B"):
                if name in self.arguments:
                    chosen &= table[self.arguments[name]].notna().to_numpy(dtype=bool)
        return chosen


def _row_condition(where: Where) -> dict[str, Any]:
    conditions = [
        {
            "type": "comparison",
            "column": {"name": column},
            "operator": "IN" if len(values) > 1 else "==",
            "parameter": list(values) if len(values) > 1 else values[0],
        }
        for column, values in where.items()
    ]
    return conditions[0] if len(conditions) == 1 else {"type": "and", "conditions": conditions}


def suite_bytes(name: str, expectations: Iterable[TableExpectation], notes: str) -> bytes:
    """A suite as JSON for ``great_expectations.ExpectationSuite(**suite)``: no time, no version, no random id."""
    suite = {
        "name": name,
        "notes": notes,
        "meta": {},
        "expectations": [expectation.configuration() for expectation in expectations],
    }
    return (json.dumps(suite, indent=1, ensure_ascii=False) + "\n").encode()


def not_null(column: str, words: str = "", **more: Any) -> TableExpectation:
    return TableExpectation(
        f"{column}:required",
        "expect_column_values_to_not_be_null",
        words or f"{column} is never empty",
        arguments={"column": column},
        **more,
    )


def null(column: str, words: str, **more: Any) -> TableExpectation:
    return TableExpectation(
        f"{column}:withheld", "expect_column_values_to_be_null", words, arguments={"column": column}, **more
    )


def in_set(column: str, values: Sequence[str], words: str = "", **more: Any) -> TableExpectation:
    return TableExpectation(
        f"{column}:values",
        "expect_column_values_to_be_in_set",
        words or f"{column} is one of a closed list of {len(values)} values",
        arguments={"column": column, "value_set": list(values)},
        **more,
    )


def in_range(column: str, least: float | None, most: float | None, words: str = "", **more: Any) -> TableExpectation:
    return TableExpectation(
        more.pop("id", f"{column}:range"),
        "expect_column_values_to_be_between",
        words or f"{column} {bounds(least, most)}",
        arguments={
            "column": column,
            "min_value": -LARGEST if least is None else least,
            "max_value": LARGEST if most is None else most,
        },
        **more,
    )


def bounds(least: float | None, most: float | None) -> str:
    """A range in words."""
    if least is None and most is None:
        return "is finite"
    if most is None:
        return f"is at least {least:g}"
    return f"is at most {most:g}" if least is None else f"is between {least:g} and {most:g}"


def like(column: str, expression: str, words: str = "", **more: Any) -> TableExpectation:
    return TableExpectation(
        f"{column}:matches",
        "expect_column_values_to_match_regex",
        words or f"{column} has the form {expression}",
        arguments={"column": column, "regex": expression},
        **more,
    )


def at_least(column: str, other: str, words: str = "", **more: Any) -> TableExpectation:
    """One column is never below another of the same row; rows where either is empty are not compared."""
    return TableExpectation(
        more.pop("id", f"{column}:at_least_{other}"),
        "expect_column_pair_values_a_to_be_greater_than_b",
        words or f"{column} is not below {other}",
        arguments={
            "column_A": column,
            "column_B": other,
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
        **more,
    )


def unique(columns: Sequence[str], words: str = "", **more: Any) -> TableExpectation:
    several = {"column_list": list(columns), "ignore_row_if": "never"}
    return TableExpectation(
        more.pop("id", "grain"),
        "expect_compound_columns_to_be_unique" if len(columns) > 1 else "expect_column_values_to_be_unique",
        words or f"one row per {', '.join(columns)}",
        arguments=several if len(columns) > 1 else {"column": columns[0]},
        **more,
    )


def complete_key(words: str) -> TableExpectation:
    """No column of a key is empty; the engine counts the empty ones, which is faster than one expectation a column."""
    return in_range(EMPTY, 0, 0, words, id="key_is_complete")


def empty_in_key(columns: Sequence[str]) -> str:
    """How many columns of a key are empty, as a column of a select."""
    return f"{' + '.join(f'cast({quoted(name)} is null as integer)' for name in columns)} as {EMPTY}"


def row_count(rows: int, words: str = "") -> TableExpectation:
    return TableExpectation(
        "rows", "expect_table_row_count_to_equal", words or f"the table has {rows:,} rows", arguments={"value": rows}
    )


def some_rows() -> TableExpectation:
    return TableExpectation(
        "has_rows", "expect_table_row_count_to_be_between", "the table is not empty", arguments={"min_value": 1}
    )
