"""Collects the files and facts of one release from the warehouse and publishes it.

Not here: writing it atomically (``publish``).
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from triple_aim.cubes import contributed
from triple_aim.definitions import Programme, Project
from triple_aim.deliveries import staged_inputs
from triple_aim.release.checks_page import checks_page
from triple_aim.release.datapackage import datapackage
from triple_aim.release.marts import read_mart
from triple_aim.release.publish import WriteResult, delete_old_releases, release_id, write_release
from triple_aim.release.store import history
from triple_aim.warehouse import Warehouse

log = logging.getLogger(__name__)

#: Makes the files that a release ships next to its marts, from the number of rows of each mart.
OtherFiles: TypeAlias = Callable[[Programme, Mapping[str, int]], dict[str, bytes]]


def publish_release(
    warehouse: Warehouse,
    programme: Programme,
    other_files: OtherFiles,
    secret_fingerprint: str,
    refuse: Callable[[], None],
) -> WriteResult:
    """Publish the marts in the warehouse, unless a release of the same inputs, content and secret is current.

    ``refuse`` raises an error if the release may not follow the current one; it is not asked while corrections wait.
    """
    project, promise = programme.project, programme.publication
    delivered = staged_inputs(warehouse) | contributed(warehouse)
    if waiting := _waiting_corrections(project, delivered):
        log.warning("corrections of published periods wait until %s: release %s stays current", *waiting)
        return WriteResult(project.publication / "releases" / waiting[1], is_new=False)
    refuse()
    name = release_id(project.content_hash, delivered, secret_fingerprint)
    marts = {mart.name: read_mart(warehouse, mart) for mart in promise.marts}
    facts = {
        "title": promise.title.en,
        "publisher": promise.publisher.en,
        "suppliers": _suppliers_by_cube(programme),
        "git_commit": _git_commit(programme),
        "content_sha256": project.content_hash,
        "division_year": project.settings.division_year,
        "inputs": delivered,
        "contracts": {contract.extract: contract.version for contract in programme.contracts.values()},
        "indicators": {spec.id: spec.version for spec in programme.specs.values()},
    }
    others = other_files(programme, {mart: table.num_rows for mart, table in marts.items()})
    extra = {
        "checks.html": checks_page(
            marts["checks"].to_pandas(), marts["reconciliation"].to_pandas(), {"release": name, **facts}
        ),
        "datapackage.json": datapackage(promise, programme.contracts, name, others),
        **others,
    }
    result = write_release(project.publication, name, marts, extra, facts)
    delete_old_releases(project.publication, project.settings.keep_releases)
    return result


def _waiting_corrections(project: Project, delivered: Mapping[str, str]) -> tuple[str, str] | None:
    """The day until which corrections wait and the release that stays current; None if there is nothing to wait for.

    Deliveries of the periods that the current release has are corrections. Content or periods of their own are not.
    """
    current = next((release for release in history(project.publication) if release.is_current), None)
    days = project.settings.publish_corrections_every
    if current is None or not days or current.facts.get("content_sha256") != project.content_hash:
        return None
    published = current.facts.get("inputs", {})
    if published == delivered or published.keys() != delivered.keys():
        return None
    due = datetime.fromisoformat(current.created) + timedelta(days=days)
    return (f"{due:%Y-%m-%d}", current.path.name) if datetime.now(UTC) < due else None


def _suppliers_by_cube(programme: Programme) -> dict[str, list[str]]:
    """The suppliers of the extracts of each cube, for the source line under a table or a figure."""
    return {
        name: sorted({programme.contracts[extract].supplier for extract in programme.extracts_of(query)})
        for name, query in programme.cubes.items()
    }


def _git_commit(programme: Programme) -> str:
    """The commit of the checkout, with ``-dirty`` when files differ from it; ``unknown`` outside git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=programme.project.root,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"  # a copy without git may run; the content hash identifies its content
    return described.stdout.strip()
