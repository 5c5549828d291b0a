"""Folders that take seconds to make: the first worker that needs one makes it, every worker reads it.

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
    """The folder of this name, made by the first worker that asks while the others wait. Nobody changes it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # the session's folder holds a folder per worker
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
    """A copy that may be changed. It keeps the times of files, which show a run that nothing new was delivered."""
    return Path(shutil.copytree(made, to, symlinks=True))
