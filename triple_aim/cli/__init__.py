"""The command line: words, options and exit codes.

Not here: the work itself; each command imports the room that does it.
"""

from triple_aim.cli.commands import app, main

__all__ = ["app", "main"]
