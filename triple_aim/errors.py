"""One family of errors: what happened, where, how to mend it, and the exit code that tells a scheduler.

Not here: catching them. Only the command line turns an error into an exit code.
No message may hold a person-level value; name the column, the rule and the count instead.
"""

from __future__ import annotations


class TripleAimError(Exception):
    """A foreseen failure, told in three short lines."""

    exit_code = 1

    def __init__(self, what: str, where: str, how: str) -> None:
        super().__init__(f"{what}\n  where: {where}\n  mend:  {how}")
        self.what, self.where, self.how = what, where, how


class ContentError(TripleAimError):
    """A contract, spec, SQL file or reference table is wrong."""

    exit_code = 10


class DeliveryError(TripleAimError):
    """A delivered file breaks its contract."""

    exit_code = 11


class ProjectError(TripleAimError):
    """The project's folders or settings are not usable."""

    exit_code = 12


class CheckFailed(TripleAimError):
    """A critical check failed, so nothing is published."""

    exit_code = 13


class DisclosureError(TripleAimError):
    """The disclosure gate refused."""

    exit_code = 14


class NothingToPublish(TripleAimError):
    """There is no mart with a row in it."""

    exit_code = 15
