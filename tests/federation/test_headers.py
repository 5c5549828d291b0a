"""Does every cube say what a federation has to know, and are all its sums exact?"""

from __future__ import annotations

import pytest

from tests.content import programme
from triple_aim.cubes.build import MEASURES, column_type
from triple_aim.warehouse.sql_files import Query

PROGRAMME = programme()
CUBES = [pytest.param(query, id=name) for name, query in PROGRAMME.cubes.items()]
#: Percentages of others are public: no person is counted in them here.
PUBLIC = {"survey_published"}


@pytest.mark.parametrize("query", CUBES)
def test_sums_are_exact(query: Query) -> None:
    assert " double" not in query.sql
    assert not [name for name in query.columns if name.endswith(MEASURES) and column_type(name) == "DOUBLE"]


@pytest.mark.parametrize("query", CUBES)
def test_the_minimum_of_persons_can_be_held(query: Query) -> None:
    kin = [other for other in PROGRAMME.cubes.values() if PROGRAMME.extracts_of(other) == PROGRAMME.extracts_of(query)]
    assert query.name in PUBLIC or any(other.persons for other in kin)


@pytest.mark.parametrize("query", CUBES)
def test_a_cube_that_numbers_or_joins_within_a_place_takes_it_whole(query: Query) -> None:
    beside = {"stratum", "region_code"} & set(query.grain) or "stg.population" in query.reads
    assert bool(query.single_party) or not beside


def test_only_claims_rank_everyone() -> None:
    assert {name for name, query in PROGRAMME.cubes.items() if query.non_additive} == {"claims"}
