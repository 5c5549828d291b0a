"""One extract of one installation, with all that the steps from a delivered file to staging need.

Not here: the steps themselves (``ingest``, ``validation``, ``staging``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from triple_aim.definitions import Contract, Project
from triple_aim.deliveries.landing import Slot
from triple_aim.warehouse import Query, Warehouse


@dataclass(frozen=True)
class Extract:
    """A contract and its staging SQL, with the warehouse and the project that they work on."""

    warehouse: Warehouse
    project: Project
    contract: Contract
    query: Query

    @property
    def name(self) -> str:
        return self.contract.extract

    @cached_property
    def fingerprint(self) -> str:
        """The hash of the contract, the SQL and the code lists that they name; these determine the staged rows."""
        digest = hashlib.sha256((self.contract.model_dump_json() + self.query.hash).encode())
        tables = {column.listed_in.split(".")[0] for column in self.contract.columns if column.listed_in}
        tables |= {table.removeprefix("ref.") for table in self.query.reads if table.startswith("ref.")}
        for table in sorted(tables):
            for path in self.project.reference.glob(f"*/{table}.csv"):
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def staged_fingerprints(self) -> dict[Slot, str]:
        """The fingerprint with which each slot was staged."""
        return self._staged("fingerprint")

    def staged_deliveries(self) -> dict[Slot, str]:
        """The hash of the delivery in each staged slot."""
        return self._staged("delivery")

    def _staged(self, column: str) -> dict[Slot, str]:
        sql = f"select (period, supplier), {column} from meta.staged where extract = ?"
        return dict(self.warehouse.rows(sql, [self.name]))

    def is_staged_as_table(self) -> bool:
        """Whether an older version staged the extract as a table; this version uses a view."""
        return self.warehouse.kind(f"stg.{self.name}") == "BASE TABLE"

    def row_counts(self) -> tuple[int, int]:
        """The number of rows staged and of rows set aside, over all periods."""
        staged, set_aside = self.warehouse.rows(
            """select coalesce(sum(row_count) filter (where stage = 'staged'), 0),
                      coalesce(sum(row_count) filter (where stage = 'set_aside'), 0)
               from meta.ledger where extract = ?""",
            [self.name],
        )[0]
        return int(staged), int(set_aside)
