"""The menu: the measures that users may ask of a Triple Aim monitor, and the indicators that answer them.

Not here: what an indicator is (``specs``), or whether a spec names a measure that exists (``consistency``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from triple_aim.definitions.specs import Spec
from triple_aim.errors import ContentError
from triple_aim.warehouse import read_table


@dataclass(frozen=True)
class Measure:
    """A question, and the data that its answer needs."""

    id: str
    aim: str
    domain: str
    measure_en: str
    measure_nl: str
    data_needed_en: str
    data_needed_nl: str
    origin: str


def load_menu(reference: Path) -> dict[str, Measure]:
    """Every measure by id, in the order of the table; empty if the project has no menu."""
    path = reference / "menu" / "measures.csv"
    if not path.is_file():
        return {}
    table, columns = read_table(path), [field.name for field in fields(Measure)]
    if list(table.columns) != columns:
        raise ContentError("the menu has other columns", "reference/menu/measures.csv", f"give it {', '.join(columns)}")
    measures = (Measure(*row) for row in table.itertuples(index=False, name=None))
    return {measure.id: measure for measure in measures}


def answers(menu: Mapping[str, Measure], specs: Iterable[Spec]) -> dict[str, list[Spec]]:
    """The indicators that answer each measure; an empty list where none does."""
    listed = list(specs)
    return {name: [spec for spec in listed if name in spec.measures] for name in menu}
