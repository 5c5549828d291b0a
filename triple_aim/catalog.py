"""What a publication says of itself: dictionary rows for the marts, and ``datapackage.json`` from the same models.

Not here: pages for people (``report``) or the written reference (``reference_pages``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from triple_aim.contracts import Contract, Publication
from triple_aim.regions import Regions
from triple_aim.specs import Spec

FRICTIONLESS = {"text": "string", "integer": "integer", "double": "number", "boolean": "boolean"}


def dictionary_rows(specs: Mapping[str, Spec]) -> pd.DataFrame:
    """One row an indicator, for the mart ``indicators``."""
    return pd.DataFrame(
        [
            {
                "indicator_id": spec.id,
                "indicator_version": spec.version,
                "aim": spec.aim,
                "domain": spec.domain,
                "title_nl": spec.title.nl,
                "title_en": spec.title.en,
                "meaning_nl": spec.meaning.nl,
                "meaning_en": spec.meaning.en,
                "unit_nl": spec.unit.nl,
                "unit_en": spec.unit.en,
                "decimals": spec.decimals,
                "polarity": spec.polarity,
                "population": spec.population,
                "methods": ", ".join(dict.fromkeys(route.method for route in spec.compute)),
                "origin": "; ".join(origin.framework for origin in spec.origin),
                "owner": spec.owner,
                "reviewed_on": spec.reviewed.on.isoformat(),
                "cautions_en": " ".join(caution.en for caution in spec.cautions),
                "cautions_nl": " ".join(caution.nl for caution in spec.cautions),
                "series_breaks": ", ".join(str(item.from_) for item in spec.breaks if not item.comparable),
            }
            for spec in specs.values()
        ]
    )


def headline_rows(publication: Publication) -> pd.DataFrame:
    """Which indicator stands for which aim."""
    rows = publication.headlines.items()
    return pd.DataFrame([{"headline": aim, "indicator_id": indicator} for aim, indicator in rows])


def region_rows(regions: Regions) -> pd.DataFrame:
    """One row a region, with the number of municipalities of the division year in it."""
    codes = list(regions.names("municipality"))
    shares = regions.membership(codes).shares
    frames = [
        pd.DataFrame(
            {
                "region_type": kind,
                "region_code": list(regions.names(kind)),
                "region_name": list(regions.names(kind).values()),
                "division_year": regions.division_year,
                "municipality_count": np.rint(shares[kind].sum(axis=1)).astype(int),
            }
        )
        for kind in regions.types
        if regions.names(kind)
    ]
    return pd.concat(frames, ignore_index=True)


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
