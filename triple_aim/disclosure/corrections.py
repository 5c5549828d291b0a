"""Corrections of published periods: how many persons changed since the release, and whether that is enough to publish.

Not here: writing a release (``triple_aim.release``). Every cell that a person leaves or enters gets new noise, but a
reader who knows that one person was withdrawn learns that the changed cells are those of this person.
"""

from __future__ import annotations

from collections.abc import Iterable

from triple_aim.cubes import COUNTED, column_roles
from triple_aim.definitions import Programme
from triple_aim.disclosure.suppress_mode import record_publication, refuse_second_publication
from triple_aim.errors import DisclosureError
from triple_aim.warehouse import Query, Warehouse, qualified, quoted

#: The copies of the cubes from which the current release was made.
SCHEMA = "published"


def refuse_small_corrections(warehouse: Warehouse, programme: Programme) -> None:
    """Refuse a release that corrects a published period by too few persons; a new period is no correction.

    Parameters
    ----------
    warehouse : Warehouse
        With the cubes, and their copies of the last release.

    Raises
    ------
    DisclosureError
        With the cube and the period. Releases with more corrections at once pass; the release before stays current.
    """
    refuse_second_publication(warehouse, _suppressed(programme))
    for query in _protected(programme):
        least = programme.publication.threshold(query.name).persons
        for period, persons in _changed_persons(warehouse, query):
            if 0 < persons < least:
                raise DisclosureError(
                    f"a correction of {period} changes fewer than {least} persons",
                    f"cube.{query.name}",
                    "collect corrections and publish them at once (publish_corrections_every), or withdraw it",
                )


def record_published(warehouse: Warehouse, programme: Programme) -> None:
    """Copy the cubes of a release, so that the next one can be compared with it."""
    warehouse.run(f"create schema if not exists {SCHEMA}")
    for query in _protected(programme):
        if warehouse.exists(query.table):
            copy, table = qualified(f"{SCHEMA}.{query.name}"), qualified(query.table)
            warehouse.run(f"create or replace table {copy} as select * from {table} where exclusion = '{COUNTED}'")
    record_publication(warehouse, _suppressed(programme))


def _suppressed(programme: Programme) -> list[str]:
    return [name for name in programme.cubes if programme.publication.threshold(name).mode == "suppress"]


def _protected(programme: Programme) -> Iterable[Query]:
    """The cubes of persons whose sums change."""
    cubes = programme.cubes.values()
    return [
        query for query in cubes if query.persons and programme.publication.threshold(query.name).mode == "cell_key"
    ]


def _changed_persons(warehouse: Warehouse, query: Query) -> list[tuple[int, int]]:
    """The least number of persons who changed, by period: the largest change of a count, or the changed cells.

    A changed cell has at least one changed person, also where only amounts changed. A person who leaves a cell and
    another who enters it are one change less than they are; then more persons changed.
    """
    copy = f"{SCHEMA}.{query.name}"
    if not (warehouse.exists(copy) and warehouse.exists(query.table)):
        return []
    before = {name for name, _ in warehouse.header(f"select * from {qualified(copy)}")}
    roles = column_roles(query, query.columns)
    counts = [name for name in query.columns if name.endswith("_count") and name in before]
    counts = [name for name in counts if roles.kind(name) == "persons"]
    measures = [name for name in query.columns if name not in query.grain and name in before]
    if not counts or not set(query.grain) <= before:
        return []
    is_changed = " or ".join(f"new.{quoted(name)} is distinct from old.{quoted(name)}" for name in measures)
    changes = ", ".join(
        f"sum(abs(coalesce(new.{quoted(name)}, 0) - coalesce(old.{quoted(name)}, 0)))" for name in counts
    )
    return [
        (int(period), int(persons))
        for period, persons in warehouse.rows(
            f"""select period, greatest({changes}, count(*) filter (where {is_changed}))
                from (select * from {qualified(query.table)} where exclusion = '{COUNTED}') as new
                full join {qualified(copy)} as old using ({", ".join(query.grain)})
                where period in (select period from {qualified(query.table)})
                    and period in (select period from {qualified(copy)})
                group by period order by period"""
        )
    ]
