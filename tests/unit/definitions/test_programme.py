"""Is the content held against itself before anything runs: does every step read something that is made?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests import content
from triple_aim.definitions.programme import Programme, _check_floors
from triple_aim.errors import ContentError


@pytest.fixture
def programme() -> Programme:
    return content.programme()


def reading(programme: Programme, name: str, *tables: str) -> Programme:
    """The programme, with one person table that reads these tables."""
    query = replace(programme.persons[name], reads=frozenset(tables))
    return replace(programme, persons={**programme.persons, name: query})


def test_a_table_that_nothing_makes_is_refused(programme: Programme) -> None:
    for table in ("stg.invoices", "person.visits"):
        with pytest.raises(ContentError, match=f"it reads {table}, which nothing makes") as caught:
            _check_floors(reading(programme, "enrolment", table))
        assert caught.value.where == "sql/person/enrolment.sql"


def test_person_tables_that_read_each_other_are_refused(programme: Programme) -> None:
    with pytest.raises(ContentError, match=r"person\.care_lines, person\.enrolment read each other in a circle"):
        _check_floors(reading(programme, "enrolment", "person.care_lines"))


def test_a_cube_rests_on_the_extracts_of_its_person_tables(programme: Programme) -> None:
    assert programme.extracts_of(programme.cubes["claims"]) == {"claims", "insured_population"}
    assert programme.extracts_of(programme.persons["enrolment"]) == {"insured_population"}
