"""Does an indicator pass the gate again if, and only if, one of its inputs changed?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.cells import ROOT, regions, specs
from tests.unit.disclosure.test_protect import rows
from triple_aim.cubes.built import fingerprints, record_fingerprint
from triple_aim.definitions.contracts import load_publication
from triple_aim.definitions.specs import Spec
from triple_aim.disclosure.gate import TABLE, ChangedRows, pass_gate
from triple_aim.disclosure.protect import COLUMNS
from triple_aim.errors import DisclosureError
from triple_aim.indicators.rows import NO_ROWS, ROW_TYPES
from triple_aim.warehouse.connection import Warehouse, open_warehouse

PUBLICATION = load_publication(ROOT / "contracts")
POLYPHARMACY, VISITS = (specs()[name] for name in ("polypharmacy_65_plus", "emergency_visits"))
BOTH = [POLYPHARMACY, VISITS]


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse(None) as opened:
        fingerprints(opened)  # makes the table of fingerprints
        for spec in BOTH:
            store(opened, spec, rows()[list(ROW_TYPES)])
        yield opened


def store(warehouse: Warehouse, spec: Spec, table: pd.DataFrame, fingerprint: str | None = "first") -> None:
    warehouse.create(f"ind.{spec.id}", table)
    record_fingerprint(warehouse, f"ind.{spec.id}", 0, fingerprint)


def gated(
    warehouse: Warehouse, wanted: list[Spec] = BOTH, publication: object = PUBLICATION, year: int = 2024
) -> list[str]:
    return pass_gate(warehouse, wanted, publication, year, regions(), unchanged(warehouse)).gated  # type: ignore[arg-type]


def unchanged(warehouse: Warehouse) -> ChangedRows:
    """The exact rows as rows of sums whose change was zero."""

    def read(wanted: Sequence[Spec]) -> pd.DataFrame:
        parts = [warehouse.frame(f"select * from ind.{spec.id}").assign(indicator_id=spec.id) for spec in wanted]
        return pd.concat(parts, ignore_index=True) if parts else NO_ROWS.assign(indicator_id="")

    return read


def published_values(warehouse: Warehouse) -> dict[str, float]:
    return dict(warehouse.rows(f"select indicator_id, value from {TABLE} order by 1"))


def test_only_recomputed_indicators_pass_again(warehouse: Warehouse) -> None:
    assert gated(warehouse) == [POLYPHARMACY.id, VISITS.id]
    assert gated(warehouse) == []
    store(warehouse, VISITS, rows(value=22.0)[list(ROW_TYPES)], "second")
    # The fingerprint says that the inputs did not change.
    store(warehouse, POLYPHARMACY, rows(value=33.0)[list(ROW_TYPES)])
    assert gated(warehouse) == [VISITS.id]
    assert published_values(warehouse) == {VISITS.id: 22.0, POLYPHARMACY.id: 20.0}


def test_after_a_change_of_rules_or_division_all_pass_again(warehouse: Warehouse) -> None:
    gated(warehouse)
    threshold = PUBLICATION.threshold("claims").model_copy(update={"persons": 500})
    stricter = PUBLICATION.model_copy(update={"thresholds": {**PUBLICATION.thresholds, "claims": threshold}})
    assert gated(warehouse, publication=stricter) == [POLYPHARMACY.id, VISITS.id]
    assert set(published_values(warehouse).values()) == {None}
    assert gated(warehouse, publication=stricter, year=2023) == [POLYPHARMACY.id, VISITS.id]


def test_rows_without_a_recorded_fingerprint_are_never_kept(warehouse: Warehouse) -> None:
    store(warehouse, VISITS, rows()[list(ROW_TYPES)], None)
    gated(warehouse)
    assert gated(warehouse) == [VISITS.id]


def test_the_rows_of_a_removed_indicator_are_deleted(warehouse: Warehouse) -> None:
    gated(warehouse)
    assert gated(warehouse, [VISITS]) == []
    assert list(published_values(warehouse)) == [VISITS.id]
    assert gated(warehouse) == [POLYPHARMACY.id]


def test_the_rows_of_an_indicator_without_rows_are_deleted(warehouse: Warehouse) -> None:
    gated(warehouse)
    store(warehouse, VISITS, NO_ROWS, "no rows")
    assert gated(warehouse) == [VISITS.id]
    assert list(published_values(warehouse)) == [POLYPHARMACY.id]
    assert [name for name, _ in warehouse.header(f"select * from {TABLE}")] == COLUMNS


def test_kept_rows_are_audited_and_a_refusal_changes_nothing(warehouse: Warehouse) -> None:
    gated(warehouse)
    warehouse.run(f"update {TABLE} set status = 'suppressed' where indicator_id = ?", [POLYPHARMACY.id])
    store(warehouse, VISITS, rows(value=22.0)[list(ROW_TYPES)], "second")
    with pytest.raises(DisclosureError, match="1 withheld rows still show a number"):
        gated(warehouse)
    assert published_values(warehouse)[VISITS.id] == 20.0


def test_all_rows_of_a_large_publication_are_in_the_table(tmp_path: Path) -> None:
    """DuckDB 1.5.6 does not see a large frame (over a row group) inserted into a table of the same transaction."""
    count = 130_000
    many = rows().loc[[0] * count].assign(region_code=[f"GM{i:06d}" for i in range(count)])[list(ROW_TYPES)]
    with open_warehouse(tmp_path / "warehouse.duckdb") as opened:
        fingerprints(opened)
        store(opened, VISITS, many)
        gated(opened, [VISITS])
        assert opened.value(f"select count(*) from {TABLE}") == count
