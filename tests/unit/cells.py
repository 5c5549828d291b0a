"""Small cubes in memory and the real regions of 2024, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from triple_aim.cubes.cells import Cells
from triple_aim.definitions.regions import Regions
from triple_aim.definitions.spec_files import load_specs
from triple_aim.definitions.specs import Spec
from triple_aim.definitions.standards import Tables

ROOT = Path(__file__).parents[2]
#: Municipalities of Flevoland: Lelystad, Almere, Dronten, Noordoostpolder, Urk, Zeewolde.
FLEVOLAND = ("GM0034", "GM0050", "GM0171", "GM0184", "GM0303", "GM0995")
#: Euros of two kinds of care, as cells and specs call them.
HOSPITAL, PHARMACY = (f"amount_eur[care_kind={kind}]" for kind in ("hospital", "pharmacy"))
BANDS = ("00-04", "40-44", "65-69", "90+")


@lru_cache(maxsize=1)
def regions() -> Regions:
    return Regions.load(ROOT / "reference" / "regions", 2024)


@lru_cache(maxsize=1)
def tables() -> Tables:
    return Tables.load(ROOT / "reference")


@lru_cache(maxsize=1)
def specs() -> dict[str, Spec]:
    return load_specs(ROOT / "indicator_specs")


def ggd_of(code: str) -> str:
    table = regions().tables["ggd_region"]
    return str(table.loc[table["municipality_code"] == code, "region_code"].iloc[0])


def cells(
    sums: Mapping[str, np.ndarray],
    periods: Sequence[int] = (2022,),
    codes: Sequence[str] = FLEVOLAND,
    sexes: Sequence[str] = ("F", "M"),
    bands: Sequence[str] = BANDS,
    **extra_axes: Sequence[str],
) -> Cells:
    """A cube; every sum broadcasts to (period, municipality, sex, band, and each extra axis)."""
    labels = {
        "period": [str(period) for period in periods],
        "municipality_code": list(codes),
        "sex": list(sexes),
        "age_band": list(bands),
        **{name: list(labels) for name, labels in extra_axes.items()},
    }
    shape = tuple(len(found) for found in labels.values())
    return Cells(
        labels, {name: np.broadcast_to(np.asarray(array, float), shape).copy() for name, array in sums.items()}
    )
