"""Cautions, sources and series breaks: a spec names them by key, its model holds the entries.

Not here: reading the files they are in, or refusing an entry that no spec names (``spec_files``).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, RootModel, ValidationInfo

from triple_aim.definitions.contracts import Name
from triple_aim.definitions.yaml_reader import Bilingual, Content

#: The file that holds the entries of a kind, from the root of the project.
FILES = {
    "cautions": "indicator_specs/cautions.yaml",
    "sources": "indicator_specs/sources.yaml",
    "breaks": "reference/breaks/series_breaks.csv",
}


class Source(Content):
    title: str
    url: str | None = None
    accessed: datetime.date


class Break(Content):
    """A year from which a series means something else, or from which something outside the region moves its level."""

    from_: int = Field(alias="from")
    reason: Bilingual
    comparable: bool


class Cautions(RootModel[dict[Name, Bilingual]]):
    """What a reader of an indicator must know before concluding anything, by key."""


class Sources(RootModel[dict[Name, Source]]):
    """What indicators rest on, by key."""


@dataclass(frozen=True)
class SharedTexts:
    """Every entry by its key; the context in which a spec is validated."""

    cautions: Mapping[str, Bilingual]
    sources: Mapping[str, Source]
    breaks: Mapping[str, Break]


def _by_key(kind: str) -> BeforeValidator:
    """Put the entry in the place of its key; a model that code makes has no context and holds entries."""

    def entry(value: Any, info: ValidationInfo) -> Any:
        if not isinstance(info.context, SharedTexts):
            return value
        entries: Mapping[str, Content] = getattr(info.context, kind)
        if not isinstance(value, str):
            raise ValueError(f"{kind} are named by their keys in {FILES[kind]}")
        if value not in entries:
            near = get_close_matches(value, entries, n=1)
            raise ValueError(f"{FILES[kind]} has no {value}" + (f"; did you mean {near[0]}?" if near else ""))
        return entries[value]

    return BeforeValidator(entry, json_schema_input_type=Name)


NamedCaution = Annotated[Bilingual, _by_key("cautions")]
NamedSource = Annotated[Source, _by_key("sources")]
NamedBreak = Annotated[Break, _by_key("breaks")]
