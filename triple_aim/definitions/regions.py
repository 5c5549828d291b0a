"""Which region a municipality belongs to, in each year: reads ``reference/regions`` and follows recodings.

It apportions counts: the share of each code, current or former, in each region of one division year.
Not here: rates (computed from apportioned counts, never averaged), or adding cells (``triple_aim.cubes``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.definitions.yaml_reader import read_yaml
from triple_aim.errors import ContentError

#: Own classifications of one installation. Their noise is independent, so that many of them average it away: with
#: twenty the error of an estimate of a small cell fell from 1.7 to 0.8 persons (docs/methods/disclosure.md).
MOST_OWN = 5
STANDARD_TYPES = ("ggd_region", "zorgkantoor_region", "corop_region", "province")
Recoding = tuple[int, dict[str, float]]  # the year in which a code ends, and the share that each successor takes


@dataclass(frozen=True)
class Membership:
    """Shares of the given codes, (regions, codes) by region type; rows in the order of ``Regions.names``."""

    shares: Mapping[str, NDArray[np.float64]]
    unresolved: tuple[str, ...]  # split, and no shares delivered: counts in the country only
    unknown: tuple[str, ...]  # in no table: counts nowhere


@dataclass(frozen=True, eq=False)  # hashable by identity, so that results derived from it can be cached
class Regions:
    """The classifications of one division year, and the recodings from older codes to it."""

    division_year: int
    tables: Mapping[str, pd.DataFrame]
    covers: Mapping[str, str]
    recodings: Mapping[str, Recoding]

    @classmethod
    def load(
        cls, folder: Path, division_year: int, shares: pd.DataFrame | None = None, own: Path | None = None
    ) -> Regions:
        """Read the folder ``reference/regions``.

        ``shares`` is a delivered table with the shares of split municipalities; ``own`` is a folder with the region
        team's own classifications, one CSV each.
        """
        path, year = folder / "municipalities.csv", str(division_year)
        listed = _read(path, "division_year municipality_code municipality_name")
        if year not in set(listed["division_year"]):
            raise ContentError(f"no municipalities of {year}", str(path), "add them or change division_year")
        listed = listed.rename(columns={"municipality_name": "region_name"})
        tables, covers = {"municipality": listed.assign(region_code=listed["municipality_code"])}, {}
        own_files = sorted(own.glob("*.csv")) if own else []
        if len(own_files) > MOST_OWN:
            raise ContentError(
                f"there are {len(own_files)} own classifications, and {MOST_OWN} at most are published",
                str(own),
                "remove some: every classification gives a reader another estimate of the same persons",
            )
        for file in (*(folder / f"{kind}.csv" for kind in STANDARD_TYPES), *own_files):
            kind = file.stem
            tables[kind] = _read(file, "division_year municipality_code region_code region_name")
            covers[kind] = _read_coverage(file.with_suffix(".yaml"))
        tables["nl"] = listed.assign(region_code="NL01", region_name="Nederland")
        tables = {k: t[t["division_year"] == year].sort_values("region_code") for k, t in tables.items()}
        recodings = _read(folder / "recodings.csv", "from_year code_from code_to kind")
        return cls(division_year, tables, covers, _followed(recodings, division_year, shares))

    @property
    def types(self) -> list[str]:
        """Region types: municipality, the standard ones, the region team's own, the country."""
        return list(self.tables)

    @property
    def own(self) -> list[str]:
        """The region team's own classifications."""
        return [kind for kind in self.covers if kind not in STANDARD_TYPES]

    def names(self, region_type: str) -> dict[str, str]:
        """Name of every region of a type by code, in the order of the rows of ``Membership.shares``."""
        return dict(self.tables[region_type][["region_code", "region_name"]].to_numpy())

    def membership(self, municipality_codes: Sequence[str]) -> Membership:
        """Share of each code, of this division or an older one, in each region of each type."""
        current = set(self.names("municipality"))
        successors = {code: self._current_shares(code, current) for code in municipality_codes}
        rows = [successors[code] or {} for code in municipality_codes]
        by_code = pd.DataFrame(rows, columns=sorted(current), dtype=float).fillna(0.0).T
        shares = {}
        for kind, table in self.tables.items():
            within = by_code.reindex(table["municipality_code"], fill_value=0.0)
            shares[kind] = within.groupby(table["region_code"].to_numpy()).sum().to_numpy()
        shares["nl"] = np.array([[float(successors[code] is not None) for code in municipality_codes]])
        unresolved = tuple(code for code, found in successors.items() if found == {})
        unknown = tuple(code for code, found in successors.items() if found is None)
        return Membership(shares, unresolved, unknown)

    def problems(self) -> list[str]:
        """The faults: a classification of the country needs each municipality once, and no recoding may end nowhere."""
        current, faults = set(self.names("municipality")), {}
        for kind, covers in self.covers.items():
            table, is_partition = self.tables[kind], covers == "country"
            key = ["municipality_code"] if is_partition else ["municipality_code", "region_code"]
            codes, named = table["municipality_code"], table.groupby("region_code")["region_name"].nunique()
            faults[f"{kind}: municipalities in no region"] = current.difference(codes) if is_partition else set()
            faults[f"{kind}: municipalities listed twice"] = set(codes[table.duplicated(key)])
            faults[f"{kind}: no municipalities of {self.division_year}"] = set(codes) - current
            faults[f"{kind}: regions with two names"] = set(named.index[named > 1])
        faults["recodings: codes leading nowhere"] = {
            c for c in self.recodings if self._current_shares(c, current) is None
        }
        return [f"{what}: {len(bad)} ({', '.join(sorted(bad)[:5])})" for what, bad in faults.items() if bad]

    def _current_shares(self, code: str, current: set[str], after: int = 0) -> dict[str, float] | None:
        """Shares by current code; empty if a split has no delivered shares, None if the code leads nowhere."""
        if code in current:
            return {code: 1.0}
        year, successors = self.recodings.get(code, (0, {}))
        if year <= after:  # in no table, or a cycle: years must increase
            return None
        total: dict[str, float] = {}
        for successor, share in successors.items():
            if not (found := self._current_shares(successor, current, year)):
                return found
            for end, part in found.items():
                total[end] = total.get(end, 0.0) + share * part
        return total


def _followed(recodings: pd.DataFrame, division_year: int, shares: pd.DataFrame | None) -> dict[str, Recoding]:
    """The successors of every code that ended by the division year; a partial change does not end a code."""
    followed: dict[str, Recoding] = {}
    for (label, code), rows in recodings[recodings["kind"] != "partial"].groupby(["from_year", "code_from"]):
        if (year := int(str(label))) <= division_year:
            parts = {} if shares is None else _split_shares(shares, str(code), year)
            followed[str(code)] = year, {rows["code_to"].iloc[0]: 1.0} if len(rows) == 1 else parts
    return followed


def _split_shares(shares: pd.DataFrame, code: str, year: int) -> dict[str, float]:
    """The delivered shares of one split, from the pair of delivered years closest to it."""
    old, new = ("GM" + shares[c].astype(str).str[-4:].str.zfill(4) for c in ("code_from", "code_to"))
    before, since = shares["year_from"].astype(int), shares["year_to"].astype(int)
    fits = (old == code) & (before < year) & (since >= year)
    fits &= before == before[fits].max()
    fits &= since == since[fits].min()
    parts = shares.loc[fits, "share"].astype(float)
    if len(parts) and abs(parts.sum() - 1) > 1e-3:  # delivered shares are rounded
        raise ContentError(
            f"the shares of {code} add to {parts.sum():.4f}, not to 1",
            "delivered boundary changes",
            f"correct those of {year}",
        )
    return dict(zip(new[fits], parts / parts.sum(), strict=True))


def _read(path: Path, columns: str) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else pd.DataFrame()
    if missing := ", ".join(column for column in columns.split() if column not in table):
        raise ContentError(f"a reference table has no column {missing}", f"{path}:1", f"give it the columns {columns}")
    return table


def _read_coverage(path: Path) -> str:
    covers = (read_yaml(path) or {}).get("covers") if path.is_file() else None
    if covers not in ("country", "part"):
        raise ContentError("a classification does not state its coverage", str(path), "add covers: country (or part)")
    return str(covers)
