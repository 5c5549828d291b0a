"""The content of the project, read once per process: that takes seconds, and no test changes it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd

from triple_aim.definitions.programme import Programme, load_programme
from triple_aim.definitions.settings import load_project
from triple_aim.definitions.spec_files import load_specs
from triple_aim.definitions.specs import Spec
from triple_aim.warehouse.connection import open_warehouse, qualified
from triple_aim.warehouse.sql_files import Query, read_queries

ROOT = Path(__file__).resolve().parents[1]


@cache
def queries(floor: str) -> dict[str, Query]:
    """Every SQL file of a folder of ``sql``."""
    return read_queries(ROOT / "sql" / floor)


@cache
def specs() -> dict[str, Spec]:
    return load_specs(ROOT / "indicator_specs")


@cache
def programme() -> Programme:
    """All content, with the settings of the samples."""
    return load_programme(replace(load_project(ROOT / "data_samples" / "monitor.toml"), root=ROOT))


def programme_of(config: Path) -> Programme:
    """All content with the settings of an installation."""
    return replace(programme(), project=replace(load_project(config), root=ROOT))


def exact_rows(warehouse: Path) -> pd.DataFrame:
    """The rows of the tables ``ind.*`` of a warehouse, which are exact and private, with ``indicator_id``."""
    with open_warehouse(warehouse) as opened:
        names = [name for (name,) in opened.rows("select table_name from duckdb_tables() where schema_name = 'ind'")]
        selects = [f"select '{name}' as indicator_id, * from {qualified('ind.' + name)}" for name in sorted(names)]
        return opened.frame(" union all by name ".join(selects))
