"""Exports cubes to another party: sums, not rows, with a manifest of the deliveries and the content behind them.

Not here: importing what another party sent (``import_``). An export is confidential: it has small cells and is for one
party, which merges them. Two rules apply. The cells of a place with fewer persons than the minimum are not exported.
Excluded rows are exported as one row per exclusion, with numbers of rows and euros only, so that the ledger of the
receiver closes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from triple_aim.cubes import COUNTED, MEASURES, TYPES, UNKNOWN_LABEL, ensure_contributions, place_of
from triple_aim.definitions import Programme
from triple_aim.deliveries import MANIFEST, Contribution, CubeFile, LedgerLine, staged_inputs
from triple_aim.errors import DisclosureError, NothingToPublish, ProjectError
from triple_aim.files import parquet_bytes, sha256, write_synced
from triple_aim.release import up_to_date_release
from triple_aim.warehouse import Query, Warehouse, open_warehouse, qualified, quoted

BELOW_MINIMUM = "below_minimum"
#: Fields of a contract that do not change the sums: names of files, texts, the share that may be set aside.
LOCAL_FIELDS = {"files", "title", "meaning", "notes", "set_aside"}


@dataclass(frozen=True)
class Exported:
    """The result of an export, without values: rows by cube, and the number of withheld places."""

    folder: Path
    cubes: dict[str, int]
    places_below_minimum: int


def export_cubes(
    programme: Programme, to: Path, contributor: str, names: Collection[str] = (), periods: Collection[int] = ()
) -> Exported:
    """Write the cubes of the current release, all or the named ones, into a new folder; each cube with its parts."""
    project = programme.project
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", contributor):
        raise ProjectError(
            "the name of the contributor is missing, or is not lower-case letters, digits and _",
            "contributor",
            "give --as, or set contributor in the settings file",
        )
    if unknown := sorted(set(names) - programme.cubes.keys()):
        raise ProjectError(
            f"there is no cube {', '.join(unknown)}", "--cube", f"choose from {', '.join(programme.cubes)}"
        )
    release = up_to_date_release(project, programme.contracts.values())
    if release is None or not project.warehouse.is_file():
        raise ProjectError(
            "the cubes are not those of a release of the current deliveries and content",
            str(project.settings.work),
            "triple-aim run, then export again",
        )
    with_parts = {programme.cubes[name].part_of or name for name in names or programme.cubes}
    chosen = [query for name, query in programme.cubes.items() if (query.part_of or name) in with_parts]
    for query in chosen:
        counting = [cube.name for cube in person_cubes(programme, query)]
        if counting and not set(counting) & {other.name for other in chosen}:
            raise ProjectError(
                f"{query.name} counts no persons, so its receiver could not check the minimum of its places",
                "--cube",
                f"name one of {', '.join(counting)} as well",
            )
    with open_warehouse(
        project.warehouse, memory_limit=project.settings.memory_limit, threads=project.settings.threads
    ) as warehouse:
        ensure_contributions(warehouse)
        if warehouse.value("select count(*) from meta.contributed"):
            raise ProjectError(
                "the cubes contain contributions of other parties, which would count twice at the receiver",
                "landing/contributions",
                "let each party export its own cubes",
            )
        tables = _exported_tables(warehouse, programme, chosen, periods)
        manifest = _manifest(warehouse, programme, tables, contributor, release.name)
    _write(to, manifest, {query.name: content for query, _, content, _ in tables})
    withheld = sum(file.places_below_minimum for file in manifest.cubes.values())
    return Exported(to, {name: file.rows for name, file in manifest.cubes.items()}, withheld)


def cube_fingerprint(programme: Programme, query: Query) -> str:
    """The hash of everything that decides the sums of a cube: SQL, contracts, reference tables, types of columns."""
    extracts = sorted(programme.extracts_of(query))
    steps = queries_behind(programme, query)
    texts = [repr(TYPES), *sorted({step.hash for step in steps})]
    texts += [programme.contracts[extract].model_dump_json(exclude=LOCAL_FIELDS) for extract in extracts]
    tables = {table.removeprefix("ref.") for step in steps for table in (*step.sources("ref"), step.listed_in) if table}
    for extract in extracts:
        tables |= {
            column.listed_in.split(".")[0] for column in programme.contracts[extract].columns if column.listed_in
        }
    files = [path for table in sorted(tables) for path in sorted(programme.project.reference.glob(f"*/{table}.csv"))]
    return hashlib.sha256("\n".join([*texts, *(sha256(path.read_bytes()) for path in files)]).encode()).hexdigest()


def queries_behind(programme: Programme, query: Query) -> list[Query]:
    """The SQL files that decide the sums of a cube: its own, those of its person tables and those of its extracts."""
    extracts = sorted(programme.extracts_of(query))
    return [query, *_person_tables(programme, query), *(programme.staging[extract] for extract in extracts)]


def person_cubes(programme: Programme, query: Query) -> list[Query]:
    """The cubes that count the persons in the places of a cube: itself, or else those of the same extracts."""
    return [query] if query.persons else [other for other in _same_extracts(programme, query) if other.persons]


def minimum_persons(programme: Programme, query: Query) -> int:
    """The persons that a place needs in a period for its cells to be exported: the threshold for publication."""
    return programme.publication.threshold(query.name).persons


def ledger_columns(programme: Programme, query: Query) -> set[str]:
    """The columns of a cube that count the rows and euros of the ledger."""
    ledgers = [contract.ledger for contract in programme.contracts.values() if contract.ledger]
    return {
        column for ledger in ledgers if ledger.cube == query.name for column in (ledger.rows, ledger.euros) if column
    }


def _same_extracts(programme: Programme, query: Query) -> list[Query]:
    """The cubes that read the same extracts as a cube, with the cube itself."""
    extracts = programme.extracts_of(query)
    return [other for other in programme.cubes.values() if programme.extracts_of(other) == extracts]


def _person_tables(programme: Programme, query: Query) -> list[Query]:
    steps = [programme.persons[table.removeprefix("person.")] for table in query.sources("person")]
    return [*steps, *(below for step in steps for below in _person_tables(programme, step))]


#: Of each exported cube: its query, its cells, these as Parquet, and the number of withheld places.
Tables = list[tuple[Query, pa.Table, bytes, int]]


def _exported_tables(
    warehouse: Warehouse, programme: Programme, chosen: Iterable[Query], periods: Collection[int]
) -> Tables:
    """The exported cells of each cube with rows; cubes of the same extracts withhold the same places."""
    chosen = [query for query in chosen if warehouse.exists(query.table)]
    tables = []
    for query in chosen:  # a handful of cubes
        related = [other for other in _same_extracts(programme, query) if warehouse.exists(other.table)]
        _withhold_places(warehouse, programme, related, periods)
        table = _exported_cells(warehouse, programme, query, periods)
        if table.num_rows:
            withheld = warehouse.value("select count(*) from temp.main.withheld where list_contains(?, period)",
                                       [sorted(set(table["period"].to_pylist()))])  # fmt: skip
            tables.append((query, table, parquet_bytes(table), int(withheld)))
    if not tables:
        raise NothingToPublish("no cube has a row in these periods", "the cubes", "triple-aim run, then export again")
    return tables


def _withhold_places(
    warehouse: Warehouse, programme: Programme, related: Iterable[Query], periods: Collection[int]
) -> None:
    """Fill ``withheld`` with the places below the minimum, and with the next smallest until their sum reaches it."""
    warehouse.run("create or replace temp table withheld (period integer, place varchar)")
    of_periods = f"and {_period_filter(periods)}"
    for query in related:
        if not query.persons:
            continue
        place, least = quoted(place_of(query)), minimum_persons(programme, query)
        warehouse.run(
            f"""insert into temp.main.withheld
                with counted as (
                    select period, {place} as place, coalesce(sum({quoted(query.persons)}), 0) as persons
                    from {qualified(query.table)} where exclusion = '{COUNTED}' {of_periods} group by all
                ),
                ranked as (
                    select period, place, persons, min(persons) over (partition by period) as fewest,
                        coalesce(sum(persons) over (
                            partition by period order by persons, place
                            rows between unbounded preceding and 1 preceding
                        ), 0) as before
                    from counted
                )
                select period, place from ranked
                where persons < $least or (fewest < $least and before < $least)
                except select period, place from temp.main.withheld""",
            {"least": least},
        )
        small_periods = warehouse.value(
            f"""select count(*) from (
                    select period from {qualified(query.table)} where exclusion = '{COUNTED}' {of_periods}
                    group by period having coalesce(sum({quoted(query.persons)}), 0) < ?
                )""",
            [least],
        )
        if small_periods:
            raise DisclosureError(
                f"{small_periods:,} periods have fewer than {least} persons in all places",
                query.table,
                "choose other periods with --period, or cubes of other deliveries with --cube",
            )
    counting = [query for query in related if query.persons]
    for query in related:
        if counting and not query.persons:  # withhold the places whose persons no cube counts
            counted = " union ".join(places_sql(cube, qualified(cube.table)) for cube in counting)
            warehouse.run(
                f"""insert into temp.main.withheld
                    ({places_sql(query, qualified(query.table))}) except ({counted})
                    except select period, place from temp.main.withheld"""
            )


def places_sql(query: Query, source: str) -> str:
    """SQL for the periods and places with counted cells of a cube."""
    return f"select period, {quoted(place_of(query))} as place from {source} where exclusion = '{COUNTED}'"


def _exported_cells(warehouse: Warehouse, programme: Programme, query: Query, periods: Collection[int]) -> pa.Table:
    """The cells of a cube, with one row per exclusion and period for what is excluded or below the minimum."""
    place, ledger = quoted(place_of(query)), ledger_columns(programme, query)
    columns = []
    for name in query.columns:
        cell = quoted(name)
        if name == "period":
            columns.append(cell)
        elif name == "exclusion":
            columns.append(
                f"case when exclusion = '{COUNTED}' and not is_exported then '{BELOW_MINIMUM}' "
                f"else exclusion end as {cell}"
            )
        elif name in query.grain:
            columns.append(f"case when is_exported then {cell} else '{UNKNOWN_LABEL}' end as {cell}")
        elif name in query.non_additive:
            columns.append(f"any_value({cell}) filter (where false) as {cell}")
        elif name.endswith(MEASURES):
            columns.append(f"sum({cell})" + ("" if name in ledger else " filter (where is_exported)") + f" as {cell}")
        else:
            columns.append(f"max({cell}) filter (where is_exported) as {cell}")
    grain = ", ".join(quoted(name) for name in query.grain)
    typed = ", ".join(
        f"cast({quoted(name)} as {kind}) as {quoted(name)}"
        for name, kind in warehouse.header(f"select * from {qualified(query.table)}")
    )
    return warehouse.arrow(
        f"""with flagged as (
                select *, exclusion = '{COUNTED}'
                    and not exists (
                        select 1 from temp.main.withheld
                        where withheld.period = cell.period and withheld.place = {place}
                    ) as is_exported
                from {qualified(query.table)} as cell where {_period_filter(periods)}
            ),
            exported as (
                select {", ".join(columns)} from flagged {"" if ledger else "where is_exported"} group by all
            )
            select {typed} from exported order by {grain}"""
    )


def _period_filter(periods: Collection[int]) -> str:
    """An SQL condition for these periods; without periods, for all."""
    return f"period in ({', '.join(map(str, sorted(periods)))})" if periods else "true"


def _manifest(
    warehouse: Warehouse, programme: Programme, tables: Tables, contributor: str, release: str
) -> Contribution:
    periods = {query.name: sorted(set(table["period"].to_pylist())) for query, table, *_ in tables}
    extracts = {extract for query, *_ in tables for extract in programme.extracts_of(query)}
    all_years = {str(period) for years in periods.values() for period in years}
    counted = {
        name: periods[contract.ledger.cube]
        for name, contract in sorted(programme.contracts.items())
        if contract.ledger and contract.ledger.cube in periods
    }
    lines = warehouse.rows(
        """select extract, period, supplier, stage, reason, row_count, cast(amount_eur as varchar) from meta.ledger
           where stage in ('delivered', 'set_aside', 'staged') order by all"""
    )
    return Contribution(
        contributor=contributor,
        release=release,
        cubes={
            query.name: CubeFile(
                sha256=sha256(content),
                fingerprint=cube_fingerprint(programme, query),
                rows=table.num_rows,
                periods=periods[query.name],
                minimum=minimum_persons(programme, query),
                places_below_minimum=withheld,
            )
            for query, table, content, withheld in tables
        },
        contracts={extract: programme.contracts[extract].version for extract in sorted(extracts)},
        deliveries={
            slot: fingerprint
            for slot, fingerprint in staged_inputs(warehouse).items()
            if slot.split("/")[0] in extracts and slot.split("/")[1] in all_years
        },
        ledger=[
            LedgerLine(**dict(zip(LedgerLine.model_fields, line, strict=True)))
            for line in lines
            if line[1] in counted.get(line[0], ())
        ],
    )


def _write(to: Path, manifest: Contribution, files: dict[str, bytes]) -> None:
    """Write all files into a new folder, the manifest last: a folder without it is not a contribution."""
    try:
        to.mkdir(parents=True, mode=0o700)
        for name, content in files.items():
            write_synced(to / f"{name}.parquet", content)
        write_synced(to / MANIFEST, manifest.model_dump_json(indent=1).encode())
        for path in to.iterdir():
            path.chmod(0o600)
    except FileExistsError:
        raise ProjectError(
            "the folder already exists", str(to), "name a new one: an export overwrites nothing"
        ) from None
    except OSError as error:
        raise ProjectError(
            f"the contribution could not be written: {error.strerror}",
            str(to),
            "check the folder's space and permissions",
        ) from error
