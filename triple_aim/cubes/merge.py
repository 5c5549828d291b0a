"""Sums of other parties added to a cube, cell by cell: exact decimals, so the order of parties changes no digit.

Not here: what may be added (``triple_aim.federation``). What a party contributes stands in ``party.<cube>``, with
its name; ``meta.contributed`` says from which file. Both are made again from the landing area.
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
    """Create the tables that record what other parties contributed."""
    warehouse.ensure("meta.contributed", CONTRIBUTED)
    warehouse.run(f"create table if not exists meta.contributed_ledger {LEDGER}")


def place_of(query: Query) -> str:
    """The column that says where a cell of a cube is."""
    return next(column for column in PLACES if column in query.grain)


def merged_periods(warehouse: Warehouse, table: str) -> set[int]:
    """The periods of a cube to which another party contributed."""
    ensure_contributions(warehouse)
    found = warehouse.rows("select distinct period from meta.contributed where table_name = ?", [table])
    return {period for (period,) in found}


def merge(warehouse: Warehouse, query: Query, period: int, sums: Iterable[str]) -> None:
    """Replace the own cells of one period of a cube by those of all parties together.

    A sum that one party lacks of a place is unknown of that place: missing is never zero. What ranks everyone is empty.
    The largest amounts are those of the parties, ranked again.
    """
    table, place = qualified(query.table), place_of(query)
    names = ", ".join(map(quoted, query.columns))
    parts = f"""select '' as contributor, {names} from {table} where period = $period
                union all select contributor, {names} from {qualified("party." + query.name)} where period = $period"""
    if query.single_party:
        _refuse_double(warehouse, query, parts, period)
    added = [name for name in sums if name not in query.non_additive]
    others = [name for name in query.columns if name not in (*query.grain, *added, *query.non_additive, *query.largest)]
    grain, where = ", ".join(map(quoted, query.grain)), f"{quoted(place)}, exclusion"
    lacks = [f"count({quoted(name)}) = 0 as {quoted('no_' + name)}" for name in added]
    lacking = [f"bool_or({quoted('no_' + name)}) as {quoted('no_' + name)}" for name in added]
    totals = [f"sum({quoted(name)}) as {quoted(name)}" for name in added]
    totals += [f"max({quoted(name)}) as {quoted(name)}" for name in others]
    # Persons are not linked over parties: the largest amounts of all are among the largest of each.
    listed = f"list_sort(flatten(list([{', '.join(map(quoted, query.largest))}])), 'DESC', 'NULLS LAST')"
    totals += [f"{listed}[{rank}] as {quoted(name)}" for rank, name in enumerate(query.largest, 1)]
    told = [f"case when not {quoted('no_' + name)} then {quoted(name)} end as {quoted(name)}" for name in added]
    kept = ", ".join([*map(quoted, query.grain), *told, *map(quoted, (*others, *query.largest))])
    warehouse.run(
        f"""create or replace temp table merged as
            with parts as ({parts}),
            of_party as (select contributor, {", ".join([where, *lacks])} from parts group by contributor, {where}),
            silent as (select {", ".join([where, *lacking])} from of_party group by {where}),
            totals as (select {", ".join([grain, *totals])} from parts group by {grain})
            select {kept} from totals join silent using ({where})""",
        {"period": period},
    )
    warehouse.run(f"delete from {table} where period = ?", [period])
    warehouse.run(f"insert into {table} by name select * from temp.main.merged")
    warehouse.run("drop table temp.main.merged")


def _refuse_double(warehouse: Warehouse, query: Query, parts: str, period: int) -> None:
    """One place of one period comes whole from one party, where its cells do not add up over parties."""
    place = quoted(query.single_party)
    twice = warehouse.rows(
        f"""select {place}, string_agg(distinct coalesce(nullif(contributor, ''), 'this installation'), ' and ')
            from ({parts}) as parts where exclusion = '{COUNTED}' and {place} <> '{UNKNOWN_LABEL}'
            group by {place} having count(distinct contributor) > 1 order by 1""",
        {"period": period},
    )
    if twice:
        code, who = twice[0]
        raise DeliveryError(
            f"{len(twice):,} places of {period} come from two parties: {code} from {who}",
            f"cube.{query.name}",
            "let one of them leave these places out of its deliveries, and export again",
        )


def contributed(warehouse: Warehouse) -> dict[str, str]:
    """What the cubes now rest on besides deliveries: ``contribution/period/party`` → hash of its manifest."""
    ensure_contributions(warehouse)
    rows = warehouse.rows("select distinct period, contributor, contribution from meta.contributed order by all")
    return {slot_name(CONTRIBUTION, period, party): content for period, party, content in rows}
