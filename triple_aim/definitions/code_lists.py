"""The code lists of ``reference/codes`` as specs pin them: which columns a list decides, its version, its hash.

Not here: what the codes mean, or joining them (SQL does, as ``ref.<list>``).
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
    """A list as it stands now; ``decides`` are patterns of the cube columns that would change with it."""

    version: str
    sha256: str
    decides: tuple[str, ...]


def load_code_lists(folder: Path) -> dict[str, CodeFile]:
    """Every code list whose sidecar says that it decides a column."""
    lists = {}
    for path in sorted(folder.glob("*.csv")):
        sidecar = read_yaml(path.with_suffix(".yaml"))
        if patterns := sidecar.get("decides"):
            if "version" not in sidecar:
                raise ContentError("the code list has no version", f"reference/codes/{path.stem}.yaml", "give it one")
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            lists[path.stem] = CodeFile(sidecar["version"], content, tuple(patterns))
    return lists


def loose_pins(spec: Spec, columns: Iterable[str], lists: Mapping[str, CodeFile]) -> Iterator[tuple[str, str]]:
    """What is wrong with the pins of a spec that uses these columns, and how to mend it."""
    pins = {pin.list: pin for pin in spec.codes}
    used = sorted(columns)
    for name, file in lists.items():
        mend = f"write under codes: {{list: {name}, version: {file.version}, sha256: {file.sha256}}}"
        decided = [column for column in used if any(fnmatchcase(column, pattern) for pattern in file.decides)]
        pin = pins.pop(name, None)
        if decided and pin is None:
            yield f"{decided[0]} rests on the code list {name}, which is not pinned", mend
        if pin and (pin.version, pin.sha256) != (file.version, file.sha256):
            what = f"the code list {name} is no longer the one that was pinned"
            yield what, f"see what changed, raise the version of the indicator, and {mend}"
    for name in sorted(pins):
        yield f"there is no code list {name} that decides a column", "name one of reference/codes"
