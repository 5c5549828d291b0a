"""ind → safe: recomputed indicators pass the gate again; the protected rows of the others are kept.

Not here: what may be shown (``protect``), rows from changed sums (``triple_aim.indicators``). The inputs of kept rows
have the same fingerprint, so the gate would return the same rows; the audit examines all rows, kept or new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from triple_aim.cubes import fingerprints, record_fingerprint
from triple_aim.definitions import Publication, Regions, Spec
from triple_aim.disclosure.protect import COLUMNS, COMPARATOR, ESTIMATE, NO_ROWS, audit, protect
from triple_aim.errors import DisclosureError
from triple_aim.warehouse import Warehouse, qualified, quoted

TABLE = "safe.indicator_values"
ChangedRows: TypeAlias = Callable[[Sequence[Spec]], pd.DataFrame]


@dataclass(frozen=True)
class GateResult:
    """Result of one pass through the gate."""

    gated: list[str]  # the indicators that passed again, because their rows or the publication rules changed
    rows_suppressed: int  # of all indicators


def pass_gate(
    warehouse: Warehouse,
    specs: Iterable[Spec],
    publication: Publication,
    division_year: int,
    regions: Regions,
    changed_rows: ChangedRows,
    rules: object = None,
) -> GateResult:
    """Bring the protected rows up to date, all or none.

    Parameters
    ----------
    changed_rows : callable
        Returns the rows of some indicators from changed sums, with a column ``indicator_id``.
    rules : object
        Anything else that the protected rows depend on, such as the key of the changes.

    Raises
    ------
    DisclosureError
        If a row would show what must be withheld, or rows got lost; the table then stays as it was.
    """
    is_new = not _has_current_columns(warehouse)
    if is_new:  # not in the transaction that fills it: DuckDB 1.5.6 then does not see the rows of a large frame
        warehouse.create(TABLE, NO_ROWS)
    with warehouse.transaction():
        recorded = fingerprints(warehouse)
        previous = {
            table.removeprefix(f"{TABLE}/"): hashes[0] for table, hashes in recorded.items() if table.startswith(TABLE)
        }
        wanted = {spec.id: spec for spec in specs}
        inputs = repr([publication, division_year, rules])
        current = {name: _fingerprint(recorded.get(f"ind.{name}", {}).get(0), inputs) for name in wanted}
        kept = [name for name, value in current.items() if value and previous.get(name) == value and not is_new]
        outdated = [name for name in wanted if name not in kept]
        warehouse.run(f"delete from {TABLE} where not list_contains(?, indicator_id)", [kept])
        computed = dict(list(changed_rows([wanted[name] for name in outdated]).groupby("indicator_id")))
        passed = [
            protect(rows, wanted[name], publication, division_year, regions, computed.get(name), wanted.values())
            for name, rows in _read_rows(warehouse, outdated)
        ]
        kept_rows = warehouse.value(f"select count(*) from {TABLE}")
        if passed:
            warehouse.append(TABLE, pd.concat(passed, ignore_index=True))
        numbers = ", ".join([*ESTIMATE, *COMPARATOR])
        protected = warehouse.frame(f"select status, {numbers} from {TABLE}")
        _require_all_rows(len(protected), kept_rows + sum(map(len, passed)))
        audit(protected)
        for name in sorted({*previous, *outdated} - {*kept}):
            record_fingerprint(warehouse, f"{TABLE}/{name}", 0, current.get(name))
    return GateResult(outdated, int((protected["status"] == "suppressed").sum()))


def _require_all_rows(rows: int, expected: int) -> None:
    """Refuse a table that lost rows: the audit cannot examine them."""
    if rows != expected:
        raise DisclosureError(
            f"{expected:,} rows passed the gate, but the table has {rows:,}", TABLE, "do not publish; report it"
        )


def _fingerprint(inputs: str | None, rules: str) -> str | None:
    """Return the hash of an indicator's inputs and the publication rules; None where its inputs are not recorded."""
    return hashlib.sha256(f"{inputs}{rules}".encode()).hexdigest() if inputs else None


def _has_current_columns(warehouse: Warehouse) -> bool:
    """Whether the table exists with the columns of this version of the gate."""
    return warehouse.exists(TABLE) and [name for name, _ in warehouse.header(f"select * from {TABLE}")] == COLUMNS


def _read_rows(warehouse: Warehouse, names: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of each indicator that has any; one query reads all, because queries cost more than rows."""
    selects = [f"select ? as indicator_id, * from {qualified('ind')}.{quoted(name)}" for name in names]
    if selects:
        rows = warehouse.frame(" union all by name ".join(selects), list(names))
        yield from ((str(name), part) for name, part in rows.groupby("indicator_id", sort=False))
