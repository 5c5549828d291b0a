"""Deselected tests are counted in the closing line and slow ones are listed above it, also with pytest-xdist."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

SLOW = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SLOW] = set()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        slow = {item.nodeid} if item.get_closest_marker("slow") else set()
        item.config.stash[SLOW] |= slow
        if hasattr(item.config, "workeroutput"):  # pytest-xdist sends this to the process that reports
            item.config.workeroutput.setdefault("left_out", []).append((item.nodeid, bool(slow)))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All workers deselect the same tests; count them once."""
    left_out = getattr(node, "workeroutput", {}).get("left_out", [])
    node.config.stash[SLOW] |= {name for name, is_slow in left_out if is_slow}
    if left_out:
        reporter = node.config.pluginmanager.get_plugin("terminalreporter")
        reporter.stats["deselected"] = [SimpleNamespace(nodeid=name) for name, _ in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if slow := sorted(config.stash[SLOW]):
        terminalreporter.section("left to make test-all")
        for name in slow:
            terminalreporter.line(name)
