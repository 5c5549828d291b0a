"""What is expected of cubes, ``cube.*``: one suite for the tables of all of them, generated from their SQL files.

Not here: tables of persons, and whether municipalities are known (``rules``). The engine hands over the keys of each
cube and the smallest of its counts, never a row of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from triple_aim.checks.rules import municipality_verdicts, never_negative, part_verdicts
from triple_aim.checks.suites import TableExpectation, complete_key, empty_in_key, in_range, in_set, like, unique
from triple_aim.checks.validation import validate
from triple_aim.checks.verdicts import Verdict
from triple_aim.indicators import Geography
from triple_aim.periods import FIRST_PERIOD
from triple_aim.warehouse import Query, Warehouse, literal, qualified, quoted

BY = "cube"
#: F and M; Vektis delivers V for women, and a row without a sex is unknown.
SEXES = ("F", "M", "V", "unknown")
AGE_BAND = r"^(?:[0-9]{2}-[0-9]{2}|[0-9]{2}\+|unknown)$"
LAST_PERIOD = 2100
NOT_NEGATIVE = "no count or person-time is negative"
SEX = f"sex is one of {', '.join(SEXES)}"
AGE = "age_band is a range of ages, such as 65-69 or 90+, or unknown"
#: Each check of a cube in words.
WORDS: dict[str, Callable[[Query], str]] = {
    "grain": lambda query: f"one row per {', '.join(query.grain)}",
    "key_is_complete": lambda query: f"none of {', '.join(query.grain)} is empty",
    "not_negative": lambda query: NOT_NEGATIVE,
    "period:range": lambda query: f"period is between {FIRST_PERIOD} and {LAST_PERIOD}",
    "sex:values": lambda query: SEX,
    "age_band:matches": lambda query: AGE,
}


def cube_verdicts(warehouse: Warehouse, places: Mapping[Query, Geography | None]) -> dict[str, list[Verdict]]:
    """A cube has one row per grain, no empty key, no negative count, and municipalities that are known; by table."""
    if not places:
        return {}
    rows = warehouse.frame(" union all ".join(_select(query) for query in places))
    findings = validate(rows, cube_suite(), BY)
    verdicts = {}
    for query, place in places.items():
        subject = query.table.replace(".", "/")
        verdicts[query.table] = [
            Verdict(
                f"{subject}:{finding.expectation.id}",
                subject,
                WORDS[finding.expectation.id](query),
                finding.expectation.severity,
                *finding.groups.get(query.table, (0, 0)),
                finding.note,
            )
            for finding in findings
            if finding.expectation.id.split(":")[0] not in {"period", "sex", "age_band"} - {*query.grain}
        ]
        verdicts[query.table] += part_verdicts(warehouse, query)
        if place is not None:
            verdicts[query.table] += municipality_verdicts(query, place)
    return verdicts


def cube_suite() -> list[TableExpectation]:
    """The expectations of the tables of all cubes, laid one under the other."""
    return [
        unique([BY, "grain_key"], "one row per grain of the cube"),
        complete_key("no column of the grain is empty"),
        in_range("smallest_count", 0, None, NOT_NEGATIVE, id="not_negative"),
        in_range("period", FIRST_PERIOD, LAST_PERIOD),
        in_set("sex", SEXES, SEX),
        like("age_band", AGE_BAND, AGE),
    ]


def _select(query: Query) -> str:
    """The keys of one cube, and the smallest of its counts."""
    grain = {name: quoted(name) for name in query.grain}
    texts = ", ".join(f"coalesce(cast({name} as varchar), '')" for name in grain.values())
    counts = ", ".join(f"cast({quoted(name)} as double)" for name in never_negative(query)) or "null::double"
    return f"""
        select {literal(query.table)} as {BY}, concat_ws(chr(31), {texts}) as grain_key,
            cast({grain.get("period", "null")} as integer) as period,
            cast({grain.get("sex", "null")} as varchar) as sex,
            cast({grain.get("age_band", "null")} as varchar) as age_band,
            {empty_in_key(query.grain)}, least({counts}) as smallest_count
        from {qualified(query.table)}"""
