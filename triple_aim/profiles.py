"""What one scan tells of the columns of a delivery, so that later scans leave out what it rules out.

Not here: what a column should hold (``acceptance``) or may not hold (``privacy``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triple_aim.formats import RAW
from triple_aim.warehouse import Warehouse, literal, quoted

INTEGERS = frozenset("TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER".split())
DATE = "DATE"
DAY_LENGTH = len("2024-12-31")
#: What most columns do not hold, and whatever is looked for later cannot do without: a blank, and parts of identifiers.
MARKS = (" ", "@", "NL", "s", "S")


@dataclass(frozen=True)
class Field:
    """A column as delivered: its name and type, its value as trimmed text in SQL, and what the scan told of it."""

    column: str
    kind: str
    text: str
    filled: int
    marks: frozenset[str]  # those of MARKS that some value holds
    is_lettered: bool  # every value begins with a letter, all of them with capitals or none
    shortest: int  # characters, of the text
    longest: int

    @property
    def is_padded(self) -> bool:
        """Whether some value holds a blank, so that trimming may change it."""
        return " " in self.marks

    def may_hold(self, *lengths: int) -> bool:
        """Whether some value can have one of these lengths; a blank makes every shorter one possible."""
        shortest = 0 if self.is_padded else self.shortest
        return any(shortest <= length <= self.longest for length in lengths)


def profile(warehouse: Warehouse, table: str = RAW) -> dict[str, Field]:
    """Every column but ``line_number``, in one scan; of whole numbers and days no text is made."""
    columns = [(name, kind) for name, kind in warehouse.header(f"select * from {table}") if name != "line_number"]
    measures = [_measures(name, kind) for name, kind in columns]
    told = warehouse.rows(f"select {', '.join(m for mine in measures for m in mine)} from {table}")[0]
    ends = [sum(map(len, measures[: i + 1])) for i in range(len(measures))]
    return {
        name: _field(name, kind, told[end - len(mine) : end])
        for (name, kind), mine, end in zip(columns, measures, ends, strict=True)
    }


def _measures(name: str, kind: str) -> list[str]:
    column = quoted(name)
    if kind == DATE:
        return [f"count({column})"]
    if kind in INTEGERS:
        return [
            f"count({column})",
            f"strlen(cast(min({column}) as varchar))",
            f"strlen(cast(max({column}) as varchar))",
        ]
    text = _as_text(column, kind)
    return [
        f"count({text})",
        *(f"bool_or(contains({text}, {literal(mark)}))" for mark in MARKS),
        f"min({text}) >= 'A' and max({text}) < '[' or min({text}) >= 'a' and max({text}) < '{{'",
        f"min(strlen({text}))",
        f"max(strlen({text}))",
    ]


def _field(name: str, kind: str, told: Sequence[Any]) -> Field:
    filled, text = told[0], _as_text(quoted(name), kind)
    if kind == DATE:
        return Field(name, kind, text, filled, frozenset(), False, DAY_LENGTH, DAY_LENGTH)
    if kind in INTEGERS:
        return Field(name, kind, text, filled, frozenset(), False, 0, max(told[1] or 0, told[2] or 0))
    *held, is_lettered, shortest, longest = told[1:]
    marks = frozenset(mark for mark, holds in zip(MARKS, held, strict=True) if holds)
    trimmed = f"trim({text})" if " " in marks else text
    return Field(name, kind, trimmed, filled, marks, bool(is_lettered), shortest or 0, longest or 0)


def _as_text(column: str, kind: str) -> str:
    """A value as a CSV would hold it: SPSS and Excel know no integers, and pandas no dates."""
    if kind == "VARCHAR":
        return column
    if kind in ("DOUBLE", "FLOAT"):  # 1.0 is the code 1
        whole = f"{column} = floor({column}) and abs({column}) < 1e15"
        return f"case when {whole} then cast(cast({column} as bigint) as varchar) else cast({column} as varchar) end"
    if kind.startswith("DECIMAL"):  # and so is 1.00, as a database exports a key
        return f"regexp_replace(cast({column} as varchar), '\\.0+$', '')"
    if kind.startswith("TIMESTAMP"):
        day = f"cast({column} as date)"
        return f"case when {column} = {day} then cast({day} as varchar) else cast({column} as varchar) end"
    return f"cast({column} as varchar)"
