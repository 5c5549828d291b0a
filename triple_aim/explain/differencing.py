"""For which kinds of region the strata may be shown, so that no small stratum follows from those of several regions.

Not here: the strata themselves (``strata``), or withheld rows that follow from other rows (``disclosure.secondary``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.definitions import Threshold
from triple_aim.explain.strata import SPLIT, Row, Trace, count_small, strata_of_all_regions, trace
from triple_aim.indicators import Mask

DECIMALS = 6  # differences of sums of floats below this are rounding, not persons
COUNTRY, MUNICIPALITY = "nl", "municipality"


def shown_levels(traced: Trace, row: Row, threshold: Threshold) -> list[str]:
    """Return the kinds of region whose strata may all be shown, for the breakdown and period of a row.

    Readers can add and subtract shown strata. Each result is a union of the pieces into which the shown regions divide
    the country, so it is enough that every piece is above the threshold. Kinds of few, large regions are tried first; a
    kind that creates a piece with a small stratum is shown for none of its regions.
    """
    tables = _municipal_strata(traced, row)
    geography = traced.geography
    kinds = geography.frame["region_type"]
    # The country has one more column: what is in no municipality.
    contains = np.column_stack([geography.within > 0, kinds == COUNTRY])
    codes = [*traced.regions.names(MUNICIPALITY), COUNTRY]
    shown: list[str] = []
    # The region team's own kinds cut through the others and come last.
    own = traced.regions.own
    for kind in sorted(kinds.unique(), key=lambda kind: (kind != COUNTRY, kind in own, (kinds == kind).sum())):
        chosen = contains[kinds.isin([*shown, kind])]
        piece = dict(zip(codes, _pieces(chosen), strict=True))
        if not any(_has_small_stratum(strata, piece, traced, threshold) for strata in tables):
            shown.append(str(kind))
    return shown


def _municipal_strata(traced: Trace, row: Row) -> list[pd.DataFrame]:
    """Return the strata by municipality of a row and its siblings; what is in no municipality is under the country."""
    spec = traced.spec.model_copy(update={"levels": [COUNTRY, MUNICIPALITY]})
    municipal = trace(spec, traced.cubes, traced.cube, traced.regions, traced.tables)
    country = municipal.geography.frame["region_code"].iloc[municipal.geography.country]
    national = {"period": row["period"], "region_code": country, "region_type": COUNTRY}
    keys = municipal.siblings(national | {name: row[name] for name in SPLIT}).to_dict("records")
    tables = []
    for strata in (strata_of_all_regions(municipal, key) for key in keys):
        numbers = strata.select_dtypes("number").columns
        labels = [name for name in strata if name not in numbers and name != "region_code"]
        is_country = strata["region_code"] == country
        signed = strata.assign(**strata[numbers].mul(np.where(is_country, 1, -1), axis=0))
        remainder = signed.groupby(labels, as_index=False)[list(numbers)].sum().round(DECIMALS)
        tables.append(pd.concat([strata[~is_country], remainder.assign(region_code=COUNTRY)], ignore_index=True))
    return tables


def _pieces(chosen: Mask) -> NDArray[np.int64]:
    """Return the piece of each municipality: municipalities of a piece are in the same chosen regions; -1: in none."""
    numbers = np.unique(chosen, axis=1, return_inverse=True)[1].reshape(-1)
    return np.where(chosen.any(axis=0), numbers, -1)


def _has_small_stratum(strata: pd.DataFrame, piece: Mapping[str, int], traced: Trace, threshold: Threshold) -> bool:
    """Whether a piece, its municipalities added up, has a stratum below the threshold."""
    pieces = strata.assign(region_code=strata["region_code"].map(piece)).query("region_code >= 0")
    numbers = strata.select_dtypes("number").columns
    labels = [name for name in strata if name not in numbers]
    return count_small(pieces.groupby(labels, as_index=False)[list(numbers)].sum(), traced, threshold) > 0
