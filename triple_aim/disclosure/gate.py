"""ind → safe: indicators that were made again pass the gate again, the protected rows of the others are kept.

Not here: what may be shown (``protect``). Kept rows are known by the content they rest on, so they are what the gate
would let through again; the audit looks at all rows, whenever they came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from triple_aim.cubes import fingerprints, record_fingerprint
from triple_aim.definitions import Publication, Regions, Spec
from triple_aim.disclosure.protect import COLUMNS, COMPARATOR, NO_ROWS, OWN, audit, protect
from triple_aim.errors import DisclosureError
from triple_aim.warehouse import Warehouse, qualified, quoted

TABLE = "safe.indicator_values"


@dataclass(frozen=True)
class GateResult:
    """What one pass of the gate did."""

    gated: list[str]  # the indicators that passed again, because their rows or the promise changed
    rows_suppressed: int  # of all indicators


def pass_gate(
    warehouse: Warehouse, specs: Iterable[Spec], publication: Publication, division_year: int, regions: Regions
) -> GateResult:
    """Bring the protected rows up to date, all or none."""
    is_new = not _has_current_columns(warehouse)
    if is_new:  # not in the transaction that fills it: DuckDB 1.5.6 then loses the rows of a large frame from sight
        warehouse.create(TABLE, NO_ROWS)
    with warehouse.transaction():
        there = fingerprints(warehouse)
        before = {table.removeprefix(f"{TABLE}/"): made[0] for table, made in there.items() if table.startswith(TABLE)}
        asked = {spec.id: spec for spec in specs}
        promise = repr([publication, division_year])
        now = {name: _fingerprint(there.get(f"ind.{name}", {}).get(0), promise) for name in asked}
        kept = [name for name, content in now.items() if content and before.get(name) == content and not is_new]
        again = [name for name in asked if name not in kept]
        warehouse.run(f"delete from {TABLE} where not list_contains(?, indicator_id)", [kept])
        passed = [
            protect(rows, asked[name], publication, division_year, regions) for name, rows in _made(warehouse, again)
        ]
        stood = warehouse.value(f"select count(*) from {TABLE}")
        if passed:
            warehouse.append(TABLE, pd.concat(passed, ignore_index=True))
        protected = warehouse.frame(f"select status, {', '.join([*OWN, *COMPARATOR])} from {TABLE}")
        _refuse_unless_all(len(protected), stood + sum(map(len, passed)))
        audit(protected)
        for name in sorted({*before, *again} - {*kept}):
            record_fingerprint(warehouse, f"{TABLE}/{name}", 0, now.get(name))
    return GateResult(again, int((protected["status"] == "suppressed").sum()))


def _refuse_unless_all(found: int, expected: int) -> None:
    """An audit of rows that are not there would find nothing."""
    if found != expected:
        raise DisclosureError(
            f"{expected:,} rows passed the gate and {found:,} stand behind it", TABLE, "do not publish; report it"
        )


def _fingerprint(made_of: str | None, promise: str) -> str | None:
    """What protected rows rest on, as a hash; None where nobody knows what their indicator was made of."""
    return hashlib.sha256(f"{made_of}{promise}".encode()).hexdigest() if made_of else None


def _has_current_columns(warehouse: Warehouse) -> bool:
    """Whether the table is there, as this version of the gate makes it."""
    return warehouse.exists(TABLE) and [name for name, _ in warehouse.header(f"select * from {TABLE}")] == COLUMNS


def _made(warehouse: Warehouse, names: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each of these indicators that has any; read at once, for to ask costs more than to read."""
    selects = [f"select ? as indicator_id, * from {qualified('ind')}.{quoted(name)}" for name in names]
    if selects:
        rows = warehouse.frame(" union all by name ".join(selects), list(names))
        yield from ((str(name), part) for name, part in rows.groupby("indicator_id", sort=False))
