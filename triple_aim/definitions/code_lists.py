"""The code lists of ``reference/codes``: the cube columns that a list defines, its version and its hash.

Not here: the meaning of the codes, or joins with them (SQL reads a list as ``ref.<list>``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from triple_aim.definitions.specs import Spec
from triple_aim.definitions.yaml_reader import read_yaml
from triple_aim.errors import ContentError


@dataclass(frozen=True)
class CodeFile:
    """The current file of a list; ``decides`` are patterns of the cube columns that it defines."""

    version: str
    sha256: str
    decides: tuple[str, ...]


def load_code_lists(folder: Path) -> dict[str, CodeFile]:
    """Every code list whose sidecar file has ``decides``, by name."""
    lists = {}
    for path in sorted(folder.glob("*.csv")):
        sidecar = read_yaml(path.with_suffix(".yaml"))
        if patterns := sidecar.get("decides"):
            if "version" not in sidecar:
                raise ContentError("the code list has no version", f"reference/codes/{path.stem}.yaml", "add version")
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            lists[path.stem] = CodeFile(sidecar["version"], sha256, tuple(patterns))
    return lists


def pin_faults(spec: Spec, columns: Iterable[str], lists: Mapping[str, CodeFile]) -> Iterator[tuple[str, str]]:
    """The faults of the pinned code lists of a spec that reads these columns, each with its correction."""
    pins = {pin.list: pin for pin in spec.codes}
    used = sorted(columns)
    for name, file in lists.items():
        pin_line = f"write under codes: {{list: {name}, version: {file.version}, sha256: {file.sha256}}}"
        decided = [column for column in used if any(fnmatchcase(column, pattern) for pattern in file.decides)]
        pin = pins.pop(name, None)
        if decided and pin is None:
            yield f"{decided[0]} depends on the code list {name}, which is not pinned", pin_line
        if pin and (pin.version, pin.sha256) != (file.version, file.sha256):
            what = f"the code list {name} changed after it was pinned"
            yield what, f"see what changed, raise the version of the indicator, and {pin_line}"
    for name in sorted(pins):
        yield f"no code list {name} defines a column", "name a list of reference/codes"
