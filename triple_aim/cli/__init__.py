"""The command line: commands, options and exit codes.

Not here: the work; each command imports the room that does it.
"""

from triple_aim.cli.commands import app, main

__all__ = ["app", "main"]
