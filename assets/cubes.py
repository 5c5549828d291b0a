"""Floor 3: one asset a file of ``sql/cube``, ``cube/<name>``, partitioned by year; one step."""

from collections.abc import Sequence

import dagster as dg

from assets.resources import Monitor, by_year
from triple_aim.checks import Verdict, cube_verdicts
from triple_aim.cubes import municipality_codes
from triple_aim.definitions import Programme
from triple_aim.federation import stage_contributions
from triple_aim.indicators import Geography, geography
from triple_aim.warehouse import Query, Warehouse


def cube_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    return [by_year("cube", programme.cubes.values(), _check, _lay_beside)]


def _lay_beside(monitor: Monitor, warehouse: Warehouse) -> None:
    """What other parties contributed, beside what is made here."""
    stage_contributions(warehouse, monitor.programme)


def _check(monitor: Monitor, warehouse: Warehouse, queries: Sequence[Query]) -> dict[str, list[Verdict]]:
    """The verdicts on cubes, which ask where their municipalities belong."""
    return cube_verdicts(warehouse, {query: _place(monitor, warehouse, query) for query in queries})


def _place(monitor: Monitor, warehouse: Warehouse, query: Query) -> Geography | None:
    codes = municipality_codes(warehouse, query)
    regions = monitor.inputs.regions(warehouse)
    return geography(regions, regions.types, codes) if codes else None
