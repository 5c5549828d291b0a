"""Folders that take long to make: one worker makes each of them in a session, and every worker reads it.

Not here: what is in them. A test that changes such a folder, or opens a warehouse in it, takes a copy: a warehouse has
one user at a time.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name, filled by the first worker that asks; the others wait for it. Nobody changes it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # the folder of a worker is inside that of the session
        base = base.parent
    folder, is_made = base / name, base / f"{name}.made"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed, also when the worker dies
        if not is_made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            is_made.touch()
    return folder


def copy_of(made: Path, to: Path) -> Path:
    """A copy that may be changed; times stay, by which a run sees that nothing was delivered since."""
    return Path(shutil.copytree(made, to, symlinks=True))
