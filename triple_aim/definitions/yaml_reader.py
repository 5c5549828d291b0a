"""Reads one YAML content file into one model; every error names file and line.

Not here: the meaning of a contract or a spec. Anchors, aliases, tags and duplicate keys are refused, and so are values
that YAML 1.1 reads differently from a person (``NO``, ``0034``, ``12:30``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from triple_aim.errors import ContentError

MAX_CHARACTERS = 200_000
MAX_LEVELS = 20  # a few thousand levels would crash the parser and the process
PLAIN_SCALARS = {
    "tag:yaml.org,2002:int": re.compile(r"-?(0|[1-9][0-9]*)"),
    "tag:yaml.org,2002:bool": re.compile(r"true|false"),
    "tag:yaml.org,2002:float": re.compile(r"-?[0-9]+\.[0-9]+"),
    "tag:yaml.org,2002:null": re.compile(r"null|"),
    "tag:yaml.org,2002:timestamp": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}
CONTAINERS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:str"}
#: A key is read as it is written, whatever YAML 1.1 takes it for, but it may not have its own tag.
KEYS = {*PLAIN_SCALARS, "tag:yaml.org,2002:str"}


class Content(BaseModel):
    """Base of every model read from YAML: unknown keys are errors, types are strict, models are immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Bilingual(Content):
    """A text for readers, in Dutch and in English."""

    nl: str
    en: str


Model = TypeVar("Model", bound=BaseModel)


def read_model(path: Path, model: type[Model]) -> Model:
    """The model of a YAML file, or a ContentError with the first faulty line and the number of other faults."""
    lines: dict[tuple[int | str, ...], int] = {}
    return to_model(model, read_yaml(path, lines), path, lines)


def to_model(
    model: type[Model], data: Any, path: Path, lines: dict[tuple[int | str, ...], int], context: object = None
) -> Model:
    """The model of data that were read from ``path``; ``context`` is for its validators."""
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        faults = [(_line(lines, fault["loc"]), fault) for fault in error.errors()]
        # Report a wrong key before a missing one: the missing key is often the wrong one, misspelt.
        line, fault = min(faults, key=lambda found: (found[1]["type"] == "missing", found[0]))
        place = ".".join(str(step) for step in fault["loc"])
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ContentError(
            f"{place or path.stem}: {fault['msg']}{more}",
            f"{path.parent.name}/{path.name}:{line}",
            "correct that line; the _schema.json of the folder lists what is allowed",
        ) from error


def read_yaml(path: Path, lines: dict[tuple[int | str, ...], int] | None = None) -> Any:
    """The data of a YAML file; ``lines`` is filled with the first line of each part."""
    where = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ContentError("the file cannot be read as UTF-8 text", where, "save it as UTF-8") from error
    if len(text) > MAX_CHARACTERS:
        raise ContentError("the file is too large to be content", where, f"keep it under {MAX_CHARACTERS:,} characters")
    try:
        _refuse_depth(text, where)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContentError(error.problem or "this is not YAML", f"{where}:{line}", "correct the YAML there") from error
    except yaml.YAMLError as error:
        raise ContentError("this is not YAML text", where, "correct the file's characters") from error
    return _plain_data(root, (), {} if lines is None else lines, set(), where)


def line_of(path: Path, place: tuple[int | str, ...]) -> int:
    """The first line of a part of a YAML file, or of the innermost existing part around it."""
    lines: dict[tuple[int | str, ...], int] = {}
    read_yaml(path, lines)
    return _line(lines, place)


def _refuse_depth(text: str, where: str) -> None:
    """Count levels on the stream of events, before any object is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_LEVELS:
            line = event.start_mark.line + 1
            raise ContentError(f"more than {MAX_LEVELS} levels deep", f"{where}:{line}", "use fewer levels")


def _plain_data(
    node: yaml.Node | None,
    place: tuple[int | str, ...],
    lines: dict[tuple[int | str, ...], int],
    seen: set[int],
    where: str,
) -> Any:
    """The data of a node tree; refuses what a reader could misread."""
    if node is None:
        return None
    line = node.start_mark.line + 1
    lines.setdefault(place, line)

    def refuse(what: str, how: str) -> ContentError:
        return ContentError(what, f"{where}:{line}", how)

    if id(node) in seen:
        raise refuse("anchors and aliases are not allowed", "write the value out")
    seen.add(id(node))
    if node.tag not in CONTAINERS and node.tag not in PLAIN_SCALARS:
        raise refuse(f"the tag {node.tag} is not allowed", "write a plain value")
    if isinstance(node, yaml.SequenceNode):
        return [_plain_data(item, (*place, i), lines, seen, where) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        data: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key_line = f"{where}:{key_node.start_mark.line + 1}"
            if id(key_node) in seen or not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in KEYS:
                raise ContentError("a key must be a plain word", key_line, "write the key out")
            seen.add(id(key_node))
            key = key_node.value
            if key in data:
                raise ContentError(f"the key {key} occurs twice", key_line, "keep one of them")
            lines[(*place, key)] = key_node.start_mark.line + 1
            data[key] = _plain_data(value_node, (*place, key), lines, seen, where)
        return data
    if (shape := PLAIN_SCALARS.get(node.tag)) and not shape.fullmatch(node.value):
        raise refuse(f"“{node.value}” can be read in two ways", "put it in quotes, or write it plainly")
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except ValueError:
        raise refuse(f"“{node.value[:40]}” is not a value", "correct it, or put it in quotes") from None


def _line(lines: dict[tuple[int | str, ...], int], location: tuple[int | str, ...]) -> int:
    """The line of the innermost part of ``location`` that exists."""
    return next((lines[location[:n]] for n in range(len(location), -1, -1) if location[:n] in lines), 1)
