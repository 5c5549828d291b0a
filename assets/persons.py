"""Floor 2: an asset ``person/<name>`` per file of ``sql/person``, partitioned by year; all in one step.

The tables contain rows of persons: events report only their number, and no floor above the cubes reads them.
"""

from collections.abc import Sequence

import dagster as dg

from assets.resources import Monitor, by_year
from triple_aim.checks import Verdict, person_verdicts
from triple_aim.definitions import Programme
from triple_aim.warehouse import Query, Warehouse


def person_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    return [by_year("person", programme.persons.values(), _check)]


def _check(monitor: Monitor, warehouse: Warehouse, queries: Sequence[Query]) -> dict[str, list[Verdict]]:
    """The verdicts on tables of persons, which the engine counts."""
    return {query.table: person_verdicts(warehouse, query) for query in queries}
