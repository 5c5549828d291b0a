"""The type of a column and whether its values add up, both from its name.

Not here: the columns of each cube (``sql/cube``).
"""

from __future__ import annotations

from collections.abc import Iterable

#: Types by the end of a name, the same in every cube. Sums are exact decimals, so they do not depend on the order of
#: adding: nine decimals for years, eighteen for products, four for squared euros.
TYPES = {
    "_count": "BIGINT",
    "_number": "BIGINT",
    "_eur_sumsq": "DECIMAL(38,4)",
    "_sum": "DECIMAL(38,18)",
    "_sumsq": "DECIMAL(38,18)",
    "_years": "DECIMAL(38,9)",
    "_eur": "DECIMAL(18,2)",
    "percent": "DOUBLE",
    "period": "INTEGER",
}
MEASURES = ("_count", "_sum", "_sumsq", "_eur", "_years")


def column_type(name: str) -> str | None:
    """The type of a column by its name; None for other columns, which are text dimensions in a cube."""
    if name.startswith("is_"):
        return None
    return next((kind for end, kind in TYPES.items() if name.endswith(end)), None)


def measures_of(columns: Iterable[str]) -> list[str]:
    """The columns whose values add up."""
    return [name for name in columns if name.endswith(MEASURES)]
