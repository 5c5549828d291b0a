"""Checks that the gate can change every sum about persons: it needs squares, or a count of persons, or a reason.

Not here: the names of squares and contributors (``triple_aim.vocabulary``), the changes themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from triple_aim.definitions.contracts import Contract
from triple_aim.errors import ContentError
from triple_aim.vocabulary import PERSON_COUNTS, squares_of
from triple_aim.warehouse import Query


def refuse_sums_without_squares(cubes: Mapping[str, Query], contracts: Mapping[str, Contract]) -> None:
    """Raise ContentError for the first sum of a cube of persons that has no squares and needs them."""
    for query in cubes_of_persons(cubes, contracts):
        if without := sums_without_squares(query):
            raise ContentError(
                f"{without[0]} has no squares per person",
                f"sql/cube/{query.name}.sql",
                "add the column with the end _sumsq, or list it after -- counts of persons:, changes with: or public:",
            )


def cubes_of_persons(cubes: Mapping[str, Query], contracts: Mapping[str, Contract]) -> list[Query]:
    """The cubes that count persons and read rows of persons, and the cubes with parts of their sums.

    Respondents of a sample have weights: the gate does not change weighted sums, so those cubes need no squares.
    """
    return [
        query
        for query in cubes.values()
        if cubes.get(query.part_of, query).persons
        and not any(name.startswith("weight") for name in query.columns)
        and (query.sources("person") or any(_is_of_persons(table, contracts) for table in query.sources("stg")))
    ]


def sums_without_squares(query: Query) -> list[str]:
    """The sums of a cube that have no squares and are no count of persons, not public, and follow no other sum."""
    sums = [name for name in query.columns if name not in query.grain and not name.endswith("_sumsq")]
    exempt = {query.persons, *query.person_counts, *query.public, *(name for name, _ in query.changes_with)}
    return [
        name
        for name in sums
        if name not in exempt and not name.endswith(PERSON_COUNTS) and squares_of(name, query.columns) is None
    ]


def _is_of_persons(table: str, contracts: Mapping[str, Contract]) -> bool:
    contract = contracts.get(table.removeprefix("stg."))
    return contract is not None and contract.level == "person"
