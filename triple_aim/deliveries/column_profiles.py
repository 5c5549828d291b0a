"""What one scan tells of the columns of a delivery, so that later scans leave out what it rules out.

Not here: what a column should hold (``validation``) or may not hold (``identifiers``).
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
#: What most columns do not hold, and whatever is looked for later cannot do without: a blank, and parts of identifiers.
MARKS = (" ", "@", "NL", "s", "S")


@dataclass(frozen=True)
class Field:
    """A column as delivered: its name and type, its value as trimmed text in SQL, and what the scan told of it."""

    column: str
    kind: str
    text: str
    filled: int
    is_complete: bool  # every row has a value
    marks: frozenset[str] = frozenset()  # those of MARKS that some value holds
    is_lettered: bool = False  # every value begins with a letter, all of them with capitals or none
    shortest: int = 0  # characters, of the text
    longest: int = 0
    lowest: float | None = field(default=None, repr=False)  # of numbers, and the year of days
    highest: float | None = field(default=None, repr=False)

    @property
    def is_padded(self) -> bool:
        """Whether some value holds a blank, so that trimming may change it."""
        return " " in self.marks

    @property
    def may_be_empty(self) -> bool:
        """Whether some text may be empty once it is trimmed; it is then no value."""
        return self.is_padded or self.shortest == 0

    def may_hold(self, *lengths: int) -> bool:
        """Whether some value can have one of these lengths; a blank makes every shorter one possible."""
        shortest = 0 if self.is_padded else self.shortest
        return any(shortest <= length <= self.longest for length in lengths)

    def is_within(self, least: float | None, most: float | None) -> bool:
        """Whether every number, or the year of every day, is known to lie between these, or to be one of them."""
        if self.lowest is None or self.highest is None:
            return False
        return (least is None or self.lowest >= least) and (most is None or self.highest <= most)


def profile(warehouse: Warehouse, table: str = RAW) -> dict[str, Field]:
    """Every column but ``line_number``, in one scan; of whole numbers and days no text is made."""
    columns = [(name, kind) for name, kind in warehouse.header(f"select * from {table}") if name != "line_number"]
    measures = [_measures(quoted(name), kind) for name, kind in columns]
    rows, *told = warehouse.rows(f"select count(*), {', '.join(m for mine in measures for m in mine)} from {table}")[0]
    ends = list(accumulate(map(len, measures)))
    return {
        name: _field(name, kind, rows, told[end - len(mine) : end])
        for (name, kind), mine, end in zip(columns, measures, ends, strict=True)
    }


def _measures(column: str, kind: str) -> list[str]:
    if kind == DATE:  # a day without a year is not of ours
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


def _field(name: str, kind: str, rows: int, told: Sequence[Any]) -> Field:
    filled, lowest, highest, *shape = told
    known = partial(Field, name, kind, filled=filled, is_complete=filled == rows, lowest=lowest, highest=highest)
    text = _as_text(quoted(name), kind)
    if kind == DATE:
        return known(text=text, shortest=DAY_LENGTH, longest=DAY_LENGTH)
    if kind in INTEGERS | FLOATS:
        return known(text=text, longest=max(length or 0 for length in shape))
    shortest, longest, is_lettered, *held = shape
    marks = frozenset(mark for mark, holds in zip(MARKS, held, strict=True) if holds)
    return known(
        text=f"trim({text})" if " " in marks else text,
        marks=marks,
        is_lettered=bool(is_lettered),
        shortest=shortest or 0,
        longest=longest or 0,
    )


def _as_text(column: str, kind: str) -> str:
    """A value as a CSV would hold it: SPSS and Excel know no integers, and pandas no dates."""
    if kind == "VARCHAR":
        return column
    if kind in FLOATS:  # 1.0 is the code 1
        whole = f"{column} = floor({column}) and abs({column}) < 1e15"
        return f"case when {whole} then cast(cast({column} as bigint) as varchar) else cast({column} as varchar) end"
    if kind.startswith("DECIMAL"):  # and so is 1.00, as a database exports a key
        return f"regexp_replace(cast({column} as varchar), '\\.0+$', '')"
    if kind.startswith("TIMESTAMP"):
        day = f"cast({column} as date)"
        return f"case when {column} = {day} then cast({day} as varchar) else cast({column} as varchar) end"
    return f"cast({column} as varchar)"
