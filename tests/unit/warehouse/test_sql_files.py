"""Is a SQL file vetted before it runs: header, one select, and only the floors below it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from triple_aim.errors import ContentError
from triple_aim.warehouse.sql_files import Query, read_query

HEADER = "-- One sentence.\n-- grain: a\n"


def read(folder: Path, floor: str, text: str) -> Query:
    path = folder / floor / "thing.sql"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return read_query(path)


def test_what_a_file_says_of_itself(tmp_path: Path) -> None:
    text = """-- What it is for,
-- in two lines.
-- grain: period, sex
-- needs: any
with few as (select period, sex from stg.claims where period = $period)

-- grain: not this one
select few.period, few.sex, count(*) as n_count from few join ref.codes using (sex) group by all
"""
    query = read(tmp_path, "cube", text)
    assert (query.name, query.purpose) == ("thing", "What it is for, in two lines.")
    assert query.grain == ("period", "sex") and query.columns == ("period", "sex", "n_count") and query.any_source
    assert query.table == "cube.thing" and query.sources("stg") == ["stg.claims"] and query.sources("person") == []
    assert query.params == {"period"} and query.reads == {"stg.claims", "ref.codes"}


def test_what_a_file_makes_and_what_it_passes_on(tmp_path: Path) -> None:
    joined = "select d.a, c.label as b, upper(d.a) as c from delivery.x as d left join ref.codes as c using (a)"
    assert read(tmp_path, "staging", HEADER + joined).made == {"c"}
    for text in (
        "with w as (select cast(a as integer) as a from delivery.x) select a from w",
        "select a from (select cast(a as integer) as a from delivery.x)",
        "select a from delivery.x union all select a from delivery.y",
    ):
        assert read(tmp_path, "staging", HEADER + text).made == {"a"}, text


REFUSED = {
    "a mart that reads persons": ("marts", "select a from stg.claims", "stg.claims"),
    "a mart that reads past the gate": ("marts", "select a from ind.indicator_values", "ind.indicator_values"),
    "a cube that reads a mart": ("cube", "select a from mart.triple_aim", "mart.triple_aim"),
    "a cube that reads a delivery": ("cube", "select a from delivery.claims", "delivery.claims"),
    "staging that reads staging": ("staging", "select a from stg.claims", "stg.claims"),
    "what runs remember": ("cube", "select a from meta.staged", "meta.staged"),
    "a deeper select": ("marts", "select a from safe.x where b in (select b from stg.claims)", "stg.claims"),
    "a lateral": ("marts", "select a from safe.x, lateral (select b from stg.claims)", "stg.claims"),
    "a name that hides a table": (
        "marts",
        'with "stg.claims" as (select 1 as a) select a from stg.claims',
        "stg.claims",
    ),
    "another catalogue": ("marts", "select a from other.safe.x", "other.safe.x"),
    "no schema": ("marts", "select a from claims", "claims"),
    "a file": ("cube", "select a from '/etc/passwd'", "/etc/passwd"),
    "a file whose name looks like a table": ("marts", 'select a from "safe.x"', "“safe.x”"),
    "a function of a table's name": ("marts", "select a from query_table('safe.x')", "a function"),
    "a reading function": ("cube", "select a from read_csv('/etc/passwd')", "a function"),
    "SQL in a string": ("cube", "select a from query('select a from mart.x')", "a function"),
    "two statements": ("cube", "select a from stg.x; drop table stg.x", "exactly one select"),
    "two selects": ("cube", "select a from stg.x; select a from stg.x", "exactly one select"),
    "a definition": ("cube", "create table stg.y as select a from stg.x", "exactly one select"),
    "a deletion": ("cube", "delete from stg.x", "exactly one select"),
    "a deletion inside": ("cube", "with b as (delete from stg.x returning a) select a from b", "exactly one select"),
    "a copy": ("cube", "copy (select a from stg.x) to 'x'", "exactly one select"),
    "a setting": ("cube", "set threads = 1", "exactly one select"),
    "an attachment": ("cube", "attach 'x.duckdb'", "exactly one select"),
    "nothing": ("cube", "", "exactly one select"),
    "no SQL": ("cube", "select a from\nwhere (", ""),
    "every column": ("cube", "select * from stg.x", "does not name"),
    "a grain that is not selected": ("cube", "select b from stg.x", "does not name a"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_file_that_reads_or_does_what_its_floor_may_not_is_refused(tmp_path: Path, fault: str) -> None:
    floor, sql, word = REFUSED[fault]
    with pytest.raises(ContentError) as caught:
        read(tmp_path, floor, HEADER + sql)
    assert word in caught.value.what and caught.value.where.startswith(f"sql/{floor}/thing.sql")
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize("header", ["", "-- Purpose only.\n", "-- grain: a\n", "-- x\n-- grain:\n", "\n" + HEADER])
def test_a_file_without_a_whole_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(ContentError, match="the header is incomplete"):
        read(tmp_path, "cube", header + "select a from stg.x")
