"""The errors of the project: what went wrong, where, how to correct it, and the exit code for a scheduler.

Not here: catching them. Only the command line turns an error into an exit code.
A message never contains a value of a person; it names the column, the rule and the count instead.
"""

from __future__ import annotations


class TripleAimError(Exception):
    """A foreseen failure, reported in three short lines."""

    exit_code = 1

    def __init__(self, what: str, where: str, how: str) -> None:
        super().__init__(f"{what}\n  where: {where}\n  correct: {how}")
        self.what, self.where, self.how = what, where, how


class ContentError(TripleAimError):
    """A contract, spec, SQL file or reference table is wrong."""

    exit_code = 10


class DeliveryError(TripleAimError):
    """A delivered file breaks its contract."""

    exit_code = 11


class ProjectError(TripleAimError):
    """The folders or the settings of the project cannot be used."""

    exit_code = 12


class CheckFailed(TripleAimError):
    """A critical check failed, so nothing is published."""

    exit_code = 13


class DisclosureError(TripleAimError):
    """Disclosure control refused to release the numbers."""

    exit_code = 14


class NothingToPublish(TripleAimError):
    """No mart has a row."""

    exit_code = 15
