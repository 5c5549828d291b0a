"""Does every cube have the headers that a federation needs, and are all its sums exact?"""

from __future__ import annotations

import pytest

from tests.content import programme
from triple_aim.cubes.columns import column_type, measures_of
from triple_aim.warehouse.sql_files import Query

PROGRAMME = programme()
CUBES = [pytest.param(query, id=name) for name, query in PROGRAMME.cubes.items()]
#: Percentages that others published: no cell counts persons.
PUBLIC = {"survey_published"}


@pytest.mark.parametrize("query", CUBES)
def test_sums_are_exact(query: Query) -> None:
    assert " double" not in query.sql
    assert not [name for name in measures_of(query.columns) if column_type(name) == "DOUBLE"]


@pytest.mark.parametrize("query", CUBES)
def test_the_minimum_of_persons_can_be_checked(query: Query) -> None:
    same_extracts = [
        other for other in PROGRAMME.cubes.values() if PROGRAMME.extracts_of(other) == PROGRAMME.extracts_of(query)
    ]
    assert query.name in PUBLIC or any(other.persons for other in same_extracts)


@pytest.mark.parametrize("query", CUBES)
def test_a_cube_that_numbers_or_joins_within_a_place_needs_a_single_party(query: Query) -> None:
    needs_single_party = {"stratum", "region_code"} & set(query.grain) or "stg.population" in query.reads
    assert bool(query.single_party) or not needs_single_party


def test_only_claims_have_non_additive_columns() -> None:
    assert {name for name, query in PROGRAMME.cubes.items() if query.non_additive} == {"claims"}
