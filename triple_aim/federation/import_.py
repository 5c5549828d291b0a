"""Imports the cubes of other parties: accepts all contributions of an import or none, and stages them for merging.

Not here: making a contribution (``export``), checking one (``contribution_checks``), storing accepted ones
(``triple_aim.deliveries``), or adding them to the own cubes (``triple_aim.cubes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from triple_aim.cubes import COUNTED, UNKNOWN_LABEL, ensure_contributions
from triple_aim.definitions import Programme
from triple_aim.deliveries import (
    StoredContribution,
    accept_contributions,
    clear_leftovers,
    copied_contribution,
    current_contributions,
)
from triple_aim.errors import DeliveryError
from triple_aim.federation.contribution_checks import cells_sql, check_contribution
from triple_aim.federation.export import cube_fingerprint
from triple_aim.warehouse import Warehouse, literal, open_warehouse, qualified, quoted


def import_cubes(programme: Programme, folders: Sequence[Path]) -> list[str]:
    """Accept every contribution or none; return the contributors whose contribution is new."""
    landing = programme.project.landing
    clear_leftovers(landing)
    with ExitStack() as stack:
        copies = [stack.enter_context(copied_contribution(landing, folder)) for folder in folders]
        names = [copy.manifest.contributor for copy in copies]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DeliveryError(
                f"{', '.join(twice)} contributes twice", "cube import", "name the newest folder of each party only"
            )
        others = [other for other in current_contributions(landing) if other.manifest.contributor not in names]
        warehouse = stack.enter_context(open_warehouse(None, reach=[landing]))
        for copy in copies:
            _refuse_other_content(programme, copy)
            check_contribution(warehouse, programme, copy)
        _refuse_same_deliveries(programme, _by_contributor([*others, *copies]))
        _refuse_identical_files([*others, *copies])
        _refuse_same_places(warehouse, programme, [*others, *copies])
        return accept_contributions(landing, copies)


def stage_contributions(warehouse: Warehouse, programme: Programme) -> None:
    """Update ``party.*`` to the current contributions in the landing area; does nothing if they are the same."""
    ensure_contributions(warehouse)
    contributions = current_contributions(programme.project.landing)
    wanted = {
        (f"cube.{name}", period, contribution.manifest.contributor, file.sha256, contribution.sha256)
        for contribution in contributions
        for name, file in contribution.manifest.cubes.items()
        for period in file.periods
    }
    if contributions:
        for contribution in contributions:
            _refuse_other_content(programme, contribution)
        _refuse_same_deliveries(programme, _by_contributor(contributions), _own_deliveries(warehouse))
    staged = set(warehouse.rows("select * from meta.contributed"))
    if staged == wanted:
        return
    with warehouse.transaction():
        for table, period, *_ in staged - wanted:  # built from a contribution that no longer counts
            warehouse.run("delete from meta.built where table_name = ? and period = ?", [table, period])
        warehouse.run("delete from meta.contributed; delete from meta.contributed_ledger")
        for name in {name for contribution in contributions for name in contribution.manifest.cubes}:
            with_cube = _by_contributor(contributions, name)
            warehouse.run(f"create or replace table {qualified('party.' + name)} as {_all_cells_sql(name, with_cube)}")
        for row in sorted(wanted):
            warehouse.run("insert into meta.contributed values (?, ?, ?, ?, ?)", list(row))
        for contribution in contributions:
            for line in contribution.manifest.ledger:
                supplier = "/".join(part for part in (contribution.manifest.contributor, line.supplier) if part)
                values = list((line.model_dump() | {"supplier": supplier}).values())
                warehouse.run("insert into meta.contributed_ledger values (?, ?, ?, ?, ?, ?, ?)", values)


def _by_contributor(contributions: Iterable[StoredContribution], cube: str = "") -> dict[str, StoredContribution]:
    """The contributions by the name of their party; with ``cube``, only those that contain it."""
    return {c.manifest.contributor: c for c in contributions if not cube or cube in c.manifest.cubes}


def _own_deliveries(warehouse: Warehouse) -> dict[tuple[str, int], set[str]]:
    """The hashes of the deliveries of this installation, by extract and period."""
    own: dict[tuple[str, int], set[str]] = {}
    for extract, period, delivery in warehouse.rows("select extract, period, delivery from meta.staged"):
        own.setdefault((extract, period), set()).add(delivery)
    return own


def _all_cells_sql(cube: str, contributions: dict[str, StoredContribution]) -> str:
    """SQL for the cells of one cube in several contributions, with the name of the party."""
    return " union all by name ".join(
        f"select {literal(name)} as contributor, * from {cells_sql(contribution, cube)}"
        for name, contribution in sorted(contributions.items())
    )


def _refuse_other_content(programme: Programme, contribution: StoredContribution) -> None:
    """Refuse cubes that other contracts, SQL or code lists made: their sums differ in meaning."""
    other = [
        name
        for name, file in contribution.manifest.cubes.items()
        if name not in programme.cubes or cube_fingerprint(programme, programme.cubes[name]) != file.fingerprint
    ]
    if other:
        raise DeliveryError(
            f"{', '.join(sorted(other))} was made with other contracts, SQL or code lists than those here",
            f"contribution of {contribution.manifest.contributor}",
            "bring both installations to the same version, then export and import again",
        )


def _refuse_same_deliveries(
    programme: Programme,
    contributions: dict[str, StoredContribution],
    own: dict[tuple[str, int], set[str]] | None = None,
) -> None:
    """Refuse a delivered file that counts at more than one party."""
    seen: dict[tuple[str, int, str], str] = {}
    for (extract, period), deliveries in (own or {}).items():
        seen |= {(extract, period, delivery): "this installation" for delivery in deliveries}
    for name, contribution in sorted(contributions.items()):
        counted = {
            (extract, period, delivery)
            for cube, file in contribution.manifest.cubes.items()
            if not programme.cubes[cube].single_party  # the places of the other cubes are compared instead
            for extract in programme.extracts_of(programme.cubes[cube])
            for period in file.periods
            for delivery in contribution.manifest.delivery_hashes({extract}, period)
        }
        if shared := sorted(counted & seen.keys()):
            extract, period, _ = shared[0]
            raise DeliveryError(
                f"the same delivery of {extract} of {period} counts twice",
                f"contributions of {seen[shared[0]]} and {name}",
                "let one of them leave it out, and export again",
            )
        seen |= dict.fromkeys(counted, name)


def _refuse_identical_files(contributions: Iterable[StoredContribution]) -> None:
    """Refuse a file that two parties contribute, which happens when a party gets a new name."""
    seen: dict[str, str] = {}
    for contribution in contributions:
        name = contribution.manifest.contributor
        for cube, file in contribution.manifest.cubes.items():
            if seen.setdefault(file.sha256, name) != name:
                raise DeliveryError(
                    f"the same sums of {cube} count twice",
                    f"contributions of {seen[file.sha256]} and {name}",
                    "if a party was renamed, remove the folder of its old name from landing/contributions",
                )


def _refuse_same_places(
    warehouse: Warehouse, programme: Programme, contributions: Sequence[StoredContribution]
) -> None:
    """Refuse a place and period from two parties in a cube whose cells may come from one party only."""
    for name, query in programme.cubes.items():
        with_cube = _by_contributor(contributions, name)
        if not query.single_party or len(with_cube) < 2:
            continue
        place = quoted(query.single_party)
        twice = warehouse.rows(
            f"""select period, string_agg(distinct contributor, ' and ' order by contributor), count(*)
                from (select distinct contributor, period, {place} from ({_all_cells_sql(name, with_cube)})
                      where exclusion = '{COUNTED}' and {place} <> '{UNKNOWN_LABEL}')
                group by period, {place} having count(*) > 1 order by 1"""
        )
        if twice:
            period, names, _ = twice[0]
            raise DeliveryError(
                f"two parties deliver the same {len(twice):,} places, the first in {period}",
                f"cube {name} of {names}",
                "let one of them leave these places out of its deliveries, and export again",
            )
