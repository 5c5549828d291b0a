"""Reference tables: every CSV under ``reference/`` is the table ``ref.<file name>``, all text, for SQL to join.

Not here: what regions are and how codes are recoded (``triple_aim.definitions``).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from triple_aim.errors import ContentError
from triple_aim.warehouse.connection import Warehouse


def read_table(path: Path) -> pd.DataFrame:
    """One reference CSV, every column text, empty stays empty text."""
    where = f"reference/{path.parent.name}/{path.name}"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError, UnicodeError) as error:
        raise ContentError("this is not a CSV table", where, str(error).splitlines()[0]) from error
    if short := int(table.isna().any(axis=1).sum()):
        raise ContentError(f"{short} rows have fewer fields than the header", where, "complete them")
    return table


def load_reference(warehouse: Warehouse, folder: Path) -> int:
    """Replace every ``ref`` table; the number of tables."""
    paths = sorted(folder.glob("*/*.csv"))
    stems = [path.stem for path in paths]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise ContentError(f"two reference tables are called {', '.join(twice)}", "reference/", "rename one of each")
    for path in paths:
        if not path.with_suffix(".yaml").is_file():
            raise ContentError(
                "the table does not say where it comes from",
                f"reference/{path.parent.name}/{path.name}",
                "put a .yaml with title, source, licence and date beside it",
            )
        warehouse.create(f"ref.{path.stem}", read_table(path))
    return len(paths)
