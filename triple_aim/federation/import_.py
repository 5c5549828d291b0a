"""Cubes that arrive from other parties: judged whole, kept whole, and laid beside our own before cubes are made.

Not here: making a contribution (``export``), the store of them (``triple_aim.deliveries``), adding them up
(``triple_aim.cubes``). Several contributions are taken together or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from triple_aim.cubes import (
    COUNTED,
    MEASURES,
    NOWHERE,
    column_type,
    ensure_contributions,
    parts_that_differ,
    place_of,
)
from triple_aim.definitions import Contract, Programme
from triple_aim.deliveries import (
    LARGEST_COUNT,
    LedgerLine,
    StoredContribution,
    accept_contributions,
    clear_leftovers,
    copied_contribution,
    current_contributions,
)
from triple_aim.errors import DeliveryError
from triple_aim.federation.export import BELOW, content_of, judges_of, ledger_columns, minimum_of, places_of, steps_of
from triple_aim.warehouse import EngineError, Query, Warehouse, literal, open_warehouse, qualified, quoted

NEVER_NEGATIVE = ("_count", "_sumsq", "_years")
MOST_SQUARED = 10**18  # sums of squares; with it and ``LARGEST_COUNT`` no sum over parties leaves its type
#: The shape of a label that has no list of its own, so that no sentence stands among the cells.
SHAPES = {"municipality_code": f"GM[0-9]{{4}}|{NOWHERE}"}
LABEL = "[A-Za-z0-9_.+-]{1,60}"
#: What acceptance calls the rules of a column.
COLUMN_RULES = ("required", "type", "code", "pattern", "range", "unlisted")


def import_cubes(programme: Programme, folders: Sequence[Path]) -> list[str]:
    """Accept every contribution or none; the names of those that are new."""
    landing = programme.project.landing
    clear_leftovers(landing)
    with ExitStack() as stack:
        copies = [stack.enter_context(copied_contribution(landing, folder)) for folder in folders]
        names = [copy.manifest.contributor for copy in copies]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DeliveryError(
                f"{', '.join(twice)} contributes twice", "cube import", "name the newest folder of each party only"
            )
        others = [there for there in current_contributions(landing) if there.manifest.contributor not in names]
        warehouse = stack.enter_context(open_warehouse(None, reach=[landing]))
        for copy in copies:
            _refuse_other_content(programme, copy)
            _judge(warehouse, programme, copy)
        _refuse_same_deliveries(programme, {p.manifest.contributor: p for p in (*others, *copies)})
        _refuse_same_sums([*others, *copies])
        _refuse_same_places(warehouse, programme, [*others, *copies])
        return accept_contributions(landing, copies)


def stage_contributions(warehouse: Warehouse, programme: Programme) -> None:
    """Bring ``party.*`` in line with the landing area; nothing to do while the same contributions count."""
    ensure_contributions(warehouse)
    there = current_contributions(programme.project.landing)
    wanted = {
        (f"cube.{name}", period, party.manifest.contributor, file.sha256, party.sha256)
        for party in there
        for name, file in party.manifest.cubes.items()
        for period in file.periods
    }
    if there:
        for party in there:
            _refuse_other_content(programme, party)
        _refuse_same_deliveries(programme, {party.manifest.contributor: party for party in there}, _own(warehouse))
    staged = set(warehouse.rows("select * from meta.contributed"))
    if staged == wanted:
        return
    with warehouse.transaction():
        for table, period, *_ in staged - wanted:  # made of what no longer counts
            warehouse.run("delete from meta.built where table_name = ? and period = ?", [table, period])
        warehouse.run("delete from meta.contributed; delete from meta.contributed_ledger")
        for name in {name for party in there for name in party.manifest.cubes}:
            files = {party.manifest.contributor: party for party in there if name in party.manifest.cubes}
            warehouse.run(f"create or replace table {qualified('party.' + name)} as {_rows(name, files)}")
        for line in sorted(wanted):
            warehouse.run("insert into meta.contributed values (?, ?, ?, ?, ?)", list(line))
        for party in there:
            for row in party.manifest.ledger:
                supplier = "/".join(part for part in (party.manifest.contributor, row.supplier) if part)
                told = row.model_dump() | {"supplier": supplier}
                warehouse.run("insert into meta.contributed_ledger values (?, ?, ?, ?, ?, ?, ?)", list(told.values()))


def _own(warehouse: Warehouse) -> dict[tuple[str, int], set[str]]:
    """The hashes of our own deliveries, by extract and period."""
    own: dict[tuple[str, int], set[str]] = {}
    for extract, period, content in warehouse.rows("select extract, period, delivery from meta.staged"):
        own.setdefault((extract, period), set()).add(content)
    return own


def _rows(cube: str, parties: dict[str, StoredContribution]) -> str:
    """The cells of one cube of several parties, with the party's name."""
    return " union all by name ".join(
        f"select {literal(name)} as contributor, * from {_cells(party, cube)}"
        for name, party in sorted(parties.items())
    )


def _cells(party: StoredContribution, cube: str) -> str:
    """The file of one cube, and nothing that the folders above it are called."""
    return f"read_parquet({literal(str(party.path(cube)))}, hive_partitioning = false)"


def _refuse_other_content(programme: Programme, party: StoredContribution) -> None:
    """Sums by other contracts, SQL or code lists are other sums, whatever they are called."""
    other = [
        name
        for name, file in party.manifest.cubes.items()
        if name not in programme.cubes or content_of(programme, programme.cubes[name]) != file.fingerprint
    ]
    if other:
        raise DeliveryError(
            f"{', '.join(sorted(other))} was made with other contracts, SQL or code lists than ours",
            f"contribution of {party.manifest.contributor}",
            "bring both installations to the same version, then export and import again",
        )


def _refuse_same_deliveries(
    programme: Programme, parties: dict[str, StoredContribution], own: dict[tuple[str, int], set[str]] | None = None
) -> None:
    """One delivered file may count at one party only."""
    seen: dict[tuple[str, int, str], str] = {}
    for (extract, period), contents in (own or {}).items():
        seen |= {(extract, period, content): "this installation" for content in contents}
    for name, party in sorted(parties.items()):
        counted = {
            (extract, period, content)
            for cube, file in party.manifest.cubes.items()
            if not programme.cubes[cube].single_party  # of the others, places would be found to count twice
            for extract in programme.extracts_of(programme.cubes[cube])
            for period in file.periods
            for content in party.manifest.delivery_hashes({extract}, period)
        }
        if again := sorted(counted & seen.keys()):
            extract, period, _ = again[0]
            raise DeliveryError(
                f"the same delivery of {extract} of {period} counts twice",
                f"contributions of {seen[again[0]]} and {name}",
                "let one of them leave it out, and export again",
            )
        seen |= dict.fromkeys(counted, name)


def _refuse_same_sums(parties: Iterable[StoredContribution]) -> None:
    """One file may count under one name only."""
    seen: dict[str, str] = {}
    for party in parties:
        name = party.manifest.contributor
        for cube, file in party.manifest.cubes.items():
            if seen.setdefault(file.sha256, name) != name:
                raise DeliveryError(
                    f"the same sums of {cube} count twice",
                    f"contributions of {seen[file.sha256]} and {name}",
                    "if a party was renamed, remove the folder of its old name from landing/contributions",
                )


def _refuse_same_places(warehouse: Warehouse, programme: Programme, parties: Iterable[StoredContribution]) -> None:
    """Where cells do not add up over parties, a place of a period comes whole from one of them."""
    parties = list(parties)
    for name, query in programme.cubes.items():
        files = {party.manifest.contributor: party for party in parties if name in party.manifest.cubes}
        if not query.single_party or len(files) < 2:
            continue
        place = quoted(query.single_party)
        twice = warehouse.rows(
            f"""select period, string_agg(distinct contributor, ' and ' order by contributor), count(*)
                from (select distinct contributor, period, {place} from ({_rows(name, files)})
                      where exclusion = '{COUNTED}' and {place} <> '{NOWHERE}')
                group by period, {place} having count(*) > 1 order by 1"""
        )
        if twice:
            period, who, _ = twice[0]
            raise DeliveryError(
                f"two parties deliver the same {len(twice):,} places, the first in {period}",
                f"cube {name} of {who}",
                "let one of them leave these places out of its deliveries, and export again",
            )


def _judge(warehouse: Warehouse, programme: Programme, party: StoredContribution) -> None:
    """Columns, types, grain, periods, signs, the minimum of persons and the ledger of one contribution."""
    for name, file in party.manifest.cubes.items():
        query, source = programme.cubes[name], _cells(party, name)
        where = f"{party.manifest.contributor}/{name}.parquet"
        try:
            wrong = _misfit(warehouse, programme, query, source, file.rows, file.periods)
            wrong = wrong or _odd_label(warehouse, programme, query, source)
            wrong = wrong or _unjudged(warehouse, programme, query, party) or _undelivered(programme, query, party)
        except EngineError:
            wrong = "it cannot be read as Parquet"
        if wrong:
            raise DeliveryError(wrong, where, "ask the contributor to export again, with the same version as here")
    _refuse_loose_parts(warehouse, programme, party)
    _refuse_strange_ledger(programme, party)
    _refuse_open_ledger(warehouse, programme, party)


def _misfit(
    warehouse: Warehouse, programme: Programme, query: Query, source: str, rows: int, periods: list[int]
) -> str:
    """The first thing that is wrong with a file, or nothing."""
    header = warehouse.header(f"select * from {source}")
    if [name for name, _ in header] != list(query.columns):
        return "its columns are not those of the cube"
    if odd := [name for name, kind in header if kind != (column_type(name) or "VARCHAR")]:
        return f"{', '.join(odd)} is of another type"
    grain = ", ".join(map(quoted, query.grain))
    signed = [name for name in query.columns if name.endswith(NEVER_NEGATIVE) or name in query.largest]
    negative = " or ".join(f"{quoted(name)} < 0" for name in signed) or "false"
    unnamed = " or ".join(f"{quoted(name)} is null" for name in query.grain)
    apart = " or ".join(f"{quoted(name)} is not null" for name in query.non_additive) or "false"
    numbers = [name for name in query.columns if name.endswith((*MEASURES, "percent")) or name in query.largest]
    large = " or ".join(map(_beyond, numbers)) or "false"
    order = " or ".join(f"coalesce({quoted(b)}, 0) > coalesce({quoted(a)}, 0)" for a, b in pairwise(query.largest))
    kept = ledger_columns(programme, query)
    detail = [name for name in query.columns if name.endswith(MEASURES) and name not in kept] + list(query.largest)
    loose = " or ".join(f"{quoted(name)} is not null" for name in detail) or "false"
    found, twice, below, beyond, empty, ranked, told, upside_down, years = warehouse.rows(
        f"""select count(*), count(*) - (select count(*) from (select distinct {grain} from {source})),
                count(*) filter (where {negative}), count(*) filter (where {large}),
                count(*) filter (where {unnamed}), count(*) filter (where {apart}),
                count(*) filter (where exclusion <> '{COUNTED}' and ({loose})),
                count(*) filter (where {order or "false"}), list_sort(list(distinct period))
            from {source}"""
    )[0]
    faults = {
        f"it holds {found:,} rows, not {rows:,}": found != rows,
        "it holds other periods than its manifest says": years != sorted(periods),
        f"{twice:,} cells stand in it twice": twice,
        f"{empty:,} cells do not say whose they are": empty,
        f"{below:,} cells hold a negative count": below,
        f"{beyond:,} cells hold a number beyond what can be": beyond,
        f"{ranked:,} cells hold {', '.join(query.non_additive)}, which do not add up over parties": ranked,
        f"{told:,} excluded rows tell more than their number and euros": told,
        f"{upside_down:,} cells hold a second amount above the largest": upside_down,
    }
    if wrong := next((told for told, holds in faults.items() if holds), ""):
        return wrong
    if query.persons:
        least = minimum_of(programme, query)
        few = warehouse.value(
            f"""select count(*) from (
                    select 1 from {source} where exclusion = '{COUNTED}' group by period, {quoted(place_of(query))}
                    having coalesce(sum({quoted(query.persons)}), 0) < ?
                )""",
            [least],
        )
        if few:
            return f"{few:,} places hold fewer than {least} persons"
    return ""


def _beyond(name: str) -> str:
    """SQL that is true where a number is larger than any country's; a percentage that is not finite, too."""
    if name.endswith("percent"):
        return f"{quoted(name)} not between 0 and 100"
    return f"abs({quoted(name)}) > {MOST_SQUARED if name.endswith('_sumsq') else LARGEST_COUNT}"


def _odd_label(warehouse: Warehouse, programme: Programme, query: Query, source: str) -> str:
    """A label that our own SQL, contracts and standards cannot have made, told by its column only."""
    columns = [column for extract in programme.extracts_of(query) for column in programme.contracts[extract].columns]
    ours = {word for step in steps_of(programme, query) for word in re.findall("'([^']*)'", step.sql)}
    codes = {code for column in columns for code in column.codes or ()}
    bands = {band for weights in programme.tables.standards.values() for band in weights}
    known = {
        "exclusion": {word for word in ours if re.fullmatch("[a-z][a-z0-9_]*", word)} | {BELOW},
        "sex": ours | codes | {NOWHERE},
        "age_band": ours | codes | bands | {NOWHERE},
        "suppression": ours,
        **({query.axis: set(query.members)} if query.part_of else {}),
    }
    for name, kind in warehouse.header(f"select * from {source}"):
        if kind != "VARCHAR":
            continue
        shape = literal(SHAPES.get(name, LABEL))
        fits = f"list_contains(?, {quoted(name)})" if name in known else f"regexp_full_match({quoted(name)}, {shape})"
        given = [sorted(known[name])] if name in known else []
        if odd := warehouse.value(f"select count(*) from {source} where not {fits}", given):
            return f"{odd:,} cells hold in {name} what is none of ours"
    return ""


def _unjudged(warehouse: Warehouse, programme: Programme, query: Query, party: StoredContribution) -> str:
    """Places of a cube without persons that no cube beside it counts; there they are held to the minimum."""
    judges = judges_of(programme, query)
    if query.persons or not judges:
        return ""
    there = [places_of(judge, _cells(party, judge.name)) for judge in judges if judge.name in party.manifest.cubes]
    if not there:
        return f"it counts no persons, and none of {', '.join(judge.name for judge in judges)} comes with it"
    strange = warehouse.value(
        f"select count(*) from (({places_of(query, _cells(party, query.name))}) except ({' union '.join(there)}))"
    )
    return f"{strange:,} places are in no cube that counts their persons" if strange else ""


def _undelivered(programme: Programme, query: Query, party: StoredContribution) -> str:
    """An extract and period of which the manifest names no delivery, so that it could count twice unseen."""
    extracts = sorted(programme.extracts_of(query))
    for period in party.manifest.cubes[query.name].periods:
        named = [bool(party.manifest.delivery_hashes({extract}, period)) for extract in extracts]
        if not (any(named) if query.any_source else all(named)):
            return f"its manifest does not name every delivery it was made of in {period}"
    return ""


def _refuse_loose_parts(warehouse: Warehouse, programme: Programme, party: StoredContribution) -> None:
    """The parts of a sum add up to it in every cell, or an indicator would add up the parts of some parties only."""
    for query in programme.cubes.values():
        files = {name: _cells(party, name) for name in (query.part_of, query.name) if name in party.manifest.cubes}
        if not query.part_of or not files:
            continue
        none = f"(select * from {next(iter(files.values()))} where false)"
        whole, parts = (files.get(name, none) for name in (query.part_of, query.name))
        if off := parts_that_differ(warehouse, query, whole, parts)[1]:
            raise DeliveryError(
                f"the parts in {query.name} do not add up to {query.part_of} in {off:,} cells",
                f"contribution of {party.manifest.contributor}",
                "ask the contributor to export both cubes again",
            )


def _refuse_strange_ledger(programme: Programme, party: StoredContribution) -> None:
    """Only lines of what it contributes, each once, with the reasons of our contracts."""
    lines = party.manifest.ledger
    if len({(line.extract, line.period, line.supplier, line.stage, line.reason) for line in lines}) < len(lines) or any(
        _is_strange(programme.contracts.get(line.extract), party, line) for line in lines
    ):
        raise DeliveryError(
            "its ledger holds a line twice, or one that is not of its cubes and our contracts",
            f"contribution of {party.manifest.contributor}",
            "ask the contributor to export again, with the same version as here",
        )


def _is_strange(contract: Contract | None, party: StoredContribution, line: LedgerLine) -> bool:
    ledger = contract.ledger if contract else None
    file = party.manifest.cubes.get(ledger.cube) if ledger else None
    if contract is None or file is None or line.period not in file.periods:
        return True
    if line.stage != "set_aside":
        return line.reason != "all"
    column, _, rule = line.reason.rpartition(".")
    of_column = rule in COLUMN_RULES and column in {column.name for column in contract.columns}
    return not of_column and line.reason not in {rule.id for rule in contract.rules}


def _refuse_open_ledger(warehouse: Warehouse, programme: Programme, party: StoredContribution) -> None:
    """Delivered is staged and set aside, and staged is in the cube; rows and euros, to the cent."""
    for extract, contract in programme.contracts.items():
        ledger = contract.ledger
        if ledger is None or ledger.cube not in party.manifest.cubes:
            continue
        euros = f"coalesce(sum({quoted(ledger.euros)}), 0)" if ledger.euros else "0"
        cube = {
            period: (rows, Decimal(amount))
            for period, rows, amount in warehouse.rows(
                f"""select period, coalesce(sum({quoted(ledger.rows)}), 0), cast({euros} as varchar)
                    from {_cells(party, ledger.cube)} group by period"""
            )
        }
        for period, (rows, amount) in cube.items():
            lines = [line for line in party.manifest.ledger if (line.extract, line.period) == (extract, period)]
            delivered, staged, aside = (_total(lines, stage) for stage in ("delivered", "staged", "set_aside"))
            whole = (staged[0] + aside[0], staged[1] + aside[1])
            if staged != (rows, amount) or delivered != whole:
                raise DeliveryError(
                    f"its ledger does not close for {extract} in {period}",
                    f"contribution of {party.manifest.contributor}",
                    "ask the contributor to export again",
                )


def _total(lines: Iterable[LedgerLine], stage: str) -> tuple[int, Decimal]:
    """Rows and euros of one stage."""
    mine = [line for line in lines if line.stage == stage]
    return sum(line.row_count for line in mine), sum((Decimal(line.amount_eur) for line in mine), Decimal(0))
