"""Adds the sums of other parties to a cube, cell by cell, in exact decimals that do not depend on the order.

Not here: the checks of a contribution (``triple_aim.federation``). ``party.<cube>`` has the rows of each party, and
``meta.contributed`` the file of each. Both can be rebuilt from the landing area.
"""

from __future__ import annotations

from collections.abc import Iterable

from triple_aim.deliveries import CONTRIBUTION, LEDGER, slot_name
from triple_aim.errors import DeliveryError
from triple_aim.warehouse import Query, Warehouse, qualified, quoted

CONTRIBUTED = (
    "table_name varchar",
    "period integer",
    "contributor varchar",
    "fingerprint varchar",
    "contribution varchar",
)
COUNTED = "none"  # the exclusion of a cell that is not excluded
UNKNOWN_LABEL = "unknown"
PLACES = ("municipality_code", "region_code")


def ensure_contributions(warehouse: Warehouse) -> None:
    """Create the tables that record the contributions of other parties."""
    warehouse.ensure("meta.contributed", CONTRIBUTED)
    warehouse.run(f"create table if not exists meta.contributed_ledger {LEDGER}")


def place_of(query: Query) -> str:
    """The column of a cube with the municipality or region of a cell."""
    return next(column for column in PLACES if column in query.grain)


def merged_periods(warehouse: Warehouse, table: str) -> set[int]:
    """The periods of a cube to which another party contributed."""
    ensure_contributions(warehouse)
    found = warehouse.rows("select distinct period from meta.contributed where table_name = ?", [table])
    return {period for (period,) in found}


def merge(warehouse: Warehouse, query: Query, period: int, sums: Iterable[str]) -> None:
    """Replace the cells of one period of a cube by the sums over all parties, including this installation.

    If one party has no value of a sum for a place, the sum of that place is missing: missing is never zero.
    Non-additive columns are empty.
    """
    table, place = qualified(query.table), place_of(query)
    names = ", ".join(map(quoted, query.columns))
    parts = f"""select '' as contributor, {names} from {table} where period = $period
                union all select contributor, {names} from {qualified("party." + query.name)} where period = $period"""
    if query.single_party:
        _refuse_two_parties(warehouse, query, parts, period)
    added = [name for name in sums if name not in query.non_additive]
    others = [name for name in query.columns if name not in (*query.grain, *added, *query.non_additive)]
    grain, where = ", ".join(map(quoted, query.grain)), f"{quoted(place)}, exclusion"
    missing = [f"count({quoted(name)}) = 0 as {quoted('no_' + name)}" for name in added]
    missing_anywhere = [f"bool_or({quoted('no_' + name)}) as {quoted('no_' + name)}" for name in added]
    totals = [f"sum({quoted(name)}) as {quoted(name)}" for name in added]
    totals += [f"max({quoted(name)}) as {quoted(name)}" for name in others]
    complete = [f"case when not {quoted('no_' + name)} then {quoted(name)} end as {quoted(name)}" for name in added]
    kept = ", ".join([*map(quoted, query.grain), *complete, *map(quoted, others)])
    warehouse.run(
        f"""create or replace temp table merged as
            with parts as ({parts}),
            of_party as (select contributor, {", ".join([where, *missing])} from parts group by contributor, {where}),
            missing_sums as (select {", ".join([where, *missing_anywhere])} from of_party group by {where}),
            totals as (select {", ".join([grain, *totals])} from parts group by {grain})
            select {kept} from totals join missing_sums using ({where})""",
        {"period": period},
    )
    warehouse.run(f"delete from {table} where period = ?", [period])
    warehouse.run(f"insert into {table} by name select * from temp.main.merged")
    warehouse.run("drop table temp.main.merged")


def _refuse_two_parties(warehouse: Warehouse, query: Query, parts: str, period: int) -> None:
    """Raise DeliveryError if two parties have cells of one place, in a cube whose cells do not add up over parties."""
    place = quoted(query.single_party)
    shared = warehouse.rows(
        f"""select {place}, string_agg(distinct coalesce(nullif(contributor, ''), 'this installation'), ' and ')
            from ({parts}) as parts where exclusion = '{COUNTED}' and {place} <> '{UNKNOWN_LABEL}'
            group by {place} having count(distinct contributor) > 1 order by 1""",
        {"period": period},
    )
    if shared:
        code, parties = shared[0]
        raise DeliveryError(
            f"{len(shared):,} places of {period} come from two parties: {code} from {parties}",
            f"cube.{query.name}",
            "let one of them leave these places out of its deliveries, and export again",
        )


def contributed(warehouse: Warehouse) -> dict[str, str]:
    """The contributions in the current cubes: ``contribution/period/party`` → hash of the manifest."""
    ensure_contributions(warehouse)
    rows = warehouse.rows("select distinct period, contributor, contribution from meta.contributed order by all")
    return {slot_name(CONTRIBUTION, period, party): content for period, party, content in rows}
