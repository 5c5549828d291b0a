"""Reads every spec: fills in defaults, looks up texts, refuses repetition and entries that no spec uses.

Not here: the contents of a spec (``specs``), or checks against cubes, standards and code lists (``consistency``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from triple_aim.definitions.contracts import Name
from triple_aim.definitions.shared_texts import FILES, Break, Cautions, SharedTexts, Sources
from triple_aim.definitions.specs import Expectation, Spec
from triple_aim.definitions.yaml_reader import Content, line_of, read_model, read_yaml, to_model
from triple_aim.errors import ContentError
from triple_aim.vocabulary import Population
from triple_aim.warehouse import read_table

Place = tuple[int | str, ...]
Fields = Mapping[str, Any]  # a mapping of a YAML file
DEFAULTS = "indicator_specs/defaults.yaml"


class CompareDefaults(Content):
    to: Literal["rest_of_nl"] | None = None
    method: Literal["interval_overlap"] | None = None
    trend: Literal["five_point_wls"] | None = None


class ExpectDefaults(Content):
    coverage: Expectation | None = None
    change: Expectation | None = None


class FieldDefaults(Content):
    """What a spec may leave out; ``compare`` and ``expect`` are filled in field by field."""

    levels: list[Name] | None = Field(None, min_length=1)
    decimals: int | None = Field(None, ge=0, le=4)
    population: Population | None = None
    compare: CompareDefaults | None = None
    expect: ExpectDefaults | None = None
    owner: str | None = None


class Defaults(Content):
    """The values of fields that a spec leaves out: a cube overrides ``every``, a domain overrides both.

    The domain of a spec and the first cube of its first route must have an entry.
    """

    every: FieldDefaults
    cubes: dict[Name, FieldDefaults]  # by the first cube of the first route
    domains: dict[Name, FieldDefaults]


@dataclass(frozen=True)
class SpecFile:
    """A spec, and the text it was read from."""

    path: Path
    written: Fields
    layers: Mapping[Place, Fields]  # the entries of defaults.yaml for this spec; a later one overrides an earlier one
    spec: Spec

    @property
    def defaults(self) -> Fields:
        return _merged(self.layers.values())

    def error(self, place: Place, what: str, how: str) -> ContentError:
        where = f"indicator_specs/{self.path.parent.name}/{self.path.name}:{line_of(self.path, place)}"
        return ContentError(what, where, how)


@dataclass(frozen=True)
class DeclaredBreak:
    """A row of ``series_breaks.csv``."""

    line: int
    cubes: frozenset[str]  # the cubes whose series it breaks
    entry: Break


def load_specs(folder: Path) -> dict[str, Spec]:
    """Every spec of ``indicator_specs`` by indicator id; ``reference`` is next to that folder."""
    defaults = read_model(folder / "defaults.yaml", Defaults)
    cautions = read_model(folder / "cautions.yaml", Cautions).root
    sources = read_model(folder / "sources.yaml", Sources).root
    breaks = _declared_breaks(folder.parent / FILES["breaks"])
    texts = SharedTexts(cautions, sources, {key: row.entry for key, row in breaks.items()})
    files = [_read(path, defaults, texts) for path in sorted(folder.glob("*/*.yaml"))]
    for file in files:
        _refuse_repetition(file)
        _refuse_foreign_breaks(file, breaks)
    _refuse_unused_texts(files, "cautions", cautions, folder)
    _refuse_unused_texts(files, "sources", sources, folder)
    _refuse_unused_breaks(files, breaks)
    _refuse_unused_defaults(files, defaults, folder)
    return {file.spec.id: file.spec for file in files}


def refuse_unwritten_texts(folder: Path) -> None:
    """Raise ContentError for the first line of a spec that still contains TODO; ``folder`` contains the specs.

    A spec with such a line can be read, so that a new indicator can be tried before its texts are written.
    """
    for path in sorted(folder.glob("*/*.yaml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if "TODO" in line:
                where = f"indicator_specs/{path.parent.name}/{path.name}:{number}"
                raise ContentError("this line still contains TODO", where, "write the text, and remove the word TODO")


def _declared_breaks(path: Path) -> dict[str, DeclaredBreak]:
    """Every declared break by its id."""
    breaks: dict[str, DeclaredBreak] = {}
    for line, row in enumerate(read_table(path).to_dict("records"), start=2):
        where = f"{FILES['breaks']}:{line}"
        try:
            comparable = {"true": True, "false": False}[row["comparable"]]
            reason = {"nl": row["reason_nl"], "en": row["reason_en"]}
            entry = Break.model_validate({"from": int(row["first_year"]), "reason": reason, "comparable": comparable})
            key, cubes = row["id"], frozenset(row["source"].split())
        except (KeyError, ValueError) as error:
            raise ContentError(
                f"this row is not a series break: {error}", where, "write it like the other rows"
            ) from error
        if key in breaks:
            raise ContentError(f"the id {key} occurs twice", where, "rename one of them")
        breaks[key] = DeclaredBreak(line, cubes, entry)
    return breaks


def _read(path: Path, defaults: Defaults, texts: SharedTexts) -> SpecFile:
    lines: dict[Place, int] = {}
    written = read_yaml(path, lines)
    if not isinstance(written, dict):
        written = {}
    layers = _layers(path, written, defaults)
    data = {**_merged([*layers.values(), written]), "aim": path.parent.name}
    file = SpecFile(path, written, layers, to_model(Spec, data, path, lines, texts))
    if file.spec.id != path.stem:
        raise file.error(("id",), f"the spec has id: {file.spec.id}", "give the file and the id the same name")
    return file


def _layers(path: Path, written: Fields, defaults: Defaults) -> dict[Place, Fields]:
    """The defaults of a spec before its validation; its cube and its domain must have an entry."""
    routes = written.get("compute")
    cubes = routes[0].get("cubes") if isinstance(routes, list) and routes and isinstance(routes[0], dict) else None
    chosen: list[tuple[str, Place, Any, Mapping[str, FieldDefaults]]] = [
        ("cube", ("compute", 0, "cubes"), cubes[0] if isinstance(cubes, list) and cubes else None, defaults.cubes),
        ("domain", ("domain",), written.get("domain"), defaults.domains),
    ]
    layers: dict[Place, FieldDefaults] = {("every",): defaults.every}
    for what, place, name, entries in chosen:
        if not isinstance(name, str):
            continue  # validation refuses it later
        if name in entries:
            layers[f"{what}s", name] = entries[name]
        else:
            where = f"indicator_specs/{path.parent.name}/{path.name}:{line_of(path, place)}"
            raise ContentError(
                f"there is no {what} {name} in {DEFAULTS}", where, f"choose from {', '.join(entries)}, or add it there"
            )
    return {place: entry.model_dump(exclude_unset=True) for place, entry in layers.items()}


def _merged(layers: Iterable[Fields]) -> Fields:
    """The layers as one: a later layer overrides an earlier one, and mappings are merged field by field."""
    return reduce(_overridden, layers, {})


def _overridden(lower: Fields, upper: Fields) -> Fields:
    pairs = {name: (lower[name], value) for name, value in upper.items() if name in lower}
    inner = {name: _overridden(*pair) for name, pair in pairs.items() if all(isinstance(part, dict) for part in pair)}
    return {**lower, **upper, **inner}


def _refuse_repetition(file: SpecFile) -> None:
    if "aim" in file.written:
        raise file.error(("aim",), "the folder of a spec is its aim", "leave the line out")
    for place in _repeated(file.spec, file.written, file.defaults, ()):
        what = f"{'.'.join(map(str, place))} repeats a default"
        raise file.error(place, what, f"leave it out; {DEFAULTS} or _schema.json gives it")
    for kind in FILES:
        keys = file.written.get(kind, [])
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise file.error((kind, number), f"{kind} names {key} twice", "keep one of them")


def _repeated(model: BaseModel, written: Fields, defaults: Fields, place: Place) -> Iterator[Place]:
    """The places where a spec gives the same value as ``defaults.yaml`` or as the model."""
    for name, field in type(model).model_fields.items():
        key = field.alias or name
        if key not in written:
            continue
        value, at_key = written[key], (*place, key)
        default = defaults[key] if key in defaults else field.get_default(call_default_factory=True)
        if value in (default, {}):
            yield at_key
        inner = default if isinstance(default, dict) else {}
        for step, part, text in _models(getattr(model, name), value):
            yield from _repeated(part, text, inner, (*at_key, *step))


def _models(value: Any, written: Any) -> Iterator[tuple[Place, BaseModel, Fields]]:
    """The models in a field, each with its place in the field and the mapping it was read from."""
    if isinstance(value, BaseModel) and isinstance(written, dict):
        yield (), value, written
    steps = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for step, part in steps:
        if isinstance(part, BaseModel) and isinstance(written[step], dict):
            yield (step,), part, written[step]


def _refuse_foreign_breaks(file: SpecFile, breaks: Mapping[str, DeclaredBreak]) -> None:
    for number, key in enumerate(file.written.get("breaks", [])):
        if breaks[key].cubes.isdisjoint(file.spec.route_of):
            what = f"{key} is a break of {' and '.join(sorted(breaks[key].cubes))}, which the indicator does not read"
            raise file.error(("breaks", number), what, "name breaks of the cubes of its routes")


def _refuse_unused_texts(files: Iterable[SpecFile], kind: str, texts: Mapping[str, Content], folder: Path) -> None:
    """Refuse a text that no spec names, or that has two keys."""
    used = {key for file in files for key in file.written.get(kind, [])}
    first: dict[Content, str] = {}
    for key, text in texts.items():
        if key not in used or text in first:
            what = f"{key} repeats {first[text]}" if text in first else f"no spec names {key}"
            where = f"{FILES[kind]}:{line_of(folder / f'{kind}.yaml', (key,))}"
            raise ContentError(what, where, "remove it, or name it in a spec")
        first[text] = key


def _refuse_unused_breaks(files: Iterable[SpecFile], breaks: Mapping[str, DeclaredBreak]) -> None:
    """Refuse a row that no spec names and that no growth of its cubes has to leave out."""
    named = {key for file in files for key in file.written.get("breaks", [])}
    growth_cubes = {cube for file in files for route in file.spec.compute if route.growth for cube in route.cubes}
    for key, row in breaks.items():
        if key not in named and row.cubes.isdisjoint(growth_cubes):
            where = f"{FILES['breaks']}:{row.line}"
            raise ContentError(f"no spec names {key}", where, "remove it, or name it in a spec")


def _refuse_unused_defaults(files: Iterable[SpecFile], defaults: Defaults, folder: Path) -> None:
    used = {place for file in files for place in _used_defaults(file)}
    for place in _leaves(defaults.model_dump(exclude_unset=True)):
        if place not in used:
            where = f"{DEFAULTS}:{line_of(folder / 'defaults.yaml', place)}"
            what = f"no spec uses the default {'.'.join(map(str, place))}"
            raise ContentError(what, where, "remove it, or correct the name of its cube or domain")


def _used_defaults(file: SpecFile) -> Iterator[Place]:
    """The entries of defaults for a spec, and the fields that neither a later entry nor the spec overrides."""
    yield from file.layers
    upper_layers = [file.written]
    for place, fields in reversed(list(file.layers.items())):
        yield from (
            (*place, *leaf) for leaf in _leaves(fields) if not any(_has_value(upper, leaf) for upper in upper_layers)
        )
        upper_layers.append(fields)


def _leaves(fields: Fields) -> Iterator[Place]:
    """The place of every value that is not a mapping with fields."""
    for key, value in fields.items():
        if isinstance(value, dict) and value:
            yield from ((key, *rest) for rest in _leaves(value))
        else:
            yield (key,)


def _has_value(fields: Fields, leaf: Place) -> bool:
    part: Any = fields
    for key in leaf:
        if not isinstance(part, dict):
            return True  # null in the place of a mapping
        if key not in part:
            return False
        part = part[key]
    return True
