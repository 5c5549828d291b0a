"""Profiles the columns of a delivery in one scan, so that later scans can skip checks that no value can fail.

Not here: what a column should contain (``validation``) or may not contain (``identifiers``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any

from triple_aim.deliveries.formats import RAW
from triple_aim.warehouse import Warehouse, literal, quoted

INTEGERS = frozenset("TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER".split())
FLOATS = frozenset({"DOUBLE", "FLOAT"})
DATE = "DATE"
DAY_LENGTH = len("2024-12-31")
#: Texts that later checks look for and most columns do not contain: a blank, and parts of identifiers.
MARKS = (" ", "@", "NL", "s", "S")


@dataclass(frozen=True)
class ColumnProfile:
    """A delivered column: its name, its type, SQL for its value as trimmed text, and the results of the scan."""

    column: str
    kind: str
    text: str
    filled: int  # rows with a value
    is_complete: bool  # every row has a value
    marks: frozenset[str] = frozenset()  # the MARKS that some value contains
    starts_with_letter: bool = False  # every value does; either all letters are capitals, or none
    shortest: int = 0  # characters of the text
    longest: int = 0
    lowest: float | None = field(default=None, repr=False)  # of numbers; of dates, the year
    highest: float | None = field(default=None, repr=False)

    @property
    def is_padded(self) -> bool:
        """Whether some value contains a blank, so that trimming may change it."""
        return " " in self.marks

    @property
    def may_be_empty(self) -> bool:
        """Whether some text may be empty after trimming, and then is a missing value."""
        return self.is_padded or self.shortest == 0

    def may_hold(self, *lengths: int) -> bool:
        """Whether some value can have one of these lengths; a value with a blank may be shorter after trimming."""
        shortest = 0 if self.is_padded else self.shortest
        return any(shortest <= length <= self.longest for length in lengths)

    def is_within(self, least: float | None, most: float | None) -> bool:
        """Whether every number, or the year of every date, is known to be within these bounds, inclusive."""
        if self.lowest is None or self.highest is None:
            return False
        return (least is None or self.lowest >= least) and (most is None or self.highest <= most)


def profile_columns(warehouse: Warehouse, table: str = RAW) -> dict[str, ColumnProfile]:
    """Profile every column except ``line_number`` in one scan; integers and dates are not converted to text."""
    columns = [(name, kind) for name, kind in warehouse.header(f"select * from {table}") if name != "line_number"]
    measures = [_measures(quoted(name), kind) for name, kind in columns]
    select = ", ".join(sql for of_column in measures for sql in of_column)
    rows, *results = warehouse.rows(f"select count(*), {select} from {table}")[0]
    ends = list(accumulate(map(len, measures)))
    return {
        name: _column_profile(name, kind, rows, results[end - len(of_column) : end])
        for (name, kind), of_column, end in zip(columns, measures, ends, strict=True)
    }


def _measures(column: str, kind: str) -> list[str]:
    if kind == DATE:  # a date without a year is out of every range
        return [f"count({column})", f"coalesce(year(min({column})), 0)", f"coalesce(year(max({column})), 10000)"]
    text = _as_text(column, kind)
    ends = [f"cast({end}({column}) as double)" for end in ("min", "max")]
    if kind in INTEGERS:
        return [f"count({column})", *ends, *(f"strlen(cast({end}({column}) as varchar))" for end in ("min", "max"))]
    if kind in FLOATS:
        return [f"count({column})", *ends, f"max(strlen({text}))"]
    return [
        f"count({text})",
        *("null", "null"),
        f"min(strlen({text}))",
        f"max(strlen({text}))",
        f"min({text}) >= 'A' and max({text}) < '[' or min({text}) >= 'a' and max({text}) < '{{'",
        *(f"bool_or(contains({text}, {literal(mark)}))" for mark in MARKS),
    ]


def _column_profile(name: str, kind: str, rows: int, results: Sequence[Any]) -> ColumnProfile:
    filled, lowest, highest, *shape = results
    column = partial(
        ColumnProfile, name, kind, filled=filled, is_complete=filled == rows, lowest=lowest, highest=highest
    )
    text = _as_text(quoted(name), kind)
    if kind == DATE:
        return column(text=text, shortest=DAY_LENGTH, longest=DAY_LENGTH)
    if kind in INTEGERS | FLOATS:
        return column(text=text, longest=max(length or 0 for length in shape))
    shortest, longest, starts_with_letter, *contains = shape
    marks = frozenset(mark for mark, is_contained in zip(MARKS, contains, strict=True) if is_contained)
    return column(
        text=f"trim({text})" if " " in marks else text,
        marks=marks,
        starts_with_letter=bool(starts_with_letter),
        shortest=shortest or 0,
        longest=longest or 0,
    )


def _as_text(column: str, kind: str) -> str:
    """SQL for a value as text in a CSV: SPSS and Excel store integers as floats, pandas stores dates as timestamps."""
    if kind == "VARCHAR":
        return column
    if kind in FLOATS:  # 1.0 becomes the code 1
        whole = f"{column} = floor({column}) and abs({column}) < 1e15"
        return f"case when {whole} then cast(cast({column} as bigint) as varchar) else cast({column} as varchar) end"
    if kind.startswith("DECIMAL"):  # 1.00 too, as a database exports a key
        return f"regexp_replace(cast({column} as varchar), '\\.0+$', '')"
    if kind.startswith("TIMESTAMP"):
        day = f"cast({column} as date)"
        return f"case when {column} = {day} then cast({day} as varchar) else cast({column} as varchar) end"
    return f"cast({column} as varchar)"
