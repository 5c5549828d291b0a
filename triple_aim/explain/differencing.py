"""Of which kinds of region the strata may be shown, so that none that is too small follows from those of several.

Not here: the strata themselves (``strata``), withheld rows that follow from other rows (``disclosure.secondary``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.definitions import Threshold
from triple_aim.explain.strata import SPLIT, Trace, hidden, strata_everywhere, trace
from triple_aim.indicators import Mask

NUMBERS = 6  # decimals; what is left of sums of floats is no person
COUNTRY, MUNICIPALITY = "nl", "municipality"


def shown_levels(traced: Trace, row: Mapping[str, object], least: Threshold) -> list[str]:
    """The kinds of region whose strata may be shown together, of the split and period of a row.

    Printed strata can be added and subtracted. Whatever comes of that is made of the pieces into which the shown
    regions cut the country, and a piece that is large enough leaves every union of pieces so. Kinds of few, large
    regions come first; one that cuts off a piece with a stratum that is too small is shown of none of its regions.
    """
    pieces = _municipalities(traced, row)
    place = traced.place
    kinds = place.frame["region_type"]
    cut = np.column_stack([place.within > 0, kinds == COUNTRY])  # what lies in no municipality counts for the country
    codes = [*traced.regions.names(MUNICIPALITY), COUNTRY]
    shown: list[str] = []
    # The region team's own kinds cut through the others, and come after them.
    own = traced.regions.own
    for kind in sorted(kinds.unique(), key=lambda kind: (kind != COUNTRY, kind in own, (kinds == kind).sum())):
        chosen = cut[kinds.isin([*shown, kind])]
        piece = dict(zip(codes, _alike(chosen), strict=True))
        if not any(_is_small(strata, piece, traced, least) for strata in pieces):
            shown.append(str(kind))
    return shown


def _municipalities(traced: Trace, row: Mapping[str, object]) -> list[pd.DataFrame]:
    """Strata by municipality of a row and of those beside it; under the country what lies in no municipality."""
    spec = traced.spec.model_copy(update={"levels": [COUNTRY, MUNICIPALITY]})
    apart = trace(spec, traced.cubes, traced.cube, traced.regions, traced.tables)
    country = apart.place.frame["region_code"].iloc[apart.place.country]
    whole = {"period": row["period"], "region_code": country, "region_type": COUNTRY}
    places = apart.beside(whole | {name: row[name] for name in SPLIT}).to_dict("records")
    found = []
    for strata in (strata_everywhere(apart, place) for place in places):
        numbers = strata.select_dtypes("number").columns
        labels = [name for name in strata if name not in numbers and name != "region_code"]
        is_country = strata["region_code"] == country
        signed = strata.assign(**strata[numbers].mul(np.where(is_country, 1, -1), axis=0))
        left = signed.groupby(labels, as_index=False)[list(numbers)].sum().round(NUMBERS).assign(region_code=COUNTRY)
        found.append(pd.concat([strata[~is_country], left], ignore_index=True))
    return found


def _alike(chosen: Mask) -> NDArray[np.int64]:
    """A number for each municipality, the same for those that lie in the same of the chosen regions; -1 in none."""
    numbers = np.unique(chosen, axis=1, return_inverse=True)[1].reshape(-1)
    return np.where(chosen.any(axis=0), numbers, -1)


def _is_small(strata: pd.DataFrame, piece: Mapping[str, int], traced: Trace, least: Threshold) -> bool:
    """Whether a piece has a stratum that is too small, its municipalities added up."""
    pieces = strata.assign(region_code=strata["region_code"].map(piece)).query("region_code >= 0")
    numbers = strata.select_dtypes("number").columns
    labels = [name for name in strata if name not in numbers]
    return hidden(pieces.groupby(labels, as_index=False)[list(numbers)].sum(), traced, least) > 0
