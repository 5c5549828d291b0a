"""Cautions, sources and series breaks: a spec names their keys, its model contains the entries.

Not here: reading their files, or refusing an entry that no spec names (``spec_files``).
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
    """The first year after a definition changed, or after something outside the region changed the level."""

    from_: int = Field(alias="from")
    reason: Bilingual
    comparable: bool


class Cautions(RootModel[dict[Name, Bilingual]]):
    """What a reader of an indicator must know before concluding anything, by key."""


class Sources(RootModel[dict[Name, Source]]):
    """The sources of indicators, by key."""


@dataclass(frozen=True)
class SharedTexts:
    """Every entry by its key; the context in which a spec is validated."""

    cautions: Mapping[str, Bilingual]
    sources: Mapping[str, Source]
    breaks: Mapping[str, Break]


def _by_key(kind: str) -> BeforeValidator:
    """Replace a key by its entry; a model made in code has no context and is given entries."""

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
