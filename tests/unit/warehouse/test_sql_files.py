"""Is an SQL file checked before it runs: header, one select, and only schemas that its floor may read?"""

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


def test_the_facts_of_a_file_are_read(tmp_path: Path) -> None:
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


def test_computed_and_copied_columns_are_distinguished(tmp_path: Path) -> None:
    joined = "select d.a, c.label as b, upper(d.a) as c from delivery.x as d left join ref.codes as c using (a)"
    assert read(tmp_path, "staging", HEADER + joined).computed == {"c"}
    for text in (
        "with w as (select cast(a as integer) as a from delivery.x) select a from w",
        "select a from (select cast(a as integer) as a from delivery.x)",
        "select a from delivery.x union all select a from delivery.y",
    ):
        assert read(tmp_path, "staging", HEADER + text).computed == {"a"}, text


REFUSED = {
    "a mart that reads persons": ("marts", "select a from stg.claims", "stg.claims"),
    "a mart that reads before the gate": ("marts", "select a from ind.indicator_values", "ind.indicator_values"),
    "a cube that reads a mart": ("cube", "select a from mart.triple_aim", "mart.triple_aim"),
    "a cube that reads a delivery": ("cube", "select a from delivery.claims", "delivery.claims"),
    "staging that reads staging": ("staging", "select a from stg.claims", "stg.claims"),
    "a cube that reads records of runs": ("cube", "select a from meta.staged", "meta.staged"),
    "a nested select": ("marts", "select a from safe.x where b in (select b from stg.claims)", "stg.claims"),
    "a lateral join": ("marts", "select a from safe.x, lateral (select b from stg.claims)", "stg.claims"),
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
def test_a_file_that_its_floor_does_not_allow_is_refused(tmp_path: Path, fault: str) -> None:
    floor, sql, word = REFUSED[fault]
    with pytest.raises(ContentError) as caught:
        read(tmp_path, floor, HEADER + sql)
    assert word in caught.value.what and caught.value.where.startswith(f"sql/{floor}/thing.sql")
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize("header", ["", "-- Purpose only.\n", "-- grain: a\n", "-- x\n-- grain:\n", "\n" + HEADER])
def test_a_file_with_an_incomplete_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(ContentError, match="the header is incomplete"):
        read(tmp_path, "cube", header + "select a from stg.x")


CELL = "period, municipality_code, sex, age_band, exclusion"
PARTS = {
    "parts without an additional column": (
        f"-- grain: {CELL}\n-- parts of: claims.n_eur",
        "one column in addition",
    ),
    "parts of a coarser grain": ("-- grain: period, law\n-- parts of: claims.n_eur", "one column in addition"),
    "a total that is not selected": (f"-- grain: {CELL}, law\n-- parts of: claims.x_eur", "does not name x_eur"),
    "parts without their columns": (f"-- grain: {CELL}\n-- parts: n_eur", "does not name the columns"),
    "a part that is not selected": (
        f"-- grain: {CELL}\n-- parts: all_eur by law in {{law}}_eur, all_count by law in {{law}}_count",
        "does not name n_count",
    ),
}


@pytest.mark.parametrize("fault", PARTS)
def test_wrong_parts_are_refused(tmp_path: Path, fault: str) -> None:
    header, word = PARTS[fault]
    with pytest.raises(ContentError, match=word):
        read(tmp_path, "cube", f"-- One sentence.\n{header}\nselect {CELL}, law, n_eur from stg.x")


def test_the_columns_of_the_first_sum_give_the_members_of_all_parts(tmp_path: Path) -> None:
    header = "-- parts: amount_eur by law in cost_{law}_eur, client_count by law in {law}_client_count"
    columns = "cost_b_eur, cost_a_eur, a_client_count, b_client_count, c_client_count, late_cost_eur"
    query = read(tmp_path, "cube", f"-- One.\n-- grain: {CELL}\n{header}\nselect {CELL}, {columns} from stg.x")
    assert query.parts == (
        ("amount_eur[law=b]", "cost_b_eur"),
        ("amount_eur[law=a]", "cost_a_eur"),
        ("client_count[law=b]", "b_client_count"),
        ("client_count[law=a]", "a_client_count"),
    )


def test_columns_that_follow_another_column_are_read(tmp_path: Path) -> None:
    header = """-- counts of persons: senior_count
-- keyed as: young_count = client_count, senior_count=client_count
-- changes with: client_years = client_count
-- public: resident_count, birth_count
"""
    columns = "senior_count, young_count, client_count, client_years, resident_count, birth_count"
    query = read(tmp_path, "cube", f"{HEADER}{header}select a, {columns} from stg.x")
    assert query.person_counts == ("senior_count",)
    assert query.keyed_as == (("young_count", "client_count"), ("senior_count", "client_count"))
    assert query.changes_with == (("client_years", "client_count"),)
    assert query.public == ("resident_count", "birth_count")


WRONG_COLUMNS = {
    "a count of persons that is not selected": ("counts of persons: d_count", "does not name d_count"),
    "a public column that is not selected": ("public: a_count, d_count", "does not name d_count"),
    "an alias that is not selected": ("keyed as: d_count = a_count", "does not name d_count"),
    "an alias of a column that is not selected": ("keyed as: a_count = d_count", "does not name d_count"),
    "a factor of a column that is not selected": ("changes with: a_count = d_count", "does not name d_count"),
    "an alias without a column": ("keyed as: a_count", "is not a pair of columns"),
    "an alias of two columns": ("keyed as: a_count = b_count = c_count", "is not a pair of columns"),
    "an alias of an alias": ("keyed as: a_count = b_count, b_count = c_count", "b_count” after “keyed as” contradicts"),
    "an alias of itself": ("changes with: a_count = a_count", "a_count” after “changes with” contradicts"),
    "two aliases of one column": ("keyed as: a_count = b_count, a_count = c_count", "contradicts another pair"),
}


@pytest.mark.parametrize("fault", WRONG_COLUMNS)
def test_a_header_that_names_wrong_columns_is_refused(tmp_path: Path, fault: str) -> None:
    header, word = WRONG_COLUMNS[fault]
    with pytest.raises(ContentError, match=word) as caught:
        read(tmp_path, "cube", f"{HEADER}-- {header}\nselect a, a_count, b_count, c_count from stg.x")
    assert caught.value.where == "sql/cube/thing.sql" and caught.value.how
