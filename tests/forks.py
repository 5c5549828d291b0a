"""Code that kills its own process, run in a fork of a process that has imported the engine.

Python needs seconds to start and to import the engine; a fork needs none. The parent runs nothing of the engine, so a
fork loses no thread.
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
    """The parent process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, code: str) -> tuple[int, str]:
        """Run this in a fork; its exit code, which is negative after a signal, and what it printed."""
        to, back = self._process.stdin, self._process.stdout
        assert to and back
        print(json.dumps(code), file=to, flush=True)
        exit_code, printed = json.loads(back.readline())
        return exit_code, printed


@contextmanager
def forks_of(imports: str) -> Iterator[Forks]:
    """A process that runs these imports once and forks for each piece of code."""
    script = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{imports}\n{SERVER}"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], text=True, **pipes) as process:
        yield Forks(process)
