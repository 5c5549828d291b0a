"""Standard populations, price indices and declared series breaks: the tables that methods need in addition to cells.

Not here: their use (``triple_aim.indicators``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from triple_aim.perturbation import ChangeTable
from triple_aim.warehouse import read_table


@dataclass(frozen=True)
class Tables:
    """Every table under ``reference/standards``, ``prices``, ``breaks`` and ``perturbation``, by file name."""

    standards: Mapping[str, Mapping[str, float]]  # name → age band → weight
    deflators: Mapping[str, Mapping[int, float]]  # name → period → index
    breaks: Mapping[str, pd.DataFrame]  # name → declared series breaks
    changes: ChangeTable  # of counts, for disclosure control

    @classmethod
    def load(cls, reference: Path) -> Tables:
        """Read the four folders."""
        weights = {
            p.stem: read_table(p).set_index("age_band")["weight"] for p in (reference / "standards").glob("*.csv")
        }
        prices = {p.stem: read_table(p).set_index("year")["index"] for p in (reference / "prices").glob("*.csv")}
        changes = read_table(reference / "perturbation" / "counts.csv")
        return cls(
            standards={n: {str(band): w for band, w in c.astype(float).items()} for n, c in weights.items()},
            deflators={name: {int(str(year)): float(index) for year, index in c.items()} for name, c in prices.items()},
            breaks={path.stem: read_table(path) for path in (reference / "breaks").glob("*.csv")},
            changes=ChangeTable.from_columns(changes["count"], changes["change"], changes["probability"]),
        )

    def first_years(self, name: str, source: str, kind: str) -> list[int]:
        """The first years of a definition of ``kind`` that cannot be compared with the year before."""
        declared = self.breaks[name]
        applies = declared["source"].str.split().map(lambda sources: source in sources)
        applies &= declared["column_or_kind"].str.split().map(lambda kinds: not {kind, "all"}.isdisjoint(kinds))
        return [int(year) for year in declared.loc[applies & (declared["comparable"] == "false"), "first_year"]]
