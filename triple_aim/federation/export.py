"""Cubes that leave for another party: sums, not rows, with a manifest that says what they were made of and by what.

Not here: taking in what another party sent (``import_``). What leaves is confidential: fine cells, for one party that
merges them. Two rules hold at the border. A place in which fewer than the minimum of persons are counted does not leave
as such; and what is excluded leaves as one row an exclusion, with its number of rows and euros and nothing else, so
that the ledger of the receiver closes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from triple_aim.cubes import COUNTED, MEASURES, NOWHERE, TYPES, ensure_contributions, place_of
from triple_aim.definitions import Programme
from triple_aim.deliveries import MANIFEST, Contribution, CubeFile, LedgerLine, staged_inputs
from triple_aim.errors import DisclosureError, NothingToPublish, ProjectError
from triple_aim.files import parquet_bytes, sha256, write_synced
from triple_aim.release import up_to_date_release
from triple_aim.warehouse import Query, Warehouse, open_warehouse, qualified, quoted

BELOW = "below_minimum"
#: What may differ between parties that compute the same: names of files, words, and how much may be set aside.
LOCAL = {"files", "title", "meaning", "notes", "set_aside"}


@dataclass(frozen=True)
class Exported:
    """What left: counts only."""

    folder: Path
    cubes: dict[str, int]
    places_below_minimum: int


def export_cubes(
    programme: Programme, to: Path, contributor: str, names: Collection[str] = (), periods: Collection[int] = ()
) -> Exported:
    """Write the cubes of the current release, all or those named, into a new folder; parts leave with their cube."""
    project = programme.project
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", contributor):
        raise ProjectError(
            "the name of the contributor is missing, or not lower case with digits and _",
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
            "the cubes are not those of a release that rests on what is delivered and written now",
            str(project.settings.work),
            "triple-aim run, then export again",
        )
    wholes = {programme.cubes[name].part_of or name for name in names or programme.cubes}
    chosen = [query for name, query in programme.cubes.items() if (query.part_of or name) in wholes]
    for query in chosen:
        judges = [judge.name for judge in judges_of(programme, query)]
        if judges and not set(judges) & {other.name for other in chosen}:
            raise ProjectError(
                f"{query.name} counts no persons, so its places cannot be judged by whoever receives it alone",
                "--cube",
                f"name one of {', '.join(judges)} as well",
            )
    with open_warehouse(
        project.warehouse, memory_limit=project.settings.memory_limit, threads=project.settings.threads
    ) as warehouse:
        ensure_contributions(warehouse)
        if warehouse.value("select count(*) from meta.contributed"):
            raise ProjectError(
                "the cubes hold what other parties contributed, which would count twice elsewhere",
                "landing/contributions",
                "let each party export its own cubes",
            )
        tables = _tables(warehouse, programme, chosen, periods)
        manifest = _manifest(warehouse, programme, tables, contributor, release.name)
    _write(to, manifest, {query.name: content for query, _, content, _ in tables})
    left = sum(file.places_below_minimum for file in manifest.cubes.values())
    return Exported(to, {name: file.rows for name, file in manifest.cubes.items()}, left)


def content_of(programme: Programme, query: Query) -> str:
    """The hash of all that decides the sums of a cube: SQL of every floor below, contracts, code lists, exactness."""
    extracts = sorted(programme.extracts_of(query))
    steps = steps_of(programme, query)
    told = [repr(TYPES), *sorted({step.hash for step in steps})]
    told += [programme.contracts[extract].model_dump_json(exclude=LOCAL) for extract in extracts]
    tables = {table.removeprefix("ref.") for step in steps for table in (*step.sources("ref"), step.listed_in) if table}
    for extract in extracts:
        tables |= {
            column.listed_in.split(".")[0] for column in programme.contracts[extract].columns if column.listed_in
        }
    files = [path for table in sorted(tables) for path in sorted(programme.project.reference.glob(f"*/{table}.csv"))]
    return hashlib.sha256("\n".join([*told, *(sha256(path.read_bytes()) for path in files)]).encode()).hexdigest()


def steps_of(programme: Programme, query: Query) -> list[Query]:
    """Every SQL file that decides the sums of a cube."""
    extracts = sorted(programme.extracts_of(query))
    return [query, *_persons(programme, query), *(programme.staging[extract] for extract in extracts)]


def judges_of(programme: Programme, query: Query) -> list[Query]:
    """The cubes that say how many persons the places of a cube hold: itself, or those of the same extracts."""
    return [query] if query.persons else [other for other in _kin(programme, query) if other.persons]


def minimum_of(programme: Programme, query: Query) -> int:
    """How many persons of a place and period let its cells pass the border: the publication's own threshold."""
    return programme.publication.threshold(query.name).persons


def ledger_columns(programme: Programme, query: Query) -> set[str]:
    """The columns of a cube in which contracts count their rows and euros."""
    ledgers = [contract.ledger for contract in programme.contracts.values() if contract.ledger]
    return {
        column for ledger in ledgers if ledger.cube == query.name for column in (ledger.rows, ledger.euros) if column
    }


def _kin(programme: Programme, query: Query) -> list[Query]:
    extracts = programme.extracts_of(query)
    return [other for other in programme.cubes.values() if programme.extracts_of(other) == extracts]


def _persons(programme: Programme, query: Query) -> list[Query]:
    steps = [programme.persons[table.removeprefix("person.")] for table in query.sources("person")]
    return [*steps, *(below for step in steps for below in _persons(programme, step))]


Tables = list[tuple[Query, pa.Table, bytes, int]]


def _tables(warehouse: Warehouse, programme: Programme, chosen: Iterable[Query], periods: Collection[int]) -> Tables:
    """Each cube that holds anything, as it leaves; cubes of the same deliveries keep back the same places."""
    chosen = [query for query in chosen if warehouse.exists(query.table)]
    tables = []
    for query in chosen:  # a handful of cubes
        kin = [other for other in _kin(programme, query) if warehouse.exists(other.table)]  # chosen or not
        _keep_back(warehouse, programme, kin, periods)
        table = _leaving(warehouse, programme, query, periods)
        if table.num_rows:
            kept_back = warehouse.value("select count(*) from temp.main.kept_back where list_contains(?, period)",
                                        [sorted(set(table["period"].to_pylist()))])  # fmt: skip
            tables.append((query, table, parquet_bytes(table), int(kept_back)))
    if not tables:
        raise NothingToPublish("no cube holds a row of these periods", "the cubes", "triple-aim run, then export again")
    return tables


def _keep_back(warehouse: Warehouse, programme: Programme, kin: Iterable[Query], periods: Collection[int]) -> None:
    """The places and periods that may not leave: too few persons, and then the next smallest until together enough."""
    warehouse.run("create or replace temp table kept_back (period integer, place varchar)")
    of_periods = f"and {_among(periods)}"
    for query in kin:
        if not query.persons:
            continue
        place, least = quoted(place_of(query)), minimum_of(programme, query)
        warehouse.run(
            f"""insert into temp.main.kept_back
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
                except select period, place from temp.main.kept_back""",
            {"least": least},
        )
        alone = warehouse.value(
            f"""select count(*) from (
                    select period from {qualified(query.table)} where exclusion = '{COUNTED}' {of_periods}
                    group by period having coalesce(sum({quoted(query.persons)}), 0) < ?
                )""",
            [least],
        )
        if alone:
            raise DisclosureError(
                f"{alone:,} periods hold fewer than {least} persons in all",
                query.table,
                "leave them out with --period, or leave out the cubes of these deliveries with --cube",
            )
    judges = [query for query in kin if query.persons]
    for query in kin:
        if judges and not query.persons:  # a place that no cube with persons holds was not judged
            known = " union ".join(places_of(judge, qualified(judge.table)) for judge in judges)
            warehouse.run(
                f"""insert into temp.main.kept_back
                    ({places_of(query, qualified(query.table))}) except ({known})
                    except select period, place from temp.main.kept_back"""
            )


def places_of(query: Query, source: str) -> str:
    """SQL of the periods and places in which a cube counts anything."""
    return f"select period, {quoted(place_of(query))} as place from {source} where exclusion = '{COUNTED}'"


def _leaving(warehouse: Warehouse, programme: Programme, query: Query, periods: Collection[int]) -> pa.Table:
    """The cells of a cube that may leave; what may not, and what is excluded, as one row of its exclusion."""
    place, ledger = quoted(place_of(query)), ledger_columns(programme, query)
    columns = []
    for name in query.columns:
        cell = quoted(name)
        if name == "period":
            columns.append(cell)
        elif name == "exclusion":
            columns.append(
                f"case when exclusion = '{COUNTED}' and not leaves then '{BELOW}' else exclusion end as {cell}"
            )
        elif name in query.grain:
            columns.append(f"case when leaves then {cell} else '{NOWHERE}' end as {cell}")
        elif name in query.non_additive:
            columns.append(f"any_value({cell}) filter (where false) as {cell}")
        elif name.endswith(MEASURES):
            columns.append(f"sum({cell})" + ("" if name in ledger else " filter (where leaves)") + f" as {cell}")
        else:
            columns.append(f"max({cell}) filter (where leaves) as {cell}")
    grain = ", ".join(quoted(name) for name in query.grain)
    typed = ", ".join(
        f"cast({quoted(name)} as {kind}) as {quoted(name)}"
        for name, kind in warehouse.header(f"select * from {qualified(query.table)}")
    )
    return warehouse.arrow(
        f"""with judged as (
                select *, exclusion = '{COUNTED}'
                    and not exists (
                        select 1 from temp.main.kept_back as few where few.period = cell.period and few.place = {place}
                    ) as leaves
                from {qualified(query.table)} as cell where {_among(periods)}
            ),
            told as (select {", ".join(columns)} from judged {"" if ledger else "where leaves"} group by all)
            select {typed} from told order by {grain}"""
    )


def _among(periods: Collection[int]) -> str:
    """The periods that are wanted, as SQL; all when none is named."""
    return f"period in ({', '.join(map(str, sorted(periods)))})" if periods else "true"


def _manifest(
    warehouse: Warehouse, programme: Programme, tables: Tables, contributor: str, release: str
) -> Contribution:
    periods = {query.name: sorted(set(table["period"].to_pylist())) for query, table, *_ in tables}
    extracts = {extract for query, *_ in tables for extract in programme.extracts_of(query)}
    everyone = {str(period) for years in periods.values() for period in years}
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
                fingerprint=content_of(programme, query),
                rows=table.num_rows,
                periods=periods[query.name],
                minimum=minimum_of(programme, query),
                places_below_minimum=kept_back,
            )
            for query, table, content, kept_back in tables
        },
        contracts={extract: programme.contracts[extract].version for extract in sorted(extracts)},
        deliveries={
            slot: content
            for slot, content in staged_inputs(warehouse).items()
            if slot.split("/")[0] in extracts and slot.split("/")[1] in everyone
        },
        ledger=[
            LedgerLine(**dict(zip(LedgerLine.model_fields, line, strict=True)))
            for line in lines
            if line[1] in counted.get(line[0], ())
        ],
    )


def _write(to: Path, manifest: Contribution, files: dict[str, bytes]) -> None:
    """Everything into a folder of its own, the manifest last: a folder without one is no contribution."""
    try:
        to.mkdir(parents=True, mode=0o700)
        for name, content in files.items():
            write_synced(to / f"{name}.parquet", content)
        write_synced(to / MANIFEST, manifest.model_dump_json(indent=1).encode())
        for path in to.iterdir():
            path.chmod(0o600)
    except FileExistsError:
        raise ProjectError("the folder is there already", str(to), "name a new one: nothing is written over") from None
    except OSError as error:
        raise ProjectError(
            f"the contribution could not be written: {error.strerror}",
            str(to),
            "check the folder's space and permissions",
        ) from error
