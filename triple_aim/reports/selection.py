"""Selected rows of one mart, with the indicators and sources that describe them.

Not here: the disclosure rules, which are applied before the release, or the output (``exports``, ``workbook``,
``figures``). As a second safeguard, this module blanks every number of a suppressed row.
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
from triple_aim.reports.translations import translate_to_dutch
from triple_aim.vocabulary import ALL, SHOWN
from triple_aim.warehouse import quoted

Language = Literal["nl", "en"]

NOT_AVAILABLE: dict[Language, str] = {"nl": "n.b.", "en": "n/a"}
PROCESSED_BY: dict[Language, str] = {"nl": "bewerkt door", "en": "processed by"}
CHUNK_ROWS = 50_000  # limits memory: this many rows are Python objects at a time
NULLABLE_TYPES = {"integer": "Int64", "boolean": "boolean"}  # plain pandas types turn a missing value into a float


@dataclass(frozen=True)
class Selection:
    """Rows of one mart in the order of its grain, the filters that chose them, and the dictionary of all indicators."""

    release: Path
    promise: Publication
    mart: Mart
    filters: Mapping[str, str | int]
    rows: pd.DataFrame
    indicators: pd.DataFrame

    @property
    def cubes(self) -> list[str]:
        columns = [name for name in self.rows.columns if name == "source" or name.endswith("_source")]
        return sorted({cube for name in columns for cube in self.rows[name].dropna()})

    @property
    def used_indicators(self) -> pd.DataFrame:
        columns = [name for name in self.rows.columns if name == "indicator_id" or name.endswith("_indicator_id")]
        used = {indicator for name in columns for indicator in self.rows[name].dropna()}
        return self.indicators[self.indicators["indicator_id"].isin(used)]

    def display_rows(self, language: Language) -> Iterator[tuple[Any, ...]]:
        """Each row as plain objects, with ``NOT_AVAILABLE`` for a withheld number and None for a missing value."""
        statuses = status_columns(self.rows)
        rows = translate_to_dutch(self.rows, self.indicators, self.promise) if language == "nl" else self.rows
        for start in range(0, len(rows), CHUNK_ROWS):
            part = rows.iloc[start : start + CHUNK_ROWS]
            display = part.astype(object).where(part.notna(), None)
            for measure, status in statuses.items():
                hidden = part[measure].isna() & ~part[status].isin(SHOWN)
                display[measure] = display[measure].mask(hidden, NOT_AVAILABLE[language])
            yield from display.itertuples(index=False, name=None)

    def source_line(self, language: Language) -> str:
        """Suppliers and publisher, the text after ``bron:`` or ``source:``."""
        manifest = read_manifest(self.release) or {}
        suppliers = manifest.get("facts", {}).get("suppliers", {})
        names = sorted({name for cube in self.cubes for name in suppliers.get(cube, [cube])})
        monitor = f"{getattr(self.promise.title, language)}, {getattr(self.promise.publisher, language)}"
        return f"{', '.join(names)}; {PROCESSED_BY[language]} {monitor}" if names else monitor


def select(release: Path, promise: Publication, table: str, filters: Mapping[str, str | int]) -> Selection:
    """The rows of a mart in which every filtered column has the given value."""
    mart = next((mart for mart in promise.marts if mart.name == table), None)
    if mart is None:
        known = ", ".join(mart.name for mart in promise.marts)
        raise ProjectError("there is no such mart", table, f"choose {known}")
    if unknown := sorted(set(filters) - {column.name for column in mart.columns}):
        raise ProjectError(f"the mart has no column {', '.join(unknown)}", table, "leave out that filter")
    condition = " and ".join(f"{quoted(name)} = ${name}" for name in filters) or "true"
    order = ", ".join(quoted(name) for name in mart.grain)
    with open_marts(release, promise) as marts:
        if not marts.exists(f"mart.{table}"):
            raise ProjectError("the release has no such mart", f"{release.name}/{table}", "choose a newer release")
        rows = marts.frame(f"select * from mart.{quoted(table)} where {condition} order by {order}", filters)
        indicators = marts.frame("select * from mart.indicators order by indicator_id")
    if rows.empty:
        raise NothingToPublish(
            "no row fits the selection", table, "use fewer filters, or query the mart with triple-aim sql"
        )
    types = {column.name: NULLABLE_TYPES[column.type] for column in mart.columns if column.type in NULLABLE_TYPES}
    rows = rows.astype({name: kind for name, kind in types.items() if name in rows})
    for measure, status in status_columns(rows).items():
        rows[measure] = rows[measure].mask(rows[status] == "suppressed")
    return Selection(release, promise, mart, filters, rows, indicators)


def select_indicator(
    release: Path, promise: Publication, indicator: str, age_group: str, source: str | None
) -> Selection:
    """The values of one indicator from one source, for everybody or for one age group."""
    filters = {"indicator_id": indicator, "sex": ALL, "age_group": age_group, "segment_type": "none", "segment": ALL}
    selection = select(release, promise, "indicator_values", filters | ({"source": source} if source else {}))
    if len(selection.cubes) > 1:
        choices = " or ".join(selection.cubes)
        raise ProjectError("several sources supply this indicator", indicator, f"choose --source {choices}")
    return selection


def status_columns(rows: pd.DataFrame) -> dict[str, str]:
    """The status column of each measure: ``health_status`` for ``health_value``, ``status`` for all others."""
    statuses = [name for name in rows.columns if name == "status" or name.endswith("_status")]
    measures = [name for name in rows.columns if pd.api.types.is_float_dtype(rows[name])]
    return {
        measure: status
        for status in statuses
        for measure in measures
        if measure.startswith(status.removesuffix("status"))
    }


def is_shown(rows: pd.DataFrame) -> pd.Series:
    """Whether each row has a value that readers may see."""
    return rows["status"].isin(SHOWN) & rows["value"].notna()
