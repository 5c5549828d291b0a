"""The file ``datapackage.json`` of a release, from the models of contracts and marts.

Not here: the dictionary marts (``dictionary``) or the generated reference (``triple_aim.reference_docs``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from triple_aim.definitions import Contract, MartColumn, Publication

FRICTIONLESS = {"text": "string", "integer": "integer", "double": "number", "boolean": "boolean"}


def datapackage(
    publication: Publication, contracts: Mapping[str, Contract], release: str, others: Iterable[str] = ()
) -> bytes:
    """A Frictionless data package of the marts: every column with type and meaning, every source with its licence.

    ``others`` are the files that the release holds next to the marts.
    """
    package = {
        "name": "triple-aim",
        "title": publication.title.en,
        "version": release,
        "licenses": [{"title": publication.licence}],
        "contributors": [{"title": publication.publisher.en, "roles": ["publisher"]}],
        "sources": [{"title": f"{c.supplier}: {c.title.en}", "version": c.version} for c in contracts.values()],
        "resources": [
            {
                "name": mart.name,
                "title": mart.title.en,
                "path": f"{mart.name}.parquet",
                "format": "parquet",
                "schema": {
                    "primaryKey": mart.grain,
                    "fields": [_field(column, publication) for column in mart.columns],
                },
            }
            for mart in publication.marts
        ]
        + [
            {
                "name": path.removesuffix(".json").replace("/", "-"),
                "title": _title(path),
                "path": path,
                "format": "json",
            }
            for path in others
        ],
    }
    return json.dumps(package, indent=1, ensure_ascii=False).encode()


def _title(path: str) -> str:
    name = PurePosixPath(path)
    return f"Great Expectations suite {name.stem}" if name.parent.name else "Rules of disclosure control"


def _field(column: MartColumn, publication: Publication) -> dict[str, Any]:
    """One column with its constraints; a column that a status can withhold may be empty."""
    limits = column.range
    constraints = {
        "required": True if column.required and not column.shown_by else None,
        "enum": publication.value_lists.get(column.values or ""),
        "minimum": limits.min if limits else None,
        "maximum": limits.max if limits else None,
        "pattern": column.matches,
    }
    set_ones = {name: value for name, value in constraints.items() if value is not None}
    field = {"name": column.name, "type": FRICTIONLESS[column.type], "description": column.meaning.en}
    return {**field, "constraints": set_ones} if set_ones else field
