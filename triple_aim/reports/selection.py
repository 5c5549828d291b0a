"""Some rows of one mart as a reader may see them, with what must be said beside them.

Not here: deciding what may be shown (that was done before the release) or the form it takes (``exports``,
``workbook``, ``series``). Still, a suppressed row never yields a number from here on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from triple_aim.definitions import Mart, Publication
from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.release import open_marts, read_manifest
from triple_aim.reports.translations import in_dutch
from triple_aim.vocabulary import ALL, SHOWN
from triple_aim.warehouse import quoted

Language = Literal["nl", "en"]

NOT_AVAILABLE: dict[Language, str] = {"nl": "n.b.", "en": "n/a"}
WORKED_UP: dict[Language, str] = {"nl": "bewerkt door", "en": "worked up by"}
AT_ONCE = 50_000  # rows that are Python objects at one time
WHOLE_NUMBERS = {"integer": "Int64", "boolean": "boolean"}  # pandas' own would turn a gap into a float


@dataclass(frozen=True)
class Selection:
    """The rows, in order of their grain, the mart they are of, and the dictionary of all indicators."""

    release: Path
    promise: Publication
    mart: Mart
    asked: Mapping[str, str | int]
    rows: pd.DataFrame
    indicators: pd.DataFrame

    @property
    def cubes(self) -> list[str]:
        told_by = [name for name in self.rows if name == "source" or name.endswith("_source")]
        return sorted({cube for name in told_by for cube in self.rows[name].dropna()})

    @property
    def used_indicators(self) -> pd.DataFrame:
        told_by = [name for name in self.rows if name == "indicator_id" or name.endswith("_indicator_id")]
        used = {indicator for name in told_by for indicator in self.rows[name].dropna()}
        return self.indicators[self.indicators["indicator_id"].isin(used)]

    def lines(self, language: Language) -> Iterator[tuple[Any, ...]]:
        """Row by row as plain objects: a measure that is not shown says so, any other gap is None."""
        statuses = status_of(self.rows)
        rows = in_dutch(self.rows, self.indicators, self.promise) if language == "nl" else self.rows
        for start in range(0, len(rows), AT_ONCE):
            part = rows.iloc[start : start + AT_ONCE]
            printed = part.astype(object).where(part.notna(), None)
            for measure, status in statuses.items():
                hidden = part[measure].isna() & ~part[status].isin(SHOWN)
                printed[measure] = printed[measure].mask(hidden, NOT_AVAILABLE[language])
            yield from printed.itertuples(index=False, name=None)

    def source_line(self, language: Language) -> str:
        """Who says so, for after ``bron:``."""
        manifest = read_manifest(self.release) or {}
        suppliers = manifest.get("facts", {}).get("suppliers", {})
        names = sorted({name for cube in self.cubes for name in suppliers.get(cube, [cube])})
        monitor = f"{getattr(self.promise.title, language)}, {getattr(self.promise.publisher, language)}"
        return f"{', '.join(names)}; {WORKED_UP[language]} {monitor}" if names else monitor


def select(release: Path, promise: Publication, table: str, asked: Mapping[str, str | int]) -> Selection:
    """The rows of a mart in which every column asked for has the value asked for."""
    mart = next((mart for mart in promise.marts if mart.name == table), None)
    if mart is None:
        known = ", ".join(mart.name for mart in promise.marts)
        raise ProjectError("there is no such mart", table, f"choose {known}")
    if strange := sorted(set(asked) - {column.name for column in mart.columns}):
        raise ProjectError(f"the mart has no {', '.join(strange)}", table, "leave that selection out")
    fits = " and ".join(f"{quoted(name)} = ${name}" for name in asked) or "true"
    order = ", ".join(quoted(name) for name in mart.grain)
    with open_marts(release, promise) as marts:
        if not marts.exists(f"mart.{table}"):
            raise ProjectError("the release has no such mart", f"{release.name}/{table}", "choose a newer release")
        rows = marts.frame(f"select * from mart.{quoted(table)} where {fits} order by {order}", asked)
        indicators = marts.frame("select * from mart.indicators order by indicator_id")
    if rows.empty:
        raise NothingToPublish("no row fits the selection", table, "ask for less, or look what there is with sql")
    types = {column.name: WHOLE_NUMBERS[column.type] for column in mart.columns if column.type in WHOLE_NUMBERS}
    rows = rows.astype({name: kind for name, kind in types.items() if name in rows})
    for measure, status in status_of(rows).items():
        rows[measure] = rows[measure].mask(rows[status] == "suppressed")
    return Selection(release, promise, mart, asked, rows, indicators)


def select_indicator(
    release: Path, promise: Publication, indicator: str, age_group: str, source: str | None
) -> Selection:
    """The values of one indicator from one source, for everybody or for one age group."""
    asked = {"indicator_id": indicator, "sex": ALL, "age_group": age_group, "segment_type": "none", "segment": ALL}
    found = select(release, promise, "indicator_values", asked | ({"source": source} if source else {}))
    if len(found.cubes) > 1:
        raise ProjectError("several sources supply this indicator", indicator, f"choose {' or '.join(found.cubes)}")
    return found


def status_of(rows: pd.DataFrame) -> dict[str, str]:
    """Which status speaks for which measure: ``health_status`` for ``health_value``, ``status`` for all."""
    statuses = [name for name in rows if name == "status" or name.endswith("_status")]
    measures = rows.select_dtypes("floating").columns
    return {
        measure: status
        for status in statuses
        for measure in measures
        if measure.startswith(status.removesuffix("status"))
    }


def is_shown(rows: pd.DataFrame) -> pd.Series:
    """Which rows have a value that readers may see."""
    return rows["status"].isin(SHOWN) & rows["value"].notna()
