"""Examines an installation, so that a support question starts with facts.

Not here: repairs.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from triple_aim.cubes import open_builder
from triple_aim.definitions import Project, load_programme, load_project
from triple_aim.errors import TripleAimError
from triple_aim.files import wider_than_owner
from triple_aim.perturbation import fingerprint
from triple_aim.release import current_release, history, installation_secret, linked_release, verify
from triple_aim.warehouse import open_warehouse

MINIMUM_DISK = 2_000_000_000  # bytes


@dataclass(frozen=True)
class Finding:
    subject: str
    message: str
    is_ok: bool


def examine(config: Path | None) -> list[Finding]:
    """Examine what can be checked without a run; without valid settings only the versions."""
    findings = [_versions()]
    try:
        project = load_project(config)
    except TripleAimError as error:
        return [*findings, Finding("settings", error.what, False)]
    examinations: list[tuple[str, Callable[[Project], str]]] = [
        ("settings", lambda p: str(p.config)),
        ("content", _content),
        ("deliveries", _deliveries),
        ("work", _work),
        ("secret", _secret),
        ("warehouse", _warehouse),
        ("engine", _engine),
        ("publication", _publication),
    ]
    for subject, examine_part in examinations:
        try:
            findings.append(Finding(subject, examine_part(project), True))
        except TripleAimError as error:
            findings.append(Finding(subject, f"{error.what} ({error.where}): {error.how}", False))
    return findings


def _versions() -> Finding:
    names = ("duckdb", "dagster", "great-expectations", "pandas", "pyarrow")
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("versions", f"Python {python}, {libraries}", sys.version_info >= (3, 11))


def _content(project: Project) -> str:
    programme = load_programme(project)
    return f"{len(programme.contracts)} contracts, {len(programme.specs)} indicators"


def _deliveries(project: Project) -> str:
    if not project.deliveries.is_dir():
        raise TripleAimError("the folder does not exist", str(project.deliveries), "create it, or correct the settings")
    return f"{sum(path.is_file() for path in project.deliveries.rglob('*'))} files in {project.deliveries}"


def _work(project: Project) -> str:
    folder = next(parent for parent in (project.work, *project.work.parents) if parent.is_dir())
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK) or free < MINIMUM_DISK:
        raise TripleAimError(
            "the folder cannot be written, or the disk is full",
            str(folder),
            "free disk space, or correct the permissions",
        )
    if wide := wider_than_owner(project.work):
        raise TripleAimError(
            f"others than the owner may enter or read {len(wide):,} private files or folders",
            str(wide[0]),
            f"chmod -R go= {project.work}",
        )
    return f"{project.work}, for its owner only, {free / 1e9:,.0f} GB free"


def _secret(project: Project) -> str:
    path = project.perturbation_secret
    if not path.exists():
        if current_release(project.publication):
            raise TripleAimError(
                "the secret of the published noise is gone",
                str(path),
                "put its backup there: docs/how-to/keep-the-secret.md",
            )
        return "not made yet"
    return f"{path}, fingerprint {fingerprint(installation_secret(project))}"


def _warehouse(project: Project) -> str:
    if not project.warehouse.is_file():
        return "not built yet"
    with open_warehouse(project.warehouse) as warehouse:
        cubes = warehouse.value("select count(*) from information_schema.tables where table_schema = 'cube'")
    return f"{project.warehouse.stat().st_size / 1e6:,.1f} MB, {cubes} cubes"


def _engine(project: Project) -> str:
    with open_builder(project) as builder:
        return builder.name()


def _publication(project: Project) -> str:
    release = linked_release(project.publication) or current_release(project.publication)
    if release is None:
        return "nothing published yet"
    if problems := verify(release):
        raise TripleAimError(
            problems[0], release.name, "run the job again; until then readers get the previous release"
        )
    return f"release {release.name}, {len(history(project.publication))} kept"
