"""The whole content of a project, read once and held against itself: contracts, specs, SQL, reference tables.

Not here: data. Everything in this module can be checked on a machine that never saw a delivery.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from triple_aim.contracts import Contract, Publication, load_contracts, load_publication
from triple_aim.errors import ContentError
from triple_aim.project import Project
from triple_aim.queries import Query, read_queries
from triple_aim.regions import Regions
from triple_aim.specs import FAMILY, Compute, Spec, load_specs
from triple_aim.standards import Tables
from triple_aim.warehouse import Warehouse

SURVEY_SUMS = frozenset(
    {
        "respondent_count",
        "answer_count",
        "yes_count",
        "weight_sum",
        "weighted_yes_sum",
        "weight_sumsq",
        "weighted_yes_sumsq",
    }
)


@dataclass(frozen=True)
class Programme:
    """What this monitor follows, and how."""

    project: Project
    contracts: dict[str, Contract]
    publication: Publication
    specs: dict[str, Spec]
    staging: dict[str, Query]
    cubes: dict[str, Query]
    marts: dict[str, Query]
    tables: Tables

    def regions(self, warehouse: Warehouse | None = None) -> Regions:
        """Today's regions; a warehouse adds the delivered shares of split municipalities, where there are any."""
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

    def cubes_of(self, spec: Spec) -> list[str]:
        """Every cube an indicator reads, suppliers first and addends after."""
        addends = [addend.cube for route in spec.compute for addend in route.add]
        return list(dict.fromkeys([*spec.route_of, *addends]))


def load_programme(project: Project) -> Programme:
    """Read all content and refuse what does not fit together, with the file to mend."""
    programme = Programme(
        project=project,
        contracts=load_contracts(project.contracts),
        publication=load_publication(project.contracts),
        specs=load_specs(project.specs),
        staging=read_queries(project.sql / "staging"),
        cubes=read_queries(project.sql / "cube"),
        marts=read_queries(project.sql / "marts"),
        tables=Tables.load(project.reference),
    )
    _check_floors(programme)
    for spec in programme.specs.values():
        _check_spec(programme, spec)
    if problems := programme.regions().problems():
        raise ContentError(
            "; ".join(problems[:3]), "reference/regions", "every municipality belongs to exactly one region"
        )
    return programme


def _check_floors(programme: Programme) -> None:
    for extract in sorted(set(programme.contracts) ^ set(programme.staging)):
        raise ContentError(
            f"{extract} has a contract or staging SQL, but not both",
            f"contracts/{extract}.yaml, sql/staging/{extract}.sql",
            "write the other one",
        )
    for contract in programme.contracts.values():
        ledger = contract.ledger
        if ledger is None:
            continue
        columns = programme.cubes[ledger.cube].columns if ledger.cube in programme.cubes else ()
        if lacking := [c for c in (ledger.rows, ledger.euros) if c and c not in columns]:
            raise ContentError(
                f"the ledger counts in {ledger.cube}.{', '.join(lacking)}, which does not exist",
                f"contracts/{contract.extract}.yaml",
                f"name columns of sql/cube/{ledger.cube}.sql",
            )
    for mart in programme.publication.marts:
        query = programme.marts.get(mart.name)
        if query is None or list(query.columns) != [column.name for column in mart.columns]:
            raise ContentError(
                f"the mart {mart.name} promises other columns than its SQL makes",
                f"sql/marts/{mart.name}.sql",
                "make contracts/publication.yaml and the select list agree, in order",
            )
    for aim, indicator in programme.publication.headlines.items():
        if indicator not in programme.specs:
            raise ContentError(
                f"the headline of {aim} is no indicator", "contracts/publication.yaml", "name an indicator"
            )


def _check_spec(programme: Programme, spec: Spec) -> None:
    where = f"indicator_specs/{spec.aim}/{spec.id}.yaml"
    for cube, route in spec.route_of.items():
        query = programme.cubes.get(cube)
        if query is None:
            raise ContentError(f"there is no cube {cube}", where, f"choose from {', '.join(sorted(programme.cubes))}")
        if lacking := sorted(_needed(route) - set(query.columns)):
            raise ContentError(
                f"cube {cube} has no column {', '.join(lacking)}",
                where,
                f"add it to sql/cube/{cube}.sql, or name another",
            )
        if unknown := sorted(set(route.where) - set(query.grain)):
            raise ContentError(
                f"cube {cube} has no dimension {', '.join(unknown)}", where, "filter on a column of its grain"
            )
        for addend in route.add:
            columns = programme.cubes[addend.cube].columns if addend.cube in programme.cubes else ()
            if absent := sorted({addend.numerator, addend.denominator} - set(columns)):
                raise ContentError(f"there is no {addend.cube}.{', '.join(absent)}", where, "name columns of a cube")
        if route.standard and route.standard not in programme.tables.standards:
            raise ContentError(f"there is no standard {route.standard}", where, "add it to reference/standards")
        growth = route.growth
        if growth and (
            growth.deflator not in programme.tables.deflators or growth.breaks not in programme.tables.breaks
        ):
            raise ContentError(
                "growth names an unknown price index or list of breaks", where, "see reference/prices and breaks"
            )
        # A misspelt column here would open the gate without a word.
        pattern = re.compile(FAMILY.sub("[a-z_]+", route.cases_from or ""))
        gated = route.cases_from and programme.publication.threshold(cube).cases
        if gated and not any(pattern.fullmatch(column) for column in query.columns):
            raise ContentError(
                f"cube {cube} has no column {route.cases_from}", where, "name whose number stands behind it"
            )
        least = programme.publication.threshold(cube).persons
        if spec.disclosure.get("threshold", least) < least:
            raise ContentError(
                f"the threshold is below the {least} that is promised for {cube}",
                where,
                "a spec may tighten it, never loosen it",
            )


def _needed(route: Compute) -> set[str]:
    """Columns every cube of a route must have; a family must have at least one, a spread may be missing."""
    needed = {column for column in (route.denominator, route.persons) if column}
    if route.method == "survey_proportion":
        needed |= SURVEY_SUMS
    if not FAMILY.search(route.numerator):
        needed.add(route.numerator)
    return needed
