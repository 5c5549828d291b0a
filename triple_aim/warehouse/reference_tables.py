"""Reference tables: SQL reads every CSV of ``reference/`` as a table ``ref.<file name>`` of text columns.

Not here: regions and the recoding of codes (``triple_aim.definitions``).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from triple_aim.errors import ContentError
from triple_aim.warehouse.connection import Warehouse


def read_table(path: Path) -> pd.DataFrame:
    """Read one reference CSV as text; an empty field is an empty text."""
    where = f"reference/{path.parent.name}/{path.name}"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError, UnicodeError) as error:
        raise ContentError("this is not a CSV table", where, str(error).splitlines()[0]) from error
    if short := int(table.isna().any(axis=1).sum()):
        raise ContentError(f"{short} rows have fewer fields than the header", where, "complete these rows")
    return table


def load_reference(warehouse: Warehouse, folder: Path) -> int:
    """Replace every ``ref`` table and return how many there are."""
    paths = sorted(folder.glob("*/*.csv"))
    stems = [path.stem for path in paths]
    if duplicates := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise ContentError(f"several reference tables are named {', '.join(duplicates)}", "reference/", "rename them")
    for path in paths:
        if not path.with_suffix(".yaml").is_file():
            raise ContentError(
                "the table has no description of its source",
                f"reference/{path.parent.name}/{path.name}",
                "add a .yaml of the same name with title, source, licence and date",
            )
        warehouse.create(f"ref.{path.stem}", read_table(path))
    return len(paths)
