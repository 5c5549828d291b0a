"""The file ``datapackage.json`` of a release, from the models of contracts and marts.

Not here: the dictionary marts (``dictionary``) or the generated reference (``triple_aim.reference_docs``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from triple_aim.definitions import Contract, Publication

FRICTIONLESS = {"text": "string", "integer": "integer", "double": "number", "boolean": "boolean"}


def datapackage(publication: Publication, contracts: Mapping[str, Contract], release: str) -> bytes:
    """A Frictionless data package of the marts: every column with type and meaning, every source with its licence."""
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
                    "fields": [
                        {"name": c.name, "type": FRICTIONLESS[c.type], "description": c.meaning.en}
                        for c in mart.columns
                    ],
                },
            }
            for mart in publication.marts
        ],
    }
    return json.dumps(package, indent=1, ensure_ascii=False).encode()
