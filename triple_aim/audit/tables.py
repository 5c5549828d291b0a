"""The other tables of a release: reconciliation, checks, the headlines, and cost growth.

Not here: the indicator values (``doors``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from triple_aim.audit.feasible import Floats, Ints, Least, System, intervals
from triple_aim.audit.findings import NARROW, SHARE, Finding
from triple_aim.audit.printed import Release
from triple_aim.vocabulary import SHOWN

DOOR = "tables"
SMALL = 10
#: Subjects of checks that count rows of persons; the others count rows of published tables.
PERSON_TABLES = ("delivery", "stg", "person")
AIMS = ("health", "quality", "cost", "growth")


def table_findings(release: Release) -> Iterator[Finding]:
    """Yield what the tables of one release give away."""
    tables = release.tables
    if "reconciliation" in tables:
        yield from _reconciliation(release, tables["reconciliation"])
    if "checks" in tables:
        yield from _checks(release, tables["checks"])
    if "triple_aim" in tables:
        yield from _headlines(release.values, tables["triple_aim"])
    if "cost_growth" in tables:
        yield from _growth(tables["cost_growth"])


def _reconciliation(release: Release, table: pd.DataFrame) -> Iterator[Finding]:
    """Small row counts and their euros: printed, or the rest of a printed sum."""
    rows = table.reset_index(drop=True)
    counts, euros = rows["row_count"].to_numpy(float), rows["amount_eur"].to_numpy(float)
    for name, numbers, base in (
        ("rows", counts, release.rules.row_base),
        ("euros", euros, release.rules.euro_base),
    ):
        if base and (off := np.isfinite(numbers) & ~np.isclose(numbers / base, np.round(numbers / base))).any():
            yield _finding(rows.iloc[np.flatnonzero(off)[0]], f"{name} are not multiples of {base:g}", int(off.sum()))
    rules = release.rules
    half = _half_unit(counts, rules.row_base, rules.row_digits)
    first = np.maximum(counts - half, rules.row_least)
    is_small = np.isnan(counts) | ((first < SMALL) & (counts > 0))
    system, targets = _flows(rows, counts, half, least=rules.row_least), np.flatnonzero(is_small)
    least = Least(np.full(len(targets), NARROW), np.zeros(len(targets)))
    yield from _narrow(rows, system, targets, least, "a small number of rows")
    half = _half_unit(euros, rules.euro_base, rules.euro_digits)
    has_euros = rows.groupby("extract")["amount_eur"].transform(lambda amounts: (amounts.abs() > 0).any()).to_numpy()
    targets = np.flatnonzero(np.isnan(euros) & has_euros)
    system = _flows(rows, euros, half, lowest=-np.inf)
    least = Least(np.full(len(targets), 1.0), np.full(len(targets), 2 * SHARE))
    yield from _narrow(rows, system, targets, least, "euros of few rows")


def _narrow(rows: pd.DataFrame, system: System, targets: Ints, least: Least, what: str) -> Iterator[Finding]:
    found = intervals(system, targets, least)
    for position in np.flatnonzero(~least.is_met(found.lower, found.upper)):
        width = float(max(0.0, found.upper[position] - found.lower[position]))
        yield _finding(rows.iloc[targets[position]], what, 1, width)


def _half_unit(numbers: Floats, base: float, digits: int | None) -> Floats:
    """Half the step between two printed numbers: of the stated size, or of the last significant digit."""
    if digits is None:
        return np.full(len(numbers), base / 2)
    size = np.abs(np.where(np.isfinite(numbers) & (numbers != 0), numbers, 1.0))
    half: Floats = np.maximum(base, 10.0 ** (np.floor(np.log10(size)) - digits + 1)) / 2
    return half


def _flows(rows: pd.DataFrame, numbers: Floats, half: Floats, lowest: float = 0.0, least: float = 0.0) -> System:
    """Delivered = set aside + staged, per supplier; all staged = in a cube + excluded."""
    system = System()
    for number, rounding in zip(numbers, half, strict=True):
        is_known = np.isfinite(number)
        slack = rounding + 1e-9 * abs(number) if is_known else 0.0
        low, high = (number - slack, number + slack) if is_known else (lowest, np.inf)
        # A number that would be empty if it were smaller.
        low = max(low, least) if is_known and 0 < least <= number else low
        system.unknown(max(low, lowest), high)
    stage = rows["stage"].to_numpy()
    for _, part in rows.groupby(["extract", "period"], sort=False):
        for _, supplier in part.groupby("supplier", sort=False):
            delivered = supplier.index[stage[supplier.index] == "delivered"]
            onward = supplier.index[np.isin(stage[supplier.index], ["set_aside", "staged"])]
            if len(delivered) == 1 and len(onward):
                system.total(int(delivered[0]), [int(index) for index in onward])
        staged = part.index[stage[part.index] == "staged"]
        counted = part.index[np.isin(stage[part.index], ["in_cube", "excluded"])]
        if len(staged) and len(counted):
            columns = [*map(int, staged), *map(int, counted)]
            system.relation(columns, [*[1.0] * len(staged), *[-1.0] * len(counted)])
    return system


def _finding(row: pd.Series, what: str, count: int, width: float | None = None) -> Finding:
    about = f"{row['extract']}, {row['stage']} {row['reason']}"
    return Finding(DOOR, what, about, "", str(row["supplier"]), int(row["period"]), width=width, count=count)


def _checks(release: Release, table: pd.DataFrame) -> Iterator[Finding]:
    """Small numbers of unexpected rows of persons."""
    persons = table["subject"].str.split("/").str[0].isin(PERSON_TABLES)
    count, base = table["unexpected_count"].to_numpy(float), release.rules.row_base
    first = np.maximum(count - base / 2, release.rules.row_least)
    small = persons.to_numpy() & (count > 0) & (first < SMALL) & (base < NARROW)
    for row in table[small].itertuples(index=False):
        yield Finding(DOOR, "a small number of rows", str(row.check_id), "", "", 0, width=base)


def _headlines(values: pd.DataFrame, table: pd.DataFrame) -> Iterator[Finding]:
    """Numbers of withheld headlines, or other than those of the indicator values."""
    key = ["indicator_id", "source", "region_type", "region_code", "period", "age_group"]
    totals = values[(values["sex"] == "all") & (values["segment"] == "all")]
    for aim in AIMS:
        names = {f"{aim}_{name}": name for name in ("indicator_id", "source", "age_group", "value", "lower", "upper")}
        if f"{aim}_value" not in table:
            continue
        present = [name for name in names if name in table]
        rows = table[[*present, f"{aim}_status", "region_type", "region_code", "period"]].rename(columns=names)
        hidden = ~rows[f"{aim}_status"].isin(SHOWN) & rows["value"].notna()
        joined = rows.merge(totals[[*key, "value"]], on=key, how="inner", suffixes=("", "_printed"))
        both = joined["value"].notna() & joined["value_printed"].notna()
        differ = both & ~np.isclose(joined["value"].to_numpy(float), joined["value_printed"].to_numpy(float), rtol=1e-9)
        for what, found in (
            ("a withheld headline has a number", rows[hidden]),
            ("a headline differs from its indicator value", joined[differ]),
        ):
            if len(found):
                row = found.iloc[0]
                place = str(row["region_type"]), str(row["region_code"]), int(row["period"])
                yield Finding(DOOR, what, str(row["indicator_id"]), *place, count=len(found))


def _growth(table: pd.DataFrame) -> Iterator[Finding]:
    """Numbers of withheld growth."""
    for kind in ("yearly", "compound"):
        hidden = table[~table[f"{kind}_status"].isin(SHOWN) & table[f"{kind}_growth_percent"].notna()]
        if len(hidden):
            row = hidden.iloc[0]
            place = str(row["region_type"]), str(row["region_code"]), int(row["period"])
            yield Finding(DOOR, "withheld growth has a number", f"cost_growth, {kind}", *place, count=len(hidden))
