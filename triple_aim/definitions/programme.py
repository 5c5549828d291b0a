"""All content of a project, read once and checked for consistency: contracts, specs, SQL, reference tables.

Not here: data. The checks need no delivery.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from triple_aim.definitions.code_lists import CodeFile, load_code_lists
from triple_aim.definitions.consistency import SpecContext, spec_faults
from triple_aim.definitions.contracts import Contract, Publication, load_contracts, load_publication
from triple_aim.definitions.measures import Measure, load_menu
from triple_aim.definitions.regions import Regions
from triple_aim.definitions.settings import Project
from triple_aim.definitions.spec_files import load_specs
from triple_aim.definitions.specs import Spec
from triple_aim.definitions.squares import refuse_sums_without_squares
from triple_aim.definitions.standards import Tables
from triple_aim.definitions.yaml_reader import line_of
from triple_aim.errors import ContentError
from triple_aim.vocabulary import part
from triple_aim.warehouse import CELL, Query, Warehouse, read_queries, read_table


@dataclass(frozen=True)
class Programme:
    """The content of one project."""

    project: Project
    contracts: dict[str, Contract]
    publication: Publication
    specs: dict[str, Spec]
    staging: dict[str, Query]
    persons: dict[str, Query]
    cubes: dict[str, Query]
    marts: dict[str, Query]
    tables: Tables
    codes: dict[str, CodeFile]
    menu: dict[str, Measure]

    def regions(self, warehouse: Warehouse | None = None) -> Regions:
        """The current regions; with a warehouse, split municipalities are divided by the delivered shares, if any."""
        shares = None
        if warehouse is not None:
            shares = warehouse.frame("select year_from, year_to, code_from, code_to, share from stg.boundary_changes")
        project = self.project
        return Regions.load(
            project.reference / "regions",
            project.settings.division_year,
            shares if shares is not None and len(shares) else None,
            project.own_regions,
        )

    def extracts_of(self, query: Query) -> set[str]:
        """Every extract that a cube or a person table reads, also through person tables."""
        steps = [self.persons[table.removeprefix("person.")] for table in query.sources("person")]
        own = {table.removeprefix("stg.") for table in query.sources("stg")}
        return own.union(*(self.extracts_of(step) for step in steps))

    def parts_of(self, cube: str) -> list[Query]:
        """The cubes that hold parts of the sums of a cube."""
        return [query for query in self.cubes.values() if query.part_of == cube]

    def sums_of(self, cube: str) -> list[str]:
        """The names that a spec may use for the columns of a cube and for their parts."""
        own = self.cubes[cube]
        parts = [name for query in self.parts_of(cube) for name in _part_names(query)]
        return [*own.columns, *(name for name, _ in own.parts), *parts]

    def tables_of(self, spec: Spec) -> list[str]:
        """Every cube an indicator depends on: those it reads, and those with parts of the sums it reads."""
        routes = [(route, query) for cube, route in spec.route_of.items() for query in self.parts_of(cube)]
        return [*self.cubes_of(spec), *(query.name for route, query in routes if route.columns(_part_names(query)))]

    def cubes_of(self, spec: Spec) -> list[str]:
        """Every cube an indicator reads, those of its routes first."""
        others = [addend.cube for route in spec.compute for addend in route.add]
        others += [route.healthy.cube for route in spec.compute if route.healthy]
        others += [route.completion for route in spec.compute if route.completion]
        run_off = self.publication.run_off
        others += [run_off.cube] if run_off and not set(run_off.of).isdisjoint(spec.route_of) else []
        return list(dict.fromkeys([*spec.route_of, *others]))


def load_programme(project: Project) -> Programme:
    """Read all content; raise ContentError with the file to correct if it is inconsistent."""
    programme = Programme(
        project=project,
        contracts=load_contracts(project.contracts),
        publication=load_publication(project.contracts),
        specs=load_specs(project.specs),
        staging=read_queries(project.sql / "staging"),
        persons=read_queries(project.sql / "person"),
        cubes=_with_members(read_queries(project.sql / "cube"), project.reference),
        marts=read_queries(project.sql / "marts"),
        tables=Tables.load(project.reference),
        codes=load_code_lists(project.reference / "codes"),
        menu=load_menu(project.reference),
    )
    _check_floors(programme)
    refuse_sums_without_squares(programme.cubes, programme.contracts)
    for spec in programme.specs.values():
        _check_spec(programme, spec)
    if problems := programme.regions().problems():
        raise ContentError(
            "; ".join(problems[:3]), "reference/regions", "every municipality belongs to exactly one region"
        )
    return programme


def _part_names(query: Query) -> list[str]:
    """The names of the parts that a cube holds of the sums of another cube."""
    sums = [column for column in query.columns if column not in query.grain]
    return [part(column, query.axis, member) for column in sums for member in query.members]


def _with_members(cubes: dict[str, Query], reference: Path) -> dict[str, Query]:
    """The cubes; those with parts get the labels of their axis from a reference table."""
    return {
        name: replace(query, members=_members(query, reference)) if query.part_of else query
        for name, query in cubes.items()
    }


def _members(query: Query, reference: Path) -> tuple[str, ...]:
    for path in reference.glob(f"*/{query.listed_in.removeprefix('ref.')}.csv"):
        if query.axis in (table := read_table(path)):
            return tuple(sorted(set(table[query.axis])))
    raise ContentError(
        f"no reference table {query.listed_in} lists the labels of {query.axis}",
        f"sql/cube/{query.name}.sql",
        "name one with this column, such as -- members: ref.care_kinds",
    )


def _check_floors(programme: Programme) -> None:
    for extract in sorted(set(programme.contracts) ^ set(programme.staging)):
        raise ContentError(
            f"{extract} has a contract or staging SQL, but not both",
            f"contracts/{extract}.yaml, sql/staging/{extract}.sql",
            "write the other one",
        )
    known = {query.table for query in (*programme.staging.values(), *programme.persons.values())}
    for reader in (*programme.persons.values(), *programme.cubes.values()):
        if absent := sorted({*reader.sources("stg"), *reader.sources("person")} - known):
            raise ContentError(
                f"it reads {', '.join(absent)}, which no SQL file creates",
                f"sql/{reader.floor}/{reader.name}.sql",
                "name a table of sql/staging or sql/person",
            )
    try:
        TopologicalSorter({query.table: query.sources("person") for query in programme.persons.values()}).prepare()
    except CycleError as error:
        raise ContentError(
            f"{', '.join(sorted(set(error.args[1])))} depend on each other",
            "sql/person",
            "split one of them, so that no table depends on itself",
        ) from error
    for parts in programme.cubes.values():
        total_cube = programme.cubes.get(parts.part_of)
        if parts.part_of and (
            total_cube is None or parts.total not in total_cube.columns or set(total_cube.grain) != set(CELL)
        ):
            raise ContentError(
                f"it holds parts of {parts.part_of}.{parts.total}, which is not a sum by municipality, sex and age",
                f"sql/cube/{parts.name}.sql",
                "name a column of another cube: -- parts of: claims.amount_eur",
            )
    for contract in programme.contracts.values():
        ledger = contract.ledger
        if ledger is None:
            continue
        columns = programme.cubes[ledger.cube].columns if ledger.cube in programme.cubes else ()
        if missing := [c for c in (ledger.rows, ledger.euros) if c and c not in columns]:
            raise ContentError(
                f"the ledger counts in {ledger.cube}.{', '.join(missing)}, which does not exist",
                f"contracts/{contract.extract}.yaml",
                f"name columns of sql/cube/{ledger.cube}.sql",
            )
    for mart in programme.publication.marts:
        query = programme.marts.get(mart.name)
        if query is None or list(query.columns) != [column.name for column in mart.columns]:
            raise ContentError(
                f"the columns of the mart {mart.name} differ between its contract and its SQL",
                f"sql/marts/{mart.name}.sql",
                "give contracts/publication.yaml and the select list the same columns in the same order",
            )
    for aim, indicator in programme.publication.headlines.items():
        if indicator not in programme.specs:
            raise ContentError(
                f"the headline of {aim} is not an indicator", "contracts/publication.yaml", "name an indicator"
            )


def _check_spec(programme: Programme, spec: Spec) -> None:
    """Raise the first fault of a spec, with its line."""
    context = SpecContext(
        programme.cubes,
        {cube: programme.sums_of(cube) for cube in programme.cubes},
        programme.publication,
        programme.tables,
        programme.codes,
        programme.menu.keys(),
    )
    for place, what, how in spec_faults(spec, context):
        path = programme.project.specs / spec.aim / f"{spec.id}.yaml"
        raise ContentError(what, f"indicator_specs/{spec.aim}/{spec.id}.yaml:{line_of(path, place)}", how)
