"""Checks one contribution: columns, numbers, labels, the minimum of persons, deliveries, parts and ledger.

Not here: comparing contributions with each other (``import_``), or reading their files (``triple_aim.deliveries``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from triple_aim.cubes import COUNTED, MEASURES, UNKNOWN_LABEL, column_type, parts_that_differ, place_of
from triple_aim.definitions import Contract, Programme
from triple_aim.deliveries import LARGEST_COUNT, LedgerLine, StoredContribution
from triple_aim.errors import DeliveryError
from triple_aim.federation.export import (
    BELOW_MINIMUM,
    ledger_columns,
    minimum_persons,
    person_cubes,
    places_sql,
    queries_behind,
)
from triple_aim.warehouse import EngineError, Query, Warehouse, literal, quoted

NEVER_NEGATIVE = ("_count", "_sumsq", "_years")
LARGEST_SQUARES = 10**18  # of a sum of squares; with it and ``LARGEST_COUNT`` no sum over parties overflows its type
#: Patterns of labels that have no list of values; free text does not fit them.
LABEL_PATTERNS = {"municipality_code": f"GM[0-9]{{4}}|{UNKNOWN_LABEL}"}
OTHER_LABELS = "[A-Za-z0-9_.+-]{1,60}"
#: The names of the rules on one column in the ledger.
COLUMN_RULES = ("required", "type", "code", "pattern", "range", "unlisted")


def check_contribution(warehouse: Warehouse, programme: Programme, contribution: StoredContribution) -> None:
    """Refuse a contribution with a fault in its cells, labels, deliveries, parts or ledger."""
    for name, file in contribution.manifest.cubes.items():
        query, source = programme.cubes[name], cells_sql(contribution, name)
        where = f"{contribution.manifest.contributor}/{name}.parquet"
        try:
            fault = _cell_fault(warehouse, programme, query, source, file.rows, file.periods)
            fault = fault or _label_fault(warehouse, programme, query, source)
            fault = fault or _place_fault(warehouse, programme, query, contribution)
            fault = fault or _delivery_fault(programme, query, contribution)
        except EngineError:
            fault = "it cannot be read as Parquet"
        if fault:
            raise DeliveryError(fault, where, "ask the contributor to export again, with the same version as here")
    _refuse_unequal_parts(warehouse, programme, contribution)
    _refuse_foreign_ledger_lines(programme, contribution)
    _refuse_unbalanced_ledger(warehouse, programme, contribution)


def cells_sql(contribution: StoredContribution, cube: str) -> str:
    """SQL for the cells in the file of one cube; the names of folders such as ``year=2024`` add no column."""
    return f"read_parquet({literal(str(contribution.path(cube)))}, hive_partitioning = false)"


def _cell_fault(
    warehouse: Warehouse, programme: Programme, query: Query, source: str, rows: int, periods: list[int]
) -> str:
    """The first fault in the columns, rows and numbers of a cube, or an empty text."""
    header = warehouse.header(f"select * from {source}")
    if [name for name, _ in header] != list(query.columns):
        return "its columns differ from those of the cube"
    if mistyped := [name for name, kind in header if kind != (column_type(name) or "VARCHAR")]:
        return f"{', '.join(mistyped)} has the wrong type"
    grain = ", ".join(map(quoted, query.grain))
    unsigned = [name for name in query.columns if name.endswith(NEVER_NEGATIVE)]
    negative = " or ".join(f"{quoted(name)} < 0" for name in unsigned) or "false"
    unlabelled = " or ".join(f"{quoted(name)} is null" for name in query.grain)
    non_additive = " or ".join(f"{quoted(name)} is not null" for name in query.non_additive) or "false"
    numbers = [name for name in query.columns if name.endswith((*MEASURES, "percent"))]
    too_large = " or ".join(map(_out_of_range_sql, numbers)) or "false"
    ledger = ledger_columns(programme, query)
    detail = [name for name in query.columns if name.endswith(MEASURES) and name not in ledger]
    detailed = " or ".join(f"{quoted(name)} is not null" for name in detail) or "false"
    found, twice, below_zero, out_of_range, without_label, added, excluded, years = warehouse.rows(
        f"""select count(*), count(*) - (select count(*) from (select distinct {grain} from {source})),
                count(*) filter (where {negative}), count(*) filter (where {too_large}),
                count(*) filter (where {unlabelled}), count(*) filter (where {non_additive}),
                count(*) filter (where exclusion <> '{COUNTED}' and ({detailed})),
                list_sort(list(distinct period))
            from {source}"""
    )[0]
    faults = {
        f"it has {found:,} rows, and its manifest states {rows:,}": found != rows,
        "its periods differ from those in its manifest": years != sorted(periods),
        f"{twice:,} rows repeat a cell": twice,
        f"{without_label:,} cells have no label in a column of the grain": without_label,
        f"{below_zero:,} cells have a negative count": below_zero,
        f"{out_of_range:,} cells have a number that is too large": out_of_range,
        f"{added:,} cells have a value in {', '.join(query.non_additive)}, which do not add up over parties": added,
        f"{excluded:,} excluded rows have more than numbers of rows and euros": excluded,
    }
    if fault := next((text for text, occurs in faults.items() if occurs), ""):
        return fault
    if query.persons:
        least = minimum_persons(programme, query)
        small_places = warehouse.value(
            f"""select count(*) from (
                    select 1 from {source} where exclusion = '{COUNTED}' group by period, {quoted(place_of(query))}
                    having coalesce(sum({quoted(query.persons)}), 0) < ?
                )""",
            [least],
        )
        if small_places:
            return f"{small_places:,} places have fewer than {least} persons"
    return ""


def _out_of_range_sql(name: str) -> str:
    """An SQL condition for a number above that of any country, or a percentage outside 0 to 100 or not finite."""
    if name.endswith("percent"):
        return f"{quoted(name)} not between 0 and 100"
    return f"abs({quoted(name)}) > {LARGEST_SQUARES if name.endswith('_sumsq') else LARGEST_COUNT}"


def _label_fault(warehouse: Warehouse, programme: Programme, query: Query, source: str) -> str:
    """A label that the SQL, contracts and standards cannot produce; the message names only its column."""
    columns = [column for extract in programme.extracts_of(query) for column in programme.contracts[extract].columns]
    literals = {word for step in queries_behind(programme, query) for word in re.findall("'([^']*)'", step.sql)}
    codes = {code for column in columns for code in column.codes or ()}
    bands = {band for weights in programme.tables.standards.values() for band in weights}
    known = {
        "exclusion": {word for word in literals if re.fullmatch("[a-z][a-z0-9_]*", word)} | {BELOW_MINIMUM},
        "sex": literals | codes | {UNKNOWN_LABEL},
        "age_band": literals | codes | bands | {UNKNOWN_LABEL},
        "suppression": literals,
        **({query.axis: set(query.members)} if query.part_of else {}),
    }
    for name, kind in warehouse.header(f"select * from {source}"):
        if kind != "VARCHAR":
            continue
        pattern = literal(LABEL_PATTERNS.get(name, OTHER_LABELS))
        fits = f"list_contains(?, {quoted(name)})" if name in known else f"regexp_full_match({quoted(name)}, {pattern})"
        parameters = [sorted(known[name])] if name in known else []
        if unknown := warehouse.value(f"select count(*) from {source} where not {fits}", parameters):
            return f"{unknown:,} cells have a label in {name} that is unknown here"
    return ""


def _place_fault(warehouse: Warehouse, programme: Programme, query: Query, contribution: StoredContribution) -> str:
    """Places of a cube without persons whose persons no other cube counts, so that no minimum is checked there."""
    counting = person_cubes(programme, query)
    if query.persons or not counting:
        return ""
    names = [cube.name for cube in counting]
    counted = [
        places_sql(cube, cells_sql(contribution, cube.name))
        for cube in counting
        if cube.name in contribution.manifest.cubes
    ]
    if not counted:
        return f"it counts no persons, and the contribution has none of {', '.join(names)}"
    places = places_sql(query, cells_sql(contribution, query.name))
    uncounted = warehouse.value(f"select count(*) from (({places}) except ({' union '.join(counted)}))")
    return f"{uncounted:,} places are in no cube that counts their persons" if uncounted else ""


def _delivery_fault(programme: Programme, query: Query, contribution: StoredContribution) -> str:
    """A period for which the manifest does not name a delivery, so that nobody could see that it counts twice."""
    extracts = sorted(programme.extracts_of(query))
    for period in contribution.manifest.cubes[query.name].periods:
        named = [bool(contribution.manifest.delivery_hashes({extract}, period)) for extract in extracts]
        if not (any(named) if query.any_source else all(named)):
            return f"its manifest does not name every delivery behind {period}"
    return ""


def _refuse_unequal_parts(warehouse: Warehouse, programme: Programme, contribution: StoredContribution) -> None:
    """Refuse parts that do not add up to their total: an indicator would then add the parts of some parties only."""
    for query in programme.cubes.values():
        names = [name for name in (query.part_of, query.name) if name in contribution.manifest.cubes]
        files = {name: cells_sql(contribution, name) for name in names}
        if not query.part_of or not files:
            continue
        no_cells = f"(select * from {next(iter(files.values()))} where false)"
        totals, parts = (files.get(name, no_cells) for name in (query.part_of, query.name))
        if unequal := parts_that_differ(warehouse, query, totals, parts)[1]:
            raise DeliveryError(
                f"the parts in {query.name} do not add up to {query.part_of} in {unequal:,} cells",
                f"contribution of {contribution.manifest.contributor}",
                "ask the contributor to export both cubes again",
            )


def _refuse_foreign_ledger_lines(programme: Programme, contribution: StoredContribution) -> None:
    """Refuse repeated ledger lines, and lines that do not belong to the cubes or whose reason is not in a contract."""
    lines = contribution.manifest.ledger
    if len({(line.extract, line.period, line.supplier, line.stage, line.reason) for line in lines}) < len(lines) or any(
        _is_foreign(programme.contracts.get(line.extract), contribution, line) for line in lines
    ):
        raise DeliveryError(
            "its ledger repeats a line, or has a line that does not belong to its cubes or to the contracts here",
            f"contribution of {contribution.manifest.contributor}",
            "ask the contributor to export again, with the same version as here",
        )


def _is_foreign(contract: Contract | None, contribution: StoredContribution, line: LedgerLine) -> bool:
    ledger = contract.ledger if contract else None
    file = contribution.manifest.cubes.get(ledger.cube) if ledger else None
    if contract is None or file is None or line.period not in file.periods:
        return True
    if line.stage != "set_aside":
        return line.reason != "all"
    column, _, rule = line.reason.rpartition(".")
    of_column = rule in COLUMN_RULES and column in {column.name for column in contract.columns}
    return not of_column and line.reason not in {rule.id for rule in contract.rules}


def _refuse_unbalanced_ledger(warehouse: Warehouse, programme: Programme, contribution: StoredContribution) -> None:
    """Refuse unless delivered = staged + set aside and staged = in the cube, in rows and in euros to the cent."""
    for extract, contract in programme.contracts.items():
        ledger = contract.ledger
        if ledger is None or ledger.cube not in contribution.manifest.cubes:
            continue
        euros = f"coalesce(sum({quoted(ledger.euros)}), 0)" if ledger.euros else "0"
        cube = {
            period: (rows, Decimal(amount))
            for period, rows, amount in warehouse.rows(
                f"""select period, coalesce(sum({quoted(ledger.rows)}), 0), cast({euros} as varchar)
                    from {cells_sql(contribution, ledger.cube)} group by period"""
            )
        }
        for period, (rows, amount) in cube.items():
            lines = [line for line in contribution.manifest.ledger if (line.extract, line.period) == (extract, period)]
            delivered, staged, set_aside = (_total(lines, stage) for stage in ("delivered", "staged", "set_aside"))
            accounted = (staged[0] + set_aside[0], staged[1] + set_aside[1])
            if staged != (rows, amount) or delivered != accounted:
                raise DeliveryError(
                    f"its ledger does not close for {extract} in {period}",
                    f"contribution of {contribution.manifest.contributor}",
                    "ask the contributor to export again",
                )


def _total(lines: Iterable[LedgerLine], stage: str) -> tuple[int, Decimal]:
    """Rows and euros of one stage."""
    chosen = [line for line in lines if line.stage == stage]
    return sum(line.row_count for line in chosen), sum((Decimal(line.amount_eur) for line in chosen), Decimal(0))
