"""The ledger of every delivered row and euro, from the delivery to the cube that counts it.

Not here: whether it closes (``triple_aim.checks``), or the ledger of one delivery (``triple_aim.deliveries``).
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from triple_aim.cubes.merge import ensure_contributions
from triple_aim.definitions import Contract
from triple_aim.warehouse import Warehouse, qualified, quoted


def write_ledger(warehouse: Warehouse, contracts: Iterable[Contract]) -> pd.DataFrame:
    """Write ``safe.reconciliation`` and return it."""
    ledger = reconcile(warehouse, contracts)
    warehouse.create("safe.reconciliation", ledger)
    return ledger


def reconcile(warehouse: Warehouse, contracts: Iterable[Contract]) -> pd.DataFrame:
    """The ledger: per extract, period and supplier every row and euro, delivered, set aside, staged, counted, excluded.

    Cubes join suppliers, so from the cube on a supplier is ``all``. What other parties contributed follows what was
    delivered here, with the party as its supplier.
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
