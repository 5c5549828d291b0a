"""Which municipalities form each region: public knowledge, read from the classifications.

Not here: which regions a release prints (``printed``). A reader of a release has these tables too.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from triple_aim.errors import ProjectError

MUNICIPALITY, COUNTRY = "municipality", "nl"
#: Tables of the folder that are not classifications.
OTHER_TABLES = ("municipalities", "recodings", "vektis_names")

Place = tuple[str, str]  # region type and region code


@dataclass(frozen=True)
class Places:
    """The municipalities of each region of one division year."""

    members: Mapping[Place, frozenset[str]]

    def of(self, place: Place) -> frozenset[str]:
        """The municipalities of a place; a place in no table is one that a reader cannot divide."""
        return self.members.get(place, frozenset())


def read_places(reference: Path, own: Path | None, division_year: int) -> Places:
    """Read the folder ``reference/regions`` and the region team's own classifications.

    Raises
    ------
    ProjectError
        If a table is missing or misses a column.
    """
    tables = sorted(path for path in reference.glob("*.csv") if path.stem not in OTHER_TABLES)
    members: dict[Place, set[str]] = {}
    for row in _rows(reference / "municipalities.csv", division_year, ["municipality_code"]):
        code = row["municipality_code"]
        members[MUNICIPALITY, code] = {code}
        members.setdefault((COUNTRY, "NL01"), set()).add(code)
    for path in [*tables, *(sorted(own.glob("*.csv")) if own else [])]:
        for row in _rows(path, division_year, ["municipality_code", "region_code"]):
            members.setdefault((path.stem, row["region_code"]), set()).add(row["municipality_code"])
    return Places({place: frozenset(codes) for place, codes in members.items()})


def _rows(path: Path, division_year: int, needed: Iterable[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["division_year"] == str(division_year)]
        missing = [name for name in needed if rows and name not in rows[0]]
    except (OSError, KeyError) as error:
        raise ProjectError(
            f"the classification cannot be read: {type(error).__name__}", str(path), "check --own-regions"
        ) from error
    if missing:
        raise ProjectError(f"the classification has no column {', '.join(missing)}", str(path), "add the column")
    return rows
