"""Is the content checked for consistency before a run: does every step read a table that exists?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests import content
from triple_aim.definitions.programme import Programme, _check_floors
from triple_aim.errors import ContentError


@pytest.fixture
def programme() -> Programme:
    return content.programme()


def with_reads(programme: Programme, name: str, *tables: str) -> Programme:
    """The programme, in which one person table reads these tables."""
    query = replace(programme.persons[name], reads=frozenset(tables))
    return replace(programme, persons={**programme.persons, name: query})


def test_a_table_that_no_sql_creates_is_refused(programme: Programme) -> None:
    for table in ("stg.invoices", "person.visits"):
        with pytest.raises(ContentError, match=f"it reads {table}, which no SQL file creates") as caught:
            _check_floors(with_reads(programme, "enrolment", table))
        assert caught.value.where == "sql/person/enrolment.sql"


def test_a_cycle_of_person_tables_is_refused(programme: Programme) -> None:
    with pytest.raises(ContentError, match=r"person\.care_lines, person\.enrolment depend on each other"):
        _check_floors(with_reads(programme, "enrolment", "person.care_lines"))


def test_the_extracts_of_a_cube_include_those_of_its_person_tables(programme: Programme) -> None:
    assert programme.extracts_of(programme.cubes["claims"]) == {"claims", "insured_population"}
    assert programme.extracts_of(programme.persons["enrolment"]) == {"insured_population"}
