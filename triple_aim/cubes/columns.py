"""What the name of a column says: its type, and whether its values add up.

Not here: which columns a cube has (``sql/cube`` lists them).
"""

from __future__ import annotations

#: What a column is called says what it is: the same name has the same type in every cube. Sums are exact, so that they
#: are the same whoever adds them in whatever order: nine decimals of a person, eighteen of a product, four of euros.
TYPES = {
    "_count": "BIGINT",
    "_number": "BIGINT",
    "cost_sumsq": "DECIMAL(38,4)",
    "_sum": "DECIMAL(38,18)",
    "_sumsq": "DECIMAL(38,18)",
    "_years": "DECIMAL(38,9)",
    "_eur": "DECIMAL(18,2)",
    "percent": "DOUBLE",
    "period": "INTEGER",
}
MEASURES = ("_count", "_sum", "_sumsq", "_eur", "_years")


def column_type(name: str) -> str | None:
    """The type that a column has by its name; None for another, which in a cube is a dimension and text."""
    if name.startswith("is_"):
        return None
    return next((kind for end, kind in TYPES.items() if name.endswith(end)), None)
