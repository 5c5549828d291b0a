"""Does an indicator pass the gate again when, and only when, something it rests on changed?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.cells import ROOT, regions, specs
from tests.unit.disclosure.test_protect import rows
from triple_aim.cubes.built import fingerprints, record_fingerprint
from triple_aim.definitions.contracts import load_publication
from triple_aim.definitions.specs import Spec
from triple_aim.disclosure.gate import TABLE, pass_gate
from triple_aim.disclosure.protect import COLUMNS
from triple_aim.errors import DisclosureError
from triple_aim.indicators.rows import KINDS, NO_ROWS
from triple_aim.warehouse.connection import Warehouse, open_warehouse

PROMISE = load_publication(ROOT / "contracts")
POLYPHARMACY, VISITS = (specs()[name] for name in ("polypharmacy_65_plus", "emergency_visits"))
BOTH = [POLYPHARMACY, VISITS]


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse(None) as opened:
        fingerprints(opened)  # the memory of what was made from what
        for spec in BOTH:
            put(opened, spec, rows()[list(KINDS)])
        yield opened


def put(warehouse: Warehouse, spec: Spec, table: pd.DataFrame, content: str | None = "as made") -> None:
    warehouse.create(f"ind.{spec.id}", table)
    record_fingerprint(warehouse, f"ind.{spec.id}", 0, content)


def passed(warehouse: Warehouse, wanted: list[Spec] = BOTH, promise: object = PROMISE, year: int = 2024) -> list[str]:
    return pass_gate(warehouse, wanted, promise, year, regions()).gated  # type: ignore[arg-type]


def values(warehouse: Warehouse) -> dict[str, float]:
    return dict(warehouse.rows(f"select indicator_id, value from {TABLE} order by 1"))


def test_only_what_was_made_again_passes_again(warehouse: Warehouse) -> None:
    assert passed(warehouse) == [POLYPHARMACY.id, VISITS.id]
    assert passed(warehouse) == []
    put(warehouse, VISITS, rows(value=22.0)[list(KINDS)], "made again")
    put(warehouse, POLYPHARMACY, rows(value=33.0)[list(KINDS)])  # its content says that it is what it was
    assert passed(warehouse) == [VISITS.id]
    assert values(warehouse) == {VISITS.id: 22.0, POLYPHARMACY.id: 20.0}


def test_another_promise_or_division_brings_all_to_the_gate(warehouse: Warehouse) -> None:
    passed(warehouse)
    threshold = PROMISE.threshold("claims").model_copy(update={"persons": 500})
    stricter = PROMISE.model_copy(update={"thresholds": {**PROMISE.thresholds, "claims": threshold}})
    assert passed(warehouse, promise=stricter) == [POLYPHARMACY.id, VISITS.id]
    assert set(values(warehouse).values()) == {None}
    assert passed(warehouse, promise=stricter, year=2023) == [POLYPHARMACY.id, VISITS.id]


def test_what_nobody_remembers_making_is_never_kept(warehouse: Warehouse) -> None:
    put(warehouse, VISITS, rows()[list(KINDS)], None)
    passed(warehouse)
    assert passed(warehouse) == [VISITS.id]


def test_an_indicator_that_is_gone_leaves_nothing(warehouse: Warehouse) -> None:
    passed(warehouse)
    assert passed(warehouse, [VISITS]) == []
    assert list(values(warehouse)) == [VISITS.id]
    assert passed(warehouse) == [POLYPHARMACY.id]


def test_an_indicator_that_lost_its_rows_leaves_none(warehouse: Warehouse) -> None:
    passed(warehouse)
    put(warehouse, VISITS, NO_ROWS, "of nothing")
    assert passed(warehouse) == [VISITS.id]
    assert list(values(warehouse)) == [POLYPHARMACY.id]
    assert [name for name, _ in warehouse.header(f"select * from {TABLE}")] == COLUMNS


def test_kept_rows_are_audited_too_and_a_refusal_changes_nothing(warehouse: Warehouse) -> None:
    passed(warehouse)
    warehouse.run(f"update {TABLE} set status = 'suppressed' where indicator_id = ?", [POLYPHARMACY.id])
    put(warehouse, VISITS, rows(value=22.0)[list(KINDS)], "made again")
    with pytest.raises(DisclosureError, match="1 withheld rows still show a number"):
        passed(warehouse)
    assert values(warehouse)[VISITS.id] == 20.0


def test_all_rows_of_a_large_publication_stand_behind_the_gate(tmp_path: Path) -> None:
    """DuckDB 1.5.6 loses a frame of more than a row group from sight, put into a table that is as new as it is."""
    count = 130_000
    many = rows().loc[[0] * count].assign(region_code=[f"GM{i:06d}" for i in range(count)])[list(KINDS)]
    with open_warehouse(tmp_path / "warehouse.duckdb") as opened:
        fingerprints(opened)
        put(opened, VISITS, many)
        passed(opened, [VISITS])
        assert opened.value(f"select count(*) from {TABLE}") == count
