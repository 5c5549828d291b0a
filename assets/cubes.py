"""Floor 3: an asset ``cube/<name>`` per file of ``sql/cube``, partitioned by year; all in one step."""

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
    return [by_year("cube", programme.cubes.values(), _check, _stage_contributions)]


def _stage_contributions(monitor: Monitor, warehouse: Warehouse) -> None:
    """Stage the cubes of other parties, which are added to our own."""
    stage_contributions(warehouse, monitor.programme)


def _check(monitor: Monitor, warehouse: Warehouse, queries: Sequence[Query]) -> dict[str, list[Verdict]]:
    """The verdicts on cubes, which ask where their municipalities belong."""
    return cube_verdicts(warehouse, {query: _place(monitor, warehouse, query) for query in queries})


def _place(monitor: Monitor, warehouse: Warehouse, query: Query) -> Geography | None:
    """The regions of the municipalities in a cube, for its checks."""
    codes = municipality_codes(warehouse, query)
    regions = monitor.inputs.regions(warehouse)
    return geography(regions, regions.types, codes) if codes else None
