"""Rows of the dictionary marts: indicators and their meaning, headline indicators, regions.

Not here: the data package of a release (``datapackage``), or the generated reference (``triple_aim.reference_docs``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from triple_aim.definitions import Programme, Publication, Regions, Spec
from triple_aim.warehouse import Warehouse


def dictionary_rows(specs: Mapping[str, Spec]) -> pd.DataFrame:
    """One row per indicator, for the mart ``indicators``."""
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
    """The indicator that represents each aim in the mart ``triple_aim``."""
    rows = publication.headlines.items()
    return pd.DataFrame([{"headline": aim, "indicator_id": indicator} for aim, indicator in rows])


def region_rows(regions: Regions) -> pd.DataFrame:
    """One row per region, with its number of municipalities in the division year."""
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


def write_dictionary(warehouse: Warehouse, programme: Programme, regions: Regions) -> None:
    """Write the tables ``safe.indicators``, ``safe.headlines`` and ``safe.regions``."""
    warehouse.create("safe.indicators", dictionary_rows(programme.specs))
    warehouse.create("safe.headlines", headline_rows(programme.publication))
    warehouse.create("safe.regions", region_rows(regions))
