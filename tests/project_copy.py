"""A copy of the project in which ``make run`` has run the job on the samples, as a newcomer does."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.forks import Forks
from tests.once import copy_of, made_once

ROOT = Path(__file__).resolve().parents[1]
COPIED = (
    "assets",
    "benchmarks",
    "contracts",
    "data_samples",
    "docs",
    "indicator_specs",
    "pipelines",
    "reference",
    "sql",
)
FILES = ("Makefile", "README.md", "pyproject.toml", "requirements.lock", "workspace.yaml")
PROGRAM = ".venv/bin/triple-aim"
#: What commands other than ``run`` import, most of it when they start to work.
IMPORTS = (
    "import triple_aim.cli, triple_aim.explain, triple_aim.federation, triple_aim.indicators, triple_aim.release\n"
    "import triple_aim.reports.figures, xlsxwriter"
)
#: One command of the program, in a fork of a process with these imports.
COMMAND = """
import os, sys
os.environ.clear()
os.environ.update({environment!r})
os.chdir({folder!r})
sys.argv = {words!r}
from triple_aim.cli import main
try:
    main()
except SystemExit as end:
    if end.code:
        print(f"ended with {{end.code}}")
        raise
"""
#: The environment of the tests is complete, whether or not make created it.
MAKE_RUN = "make --assume-old=.venv/.ready run"


@dataclass(frozen=True)
class ProjectCopy:
    """The copy and what ``make run`` printed in it."""

    root: Path
    run_output: str

    def run(self, command: str, forks: Forks) -> str:
        """What a command prints; ``forks`` runs those of the program, which need seconds to import the engine."""
        if command == "make run":
            return self.run_output
        if not command.startswith(f"{PROGRAM} "):
            return run(command, self.root)
        code = COMMAND.format(environment=_environment(), folder=str(self.root), words=shlex.split(command))
        exit_code, printed = forks.run(code)
        assert exit_code == 0, f"{command}:\n{printed}"
        return printed


def own_copy(factory: pytest.TempPathFactory) -> ProjectCopy:
    """A copy for one worker; the job runs once for all workers."""
    made = made_once(factory, "samples", _build)
    root = copy_of(made / "project", factory.mktemp("samples") / "project")
    return ProjectCopy(root, (made / "printed.txt").read_text())


def run(command: str, folder: Path) -> str:
    """Run a command in a shell; what it prints."""
    done = subprocess.run(
        command, shell=True, cwd=folder, env=_environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRIPLE_AIM", "DAGSTER"))}
    environment |= {"NO_COLOR": "1", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "DAGSTER_DISABLE_TELEMETRY": "1"}
    environment.pop("MAKEFLAGS", None)
    return environment


def _build(folder: Path) -> None:
    root = folder / "project"
    root.mkdir()
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy2(ROOT / name, root / name)
    (root / ".venv").symlink_to(sys.prefix)
    printed = run(MAKE_RUN if shutil.which("make") else ".venv/bin/triple-aim run", root)
    (folder / "printed.txt").write_text(printed)
