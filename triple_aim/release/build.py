"""Everything one release holds, gathered and handed to ``publish``: marts, catalogue, checks page, facts.

Not here: writing it atomically (``publish``). What decides a release's name is here: deliveries and content.
"""

from __future__ import annotations

import subprocess

from triple_aim.checks import suite_files
from triple_aim.cubes import contributed
from triple_aim.definitions import Programme
from triple_aim.deliveries import inputs
from triple_aim.release.checks_page import checks_page
from triple_aim.release.datapackage import datapackage
from triple_aim.release.marts import read_mart
from triple_aim.release.publish import Published, prune, publish, release_id
from triple_aim.warehouse import Warehouse


def release(warehouse: Warehouse, programme: Programme) -> Published:
    """Publish what the warehouse now holds, unless the same inputs and content are published already."""
    project, promise = programme.project, programme.publication
    delivered = inputs(warehouse) | contributed(warehouse)
    name = release_id(project.content_hash, delivered)
    marts = {mart.name: read_mart(warehouse, mart) for mart in promise.marts}
    facts = {
        "title": promise.title.en,
        "publisher": promise.publisher.en,
        "suppliers": _suppliers(programme),
        "git_commit": _commit(programme),
        "content_sha256": project.content_hash,
        "division_year": project.settings.division_year,
        "inputs": delivered,
        "contracts": {contract.extract: contract.version for contract in programme.contracts.values()},
        "indicators": {spec.id: spec.version for spec in programme.specs.values()},
    }
    suites = suite_files(programme, {mart: table.num_rows for mart, table in marts.items()})
    extra = {
        "checks.html": checks_page(
            marts["checks"].to_pandas(), marts["reconciliation"].to_pandas(), {"release": name, **facts}
        ),
        "datapackage.json": datapackage(promise, programme.contracts, name, suites),
        **suites,
    }
    done = publish(project.publication, name, marts, extra, facts)
    prune(project.publication, project.settings.keep_releases)
    return done


def _suppliers(programme: Programme) -> dict[str, list[str]]:
    """Who delivered what a cube is made of, for the "bron:" line under a table or a figure."""
    return {
        name: sorted({programme.contracts[extract].supplier for extract in programme.extracts_of(query)})
        for name, query in programme.cubes.items()
    }


def _commit(programme: Programme) -> str:
    """The commit of the checkout, marked when it was changed since; ``unknown`` outside git."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=programme.project.root,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"  # a copy without git is a lawful way to run; the content hash names it all the same
    return told.stdout.strip()
