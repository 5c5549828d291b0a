"""The ledger of every delivered row and euro, from the delivery to the cube that counts it.

Not here: the check that it closes (``triple_aim.checks``), the ledger of one delivery (``triple_aim.deliveries``).
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from triple_aim.cubes.merge import COUNTED, ensure_contributions
from triple_aim.definitions import Contract
from triple_aim.warehouse import Query, Warehouse, qualified, quoted


def reconcile(warehouse: Warehouse, contracts: Iterable[Contract]) -> pd.DataFrame:
    """The ledger: rows and euros per extract, period, supplier and stage, from delivered to counted or excluded.

    A cube combines suppliers, so its stages have the supplier ``all``. Contributions of other parties follow the
    deliveries of this installation, with the party as the supplier.
    """
    ensure_contributions(warehouse)
    parts = [
        warehouse.frame(
            """select extract, period, supplier, stage, reason, row_count, amount_eur from meta.ledger
               union all by name select * from meta.contributed_ledger
               order by extract, period, supplier, stage, reason"""
        )
    ]
    for contract in contracts:
        ledger = contract.ledger
        if ledger is None or not warehouse.exists(f"cube.{ledger.cube}"):
            continue
        euros = f"coalesce(sum({quoted(ledger.euros)}), 0)" if ledger.euros else "0"
        parts.append(
            warehouse.frame(
                f"""select $extract as extract, period, 'all' as supplier,
                        case when exclusion = 'none' then 'in_cube' else 'excluded' end as stage,
                        case when exclusion = 'none' then 'all' else exclusion end as reason,
                        cast(sum({quoted(ledger.rows)}) as bigint) as row_count,
                        cast({euros} as decimal(18, 2)) as amount_eur
                    from {qualified("cube." + ledger.cube)} group by all
                    having sum({quoted(ledger.rows)}) > 0 order by all""",
                {"extract": contract.extract},
            )
        )
    return pd.concat(parts, ignore_index=True)


def parts_that_differ(warehouse: Warehouse, query: Query, whole: str = "", parts: str = "") -> tuple[int, int]:
    """The number of counted cells that a cube splits, and the number whose parts do not add up to the total."""
    whole, parts = whole or qualified(f"cube.{query.part_of}"), parts or qualified(query.table)
    cell, total = ", ".join(name for name in query.grain if name != query.axis), quoted(query.total)
    return warehouse.rows(
        f"""with wholes as (
                select {cell}, coalesce({total}, 0) as of_all from {whole} where exclusion = '{COUNTED}'
            ),
            sums as (
                select {cell}, coalesce(sum({total}), 0) as of_parts from {parts}
                where exclusion = '{COUNTED}' group by {cell}
            )
            select count(of_all), count(*) filter (where of_all is null or of_all <> coalesce(of_parts, 0))
            from wholes full join sums using ({cell})"""
    )[0]
