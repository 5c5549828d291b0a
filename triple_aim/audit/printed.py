"""What a release prints: its tables, and every printed or withheld sum as a numbered cell.

Not here: which cells add up (``sums``), or what they give away (``doors``).

A cell is one true sum: a column of a family of sources, a range of ages, a sex, a year or years pooled, a region. Every
indicator that prints this column for these persons prints the same cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from triple_aim.audit.places import Places
from triple_aim.audit.rules import QUOTIENTS, Route, Rules, read_rules
from triple_aim.errors import ProjectError
from triple_aim.vocabulary import ALL, SHOWN, age_bounds, part

MANIFEST, VALUES = "manifest.json", "indicator_values"
TABLES = ("cost_growth", "triple_aim", "reconciliation", "checks", "regions")
#: What identifies the persons behind a cell, apart from the region.
LAYER = ["release", "family", "column", "low", "high", "sex", "period", "pool"]
PLACE = ["region_type", "region_code"]
#: Vektis writes V (vrouw) for a woman.
WOMAN = {"V": "F"}
#: What a row is about, for messages.
ROW = ["indicator_id", "source", "region_type", "region_code", "period", "sex", "age_group", "segment"]


@dataclass(frozen=True)
class Release:
    """One release as a reader sees it."""

    path: Path
    rules: Rules
    values: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    inputs: dict[str, str]  # hashes of the deliveries, by extract and period
    division_year: int


def read_release(publication: Path) -> Release:
    """Read a release folder, or the current release of a folder of releases.

    Raises
    ------
    ProjectError
        If the folder is no release, or the release does not state its rules.
    """
    folder = publication / "current" if (publication / "current").exists() else publication
    path = folder.resolve()
    if not (path / f"{VALUES}.parquet").is_file():
        raise ProjectError("this is not a release", str(publication), "name a folder of releases, or one in releases/")
    rules = read_rules(path)
    values = _table(path, VALUES)
    known = {f"{indicator}/{source}" for indicator, source in rules.routes}
    missing = sorted(set(values["indicator_id"] + "/" + values["source"]) - known)
    if missing:
        raise ProjectError(
            f"the rules of protection do not name {len(missing)} printed indicators, such as {missing[0]}",
            str(path),
            "state the columns of every indicator and source",
        )
    tables = {name: _table(path, name) for name in TABLES if (path / f"{name}.parquet").is_file()}
    years = tables["regions"]["division_year"].unique() if "regions" in tables else values["division_year"].unique()
    return Release(path, rules, values, tables, _inputs(path), int(years[0]) if len(years) else 0)


def _table(path: Path, name: str) -> pd.DataFrame:
    frame: pd.DataFrame = pq.ParquetFile(path / f"{name}.parquet").read().to_pandas()
    return frame


def _inputs(path: Path) -> dict[str, str]:
    """The hashes of the deliveries that the manifest names, by ``extract/period/…``; empty without a manifest."""
    if not (path / MANIFEST).is_file():
        return {}
    inputs = json.loads((path / MANIFEST).read_text(encoding="utf-8")).get("facts", {}).get("inputs", {})
    return {str(name): json.dumps(value, sort_keys=True) for name, value in inputs.items()}


def printed_sums(releases: Sequence[Release], indicators: set[str] | None = None) -> pd.DataFrame:
    """Every numerator and denominator of every row, printed or withheld, one row each.

    ``number`` is what is printed, nan if nothing is; ``row`` is the position in the values of the release;
    ``half_unit`` is half a unit of its last printed digit, 0 for a whole number of persons.
    """
    parts = [
        frame
        for index, release in enumerate(releases)
        for key, rows in release.values.groupby(["indicator_id", "source"], sort=False)
        if indicators is None or str(key[0]) in indicators
        for frame in _sums_of(index, release, str(key[0]), str(key[1]), rows)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*LAYER, *PLACE, "kind"])


def _sums_of(index: int, release: Release, indicator: str, source: str, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    rules, route = release.rules, release.rules.routes[indicator, source]
    protection = rules.sources[source]
    if protection.mode == "thresholds_only":
        return
    shown = rows["status"].isin(SHOWN).to_numpy()
    low, high = _age_columns(rows["age_group"], route)
    base = {
        "release": index,
        "family": protection.family,
        "low": low,
        "high": high,
        "sex": rows["sex"].replace(WOMAN).to_numpy(),
        "period": rows["period"].to_numpy(),
        "pool": route.pool,
        "region_type": rows["region_type"].to_numpy(),
        "region_code": rows["region_code"].to_numpy(),
        "indicator_id": indicator,
        "source": source,
        "mode": protection.mode,
        "shown": shown,
        "withheld": (rows["status"] == "suppressed").to_numpy(),
        "delivered": (rows["status"] != "not_delivered").to_numpy(),
        "row": rows.index.to_numpy(),
    }
    segment, kind_of_segment = rows["segment"].to_numpy(), rows["segment_type"].to_numpy()
    is_segment = (segment != ALL) & (kind_of_segment == route.segments)
    is_total = segment == ALL
    for role, name, kind in (
        ("numerator", route.numerator, route.numerator_kind),
        ("denominator", route.denominator, route.denominator_kind),
    ):
        if name is None or kind == "none":
            continue
        number = rows[role].to_numpy(float)
        column = np.full(len(rows), rules.canonical(name, source) + route.filter, dtype=object)
        if role == "numerator" and route.segments:
            named = [part(name, route.segments, str(label)) for label in segment]
            column = np.array([rules.canonical(label, source) + route.filter for label in named], dtype=object)
            column[is_total] = rules.canonical(name, source) + route.filter
        digits = route.digits.get(role)
        exact_unit = 0.0 if digits is None else 0.5 * 10.0**-digits
        whole = np.isclose(number, np.round(number), rtol=0, atol=1e-9)
        is_whole_count = whole if kind in ("persons", "public") else np.zeros(len(rows), dtype=bool)
        floor = protection.cases if role == "numerator" else protection.persons
        frame = pd.DataFrame(
            {
                **base,
                "column": column,
                "role": role,
                "kind": kind,
                "number": np.where(shown, number, np.nan),
                "half_unit": np.where(is_whole_count, 0.0, exact_unit),
                "floor": np.where(shown & (kind in ("persons", "events")), floor, 0.0),
            }
        )
        yield frame[(is_total | is_segment)]


def _age_columns(labels: pd.Series[Any], route: Route) -> tuple[Any, Any]:
    """The first age and the first age above the persons of each row, within the filter of the route."""
    first, below = route.ages
    bounds = {label: (first, below) if label == ALL else age_bounds(label) for label in labels.unique()}
    low = labels.map({label: max(first, bound[0]) for label, bound in bounds.items()}).to_numpy()
    high = labels.map({label: min(below, bound[1]) for label, bound in bounds.items()}).to_numpy()
    return low, high


def quotient_rows(releases: Sequence[Release], indicators: set[str] | None = None) -> pd.DataFrame:
    """The shown rows whose value is a plain quotient of numerator and denominator, with their route."""
    parts = []
    for index, release in enumerate(releases):
        for (indicator, source), rows in release.values.groupby(["indicator_id", "source"], sort=False):
            route = release.rules.routes[str(indicator), str(source)]
            mode = release.rules.sources[str(source)].mode
            is_wanted = indicators is None or str(indicator) in indicators
            if route.method in QUOTIENTS and mode in ("cell_key", "suppress") and is_wanted:
                shown = rows[rows["status"].isin(SHOWN) & rows["value"].notna()]
                parts.append(
                    shown.assign(
                        release=index,
                        mode=mode,
                        per=route.per,
                        interval=route.interval,
                        level=route.level,
                        numerator_kind=route.numerator_kind,
                        denominator_kind=route.denominator_kind,
                        numerator_digits=route.digits.get("numerator"),
                        denominator_digits=route.digits.get("denominator"),
                        value_digits=route.digits.get("value"),
                        limit_digits=route.digits.get("limits"),
                        row=shown.index,
                    )
                )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*ROW, "release", "row", "mode"])


@dataclass(frozen=True)
class Reading:
    """The releases to examine, and the municipalities of each region in each of them."""

    releases: Sequence[Release]
    places: Sequence[Places]
