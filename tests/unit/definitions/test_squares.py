"""Is a sum refused if the gate cannot change it, because its cube has no squares of it?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests import content
from triple_aim.definitions.squares import cubes_of_persons, refuse_sums_without_squares, sums_without_squares
from triple_aim.errors import ContentError
from triple_aim.vocabulary import PERSON_COUNTS, contributors_of, squares_of
from triple_aim.warehouse import Query

PROGRAMME = content.programme()
OF_PERSONS = cubes_of_persons(PROGRAMME.cubes, PROGRAMME.contracts)


def test_the_cubes_of_persons_are_those_of_claims_the_social_domain_and_deaths() -> None:
    assert [query.name for query in OF_PERSONS] == [
        "claims",
        "claims_avoidable_admissions",
        "claims_care_kinds",
        "claims_case_mix",
        "claims_cost_classes",
        "claims_equity",
        "mortality",
        "social_domain",
    ]


@pytest.mark.parametrize(
    ("cube", "column"),
    [
        ("claims", "amount_eur"),
        ("claims", "emergency_visit_count"),
        ("claims", "antibiotic_ddd_sum"),
        ("claims_care_kinds", "line_count"),
        ("mortality", "preventable_death_sum"),
        ("social_domain", "wmo_end_count"),
    ],
)
def test_a_sum_whose_squares_are_missing_is_refused(cube: str, column: str) -> None:
    query = PROGRAMME.cubes[cube]
    squares = squares_of(column, query.columns)
    without = replace(query, columns=tuple(name for name in query.columns if name != squares))
    with pytest.raises(ContentError, match=f"{column} has no squares per person") as caught:
        refuse_sums_without_squares({**PROGRAMME.cubes, cube: without}, PROGRAMME.contracts)
    assert caught.value.where == f"sql/cube/{cube}.sql"


@pytest.mark.parametrize(
    ("field", "value"),
    [("person_counts", ("n_count",)), ("public", ("n_count",)), ("changes_with", (("n_count", "m_client_count"),))],
)
def test_a_header_says_which_sums_need_no_squares(field: str, value: tuple[object, ...]) -> None:
    columns = ("period", "n_count", "m_client_count", "cost_eur", "cost_eur_sumsq")
    query = Query("x", "", "", ("period",), False, frozenset(), frozenset(), columns)
    assert sums_without_squares(query) == ["n_count"]
    assert sums_without_squares(replace(query, **{field: value})) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("query", OF_PERSONS, ids=lambda query: query.name)
def test_a_count_of_persons_or_a_public_number_has_no_squares(query: Query) -> None:
    named = {query.persons, *query.person_counts, *query.public} & set(query.columns)
    counts = named | {name for name in query.columns if name.endswith(PERSON_COUNTS)}
    assert not {name for name in counts if squares_of(name, query.columns)}


def test_events_have_the_persons_behind_them_except_bed_days_and_lines() -> None:
    """Days and lines of one person are many; the gate changes them as it changes euros."""
    events = {
        f"{query.name}.{name}"
        for query in OF_PERSONS
        for name in query.columns
        if name.endswith("_count") and squares_of(name, query.columns) and not contributors_of(name, query.columns)
    }
    assert events == {
        "claims.bed_day_count",
        "claims.claim_line_count",
        "claims_care_kinds.line_count",
        "social_domain.provision_count",
    }
