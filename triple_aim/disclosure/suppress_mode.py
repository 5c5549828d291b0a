"""The limits of the mode ``suppress``: which indicators and regions of such a source are published, and how often.

Not here: the cells that it withholds (``secondary``). Secondary suppression protects one table. It does not protect
tables that overlap: other hierarchies of regions, other indicators of the same sums, or an earlier publication.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.definitions import Compute, Publication, Spec
from triple_aim.errors import DisclosureError
from triple_aim.warehouse import Warehouse, qualified

#: Hashes of the rows of each indicator and period that a release has.
TABLE = "published.suppressed_rows"


def not_protected(rows: pd.DataFrame, publication: Publication, is_published: bool) -> NDArray[np.bool_]:
    """Return the rows that the mode cannot protect: regions outside the one hierarchy, or all rows of an indicator.

    Parameters
    ----------
    rows : DataFrame
        The rows of one indicator from one source.
    is_published : bool
        Whether this indicator is the one that :func:`published_indicators` chose for its sums.
    """
    outside: NDArray[np.bool_] = ~rows["region_type"].isin(publication.suppress_hierarchy).to_numpy()
    return outside | (not is_published)


def published_indicators(specs: Iterable[Spec], publication: Publication) -> set[tuple[str, str]]:
    """Return the (indicator, source) that are published: one for each numerator, and no part of a published whole.

    The first indicator in the order of their ids gets a numerator. A part of a whole (``public_facts`` of
    ``contracts/publication.yaml``) is published only if the whole is not.
    """
    facts = publication.public_facts
    chosen: dict[tuple[str, str], str] = {}
    routes = sorted((spec.id, cube, route) for spec in specs for cube, route in spec.route_of.items())
    for name, cube, route in routes:
        if publication.threshold(cube).mode == "suppress":
            chosen.setdefault((cube, _sum(route)), name)
    wholes = {(fact.source, part): fact.column for fact in (*facts.identities, *facts.unions) for part in fact.parts}
    wholes |= {(fact.source, fact.column): fact.parts[0] for fact in facts.aliases}
    sums = {(cube, column.partition(" ")[0]) for cube, column in chosen}
    return {
        (name, cube)
        for (cube, column), name in chosen.items()
        if (cube, wholes.get((cube, column.partition(" ")[0]), "")) not in sums
    }


def _sum(route: Compute) -> str:
    """The numerator of a route with its filter, as text."""
    return f"{route.numerator} {route.only}"


def refuse_second_publication(warehouse: Warehouse, sources: Sequence[str]) -> None:
    """Refuse to publish other rows of a period that a release already has, of sources in this mode.

    Raises
    ------
    DisclosureError
        With the first indicator and period. Two publications of one period can be subtracted.
    """
    if not sources or not warehouse.exists(TABLE):
        return
    current = _hashes(warehouse, sources)
    before = warehouse.frame(f"select * from {qualified(TABLE)}")
    both = before.merge(current, on=["indicator_id", "source", "period"], suffixes=("_before", "_now"))
    differing = both[both["rows_before"] != both["rows_now"]]
    if len(differing):
        first = differing.iloc[0]
        raise DisclosureError(
            f"{first['indicator_id']} of {first['period']} was published before with other rows",
            f"{first['source']}, in mode suppress",
            "withdraw the change of that period, or give the source the mode cell_key",
        )


def record_publication(warehouse: Warehouse, sources: Sequence[str]) -> None:
    """Record which rows of sources in this mode a release has."""
    if sources:
        warehouse.create(TABLE, _hashes(warehouse, sources))


def _hashes(warehouse: Warehouse, sources: Sequence[str]) -> pd.DataFrame:
    """One hash per indicator, source and period of the rows that are published."""
    rows = warehouse.frame(
        "select * from safe.indicator_values where list_contains(?, source) order by all", [list(sources)]
    )
    hashed = [
        (*key, hashlib.sha256(part.to_csv(index=False).encode()).hexdigest())
        for key, part in rows.groupby(["indicator_id", "source", "period"])
    ]
    return pd.DataFrame(hashed, columns=["indicator_id", "source", "period", "rows"])
