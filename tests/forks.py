"""Code that may kill its own process, run in forks of one that has imported the engine already.

Starting Python with the engine takes seconds; a fork takes none. The process has run nothing of the engine when it
forks, so that there is no thread to lose.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVER = """
import json, os, sys, tempfile, traceback
for line in sys.stdin:
    with tempfile.TemporaryFile("w+") as printed:
        child = os.fork()
        if child == 0:
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
            code = 1
            try:
                exec(json.loads(line), {})
                code = 0
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        printed.seek(0)
        answer = [os.waitstatus_to_exitcode(status), printed.read()]
    print(json.dumps(answer), flush=True)
"""


class Forks:
    """A hold on that process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, code: str) -> tuple[int, str]:
        """The exit code of a fork that runs this, less than 0 when a signal ended it, and what it printed."""
        to, back = self._process.stdin, self._process.stdout
        assert to and back
        print(json.dumps(code), file=to, flush=True)
        exit_code, printed = json.loads(back.readline())
        return exit_code, printed


@contextmanager
def forks_of(imports: str) -> Iterator[Forks]:
    """Forks of a process that has run these imports."""
    script = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{imports}\n{SERVER}"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], text=True, **pipes) as process:
        yield Forks(process)
