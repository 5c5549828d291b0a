"""Is what does not fit refused at the border, on the way out and on the way in, and nothing taken of it?"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.federation.conftest import YEAR, Federation, programme_of
from tests.pipeline.installation import create_installation
from triple_aim.definitions.programme import Programme
from triple_aim.deliveries.contributions import (
    MANIFEST,
    accept_contributions,
    copied_contribution,
    current_contributions,
)
from triple_aim.deliveries.ingest import delivered_periods
from triple_aim.deliveries.staging import ensure_tables
from triple_aim.errors import DeliveryError, DisclosureError, ProjectError, TripleAimError
from triple_aim.federation import export as federation_module
from triple_aim.federation import import_ as admission
from triple_aim.federation.export import export_cubes
from triple_aim.federation.import_ import import_cubes, stage_contributions
from triple_aim.files import parquet_bytes, sha256
from triple_aim.warehouse.connection import open_warehouse

Told = dict[str, Any]


@pytest.fixture
def hub(tmp_path: Path) -> Programme:
    """An installation that has nothing of its own."""
    return programme_of(create_installation(tmp_path / "hub"))


@pytest.fixture
def south(contributions: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a contribution, free to be spoilt."""
    return Path(shutil.copytree(contributions["south"], tmp_path / "south"))


def retell(folder: Path, change: Callable[[Told], None]) -> None:
    """Change a manifest as somebody would who knows its form."""
    told = json.loads((folder / MANIFEST).read_text())
    change(told)
    (folder / MANIFEST).write_text(json.dumps(told))


def rewrite(folder: Path, cube: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change the cells of a cube, hash and number of rows included."""
    path = folder / f"{cube}.parquet"
    table = change(pq.read_table(path))
    path.write_bytes(parquet_bytes(table))
    facts = {"sha256": sha256(path.read_bytes()), "rows": table.num_rows}
    retell(folder, lambda told: told["cubes"][cube].update(facts))


def with_column(table: pa.Table, name: str, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, name, change(table[name]).cast(table.schema.field(name).type))


def set_all(column: pa.ChunkedArray, value: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([value] * len(column), column.type)])


def a_line(told: Told, **other: object) -> Told:
    """A ledger line that changes no total."""
    return {**told["ledger"][0], "stage": "set_aside", "row_count": 0, "amount_eur": "0.00", **other}


def relabel(cube: str, name: str, old: str, new: str) -> Callable[[Path], None]:
    """Another label in a column of a cube."""
    return lambda folder: rewrite(
        folder, cube, lambda t: with_column(t, name, lambda column: pc.if_else(pc.equal(column, old), new, column))
    )


def another(path: Path) -> None:
    """The same rows in other bytes."""
    pq.write_table(pq.read_table(path), path, compression="none")
    content = sha256(path.read_bytes())
    retell(path.parent, lambda told: told["cubes"][path.stem].update(sha256=content))


def counted_persons(folder: Path) -> pd.Series[int]:
    """How many insured persons a contribution counts in each municipality."""
    cells = pq.read_table(folder / "claims.parquet").to_pandas()
    return cells[cells["exclusion"] == "none"].groupby("municipality_code")["insured_person_count"].sum()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(
            lambda f: (f / "claims.parquet").write_bytes((f / "mortality.parquet").read_bytes()),
            "claims changed after the export",
            id="a file that is another than was exported",
        ),
        pytest.param(lambda f: (f / "claims.parquet").unlink(), "cannot be read", id="a file that is not there"),
        pytest.param(
            lambda f: retell(f, lambda told: told["cubes"]["claims"].update(fingerprint="0" * 64)),
            "other contracts, SQL or code lists",
            id="sums by other content",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told.update(contributor="../north")),
            r"cannot read the manifest \(contributor\)",
            id="a name that is a path",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told.update(format=2)), r"knows \(format\)", id="a format of later"
        ),
        pytest.param(
            lambda f: rewrite(f, "claims", lambda t: with_column(t, "truncated_cost_eur", lambda c: set_all(c, 1))),
            "do not add up over parties",
            id="a column that ranks everyone",
        ),
        pytest.param(
            lambda f: rewrite(f, "claims", lambda t: with_column(t, "emergency_visit_count", pc.negate)),
            "negative count",
            id="a negative count",
        ),
        pytest.param(
            lambda f: rewrite(f, "claims", lambda t: with_column(t, "bed_day_count", lambda c: set_all(c, 1))),
            "excluded rows tell more",
            id="an exclusion with more than its rows and euros",
        ),
        pytest.param(
            lambda f: rewrite(f, "claims_care_kinds", lambda t: t.slice(1)),
            "claims_care_kinds do not add up to claims in 1 cells",
            id="a part that is gone",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["cubes"].pop("claims_care_kinds")),
            "claims_care_kinds do not add up to claims",
            id="a cube without its parts",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["cubes"].pop("claims")),
            "do not add up to claims",
            id="parts without their cube",
        ),
        pytest.param(
            relabel("claims_care_kinds", "care_kind", "dental", "dentistry"),
            "hold in care_kind what is none of ours",
            id="a kind of care that is none",
        ),
        pytest.param(
            lambda f: rewrite(
                f, "claims_care_kinds", lambda t: with_column(t, "largest_amount", lambda c: set_all(c, 0))
            ),
            "a second amount above the largest",
            id="a second amount above the largest",
        ),
        pytest.param(
            lambda f: rewrite(f, "mortality", lambda t: with_column(t, "resident_count", lambda c: pc.multiply(c, 0))),
            "fewer than 10 persons",
            id="places of a few persons",
        ),
        pytest.param(
            lambda f: rewrite(f, "mortality", lambda t: t.slice(1)), "does not close", id="a cell that is gone"
        ),
        pytest.param(
            lambda f: rewrite(f, "claims", lambda t: pa.concat_tables([t, t.slice(0, 1)])), "twice", id="a cell twice"
        ),
        pytest.param(
            lambda f: rewrite(f, "claims", lambda t: t.drop_columns(["bed_day_count"])),
            "columns are not those",
            id="a column that is gone",
        ),
        pytest.param(
            lambda f: rewrite(f, "claims", lambda t: t.set_column(0, "period", t["period"].cast(pa.string()))),
            "period is of another type",
            id="a column of another type",
        ),
        pytest.param(
            lambda f: rewrite(f, "claims", lambda t: with_column(t, "period", lambda c: set_all(c, 2020))),
            "other periods",
            id="another period",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["ledger"][0].update(row_count=1)),
            "does not close",
            id="an open ledger",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["ledger"][0].update(supplier="A. Person")),
            r"knows \(ledger\)",
            id="free text for a supplier",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["ledger"].append(a_line(told, reason="a_person"))),
            "our contracts",
            id="a reason that is no rule",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["ledger"].append(a_line(told, period=YEAR - 1))),
            "not of its cubes",
            id="a line of a year that is not contributed",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["ledger"].append(told["ledger"][0])),
            "a line twice",
            id="a line twice",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["ledger"][0].update(row_count=10**30)),
            r"knows \(ledger\)",
            id="more rows than there are",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told["cubes"]["claims"].update(periods=[10**9])),
            r"knows \(cubes\)",
            id="a year of no calendar",
        ),
        pytest.param(
            lambda f: rewrite(f, "claims", lambda t: with_column(t, "bed_day_count", lambda c: set_all(c, 10**15))),
            "beyond what can be",
            id="a number that would overflow a sum",
        ),
        pytest.param(
            relabel("claims", "exclusion", "reversed_pair", "a_person"),
            "hold in exclusion what is none of ours",
            id="an exclusion that is none",
        ),
        pytest.param(
            relabel("claims", "age_band", "00-04", "00-99"),
            "hold in age_band what is none of ours",
            id="an age that is none",
        ),
        pytest.param(
            relabel("claims", "municipality_code", "GM0748", "GMXXXX"),
            "hold in municipality_code what is none of ours",
            id="a place that is none",
        ),
        pytest.param(
            lambda f: rewrite(
                f, "claims", lambda t: with_column(t, "insured_person_count", lambda c: set_all(c, None))
            ),
            "fewer than 10 persons",
            id="places of unknown persons",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told.update(cubes={"claims_run_off": told["cubes"]["claims_run_off"]})),
            "counts no persons, and none of claims",
            id="a cube without persons, alone",
        ),
        pytest.param(
            relabel("claims_run_off", "municipality_code", "GM0748", "GM0664"),
            "1 places are in no cube that counts their persons",
            id="a place that nobody counted",
        ),
        pytest.param(
            lambda f: retell(f, lambda told: told.update(deliveries={})),
            "does not name every delivery",
            id="sums of no delivery",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_taken(
    hub: Programme, contributions: dict[str, Path], south: Path, spoil: Callable[[Path], object], told: str
) -> None:
    spoil(south)
    with pytest.raises(DeliveryError, match=told):
        import_cubes(hub, [contributions["north"], south])
    assert current_contributions(hub.project.landing) == []
    assert [path.name for path in (hub.project.landing / "contributions").iterdir()] == []


def test_two_parties_cannot_deliver_the_same(hub: Programme, contributions: dict[str, Path], south: Path) -> None:
    import_cubes(hub, [contributions["south"]])
    retell(south, lambda told: told.update(contributor="east"))
    with pytest.raises(DeliveryError, match=r"the same delivery of \w+ of \d+ counts twice"):
        import_cubes(hub, [south])
    retell(south, lambda told: told.update(deliveries=dict.fromkeys(told["deliveries"], "0" * 64)))
    with pytest.raises(DeliveryError, match=r"the same sums of \w+ count twice"):
        import_cubes(hub, [south])
    for path in south.glob("*.parquet"):
        another(path)
    with pytest.raises(DeliveryError, match="two parties deliver the same 3 places"):
        import_cubes(hub, [south])
    with pytest.raises(DeliveryError, match="south contributes twice"):
        import_cubes(hub, [contributions["south"], contributions["south"]])


def test_the_newest_of_a_party_counts_and_what_counts_is_not_taken_again(
    hub: Programme, federation: Federation, contributions: dict[str, Path], tmp_path: Path
) -> None:
    assert import_cubes(hub, [contributions["north"]]) == ["north"]
    assert import_cubes(hub, [contributions["north"]]) == []
    export_cubes(programme_of(federation["north"]), tmp_path / "fewer", "north", ["claims"])
    assert import_cubes(hub, [tmp_path / "fewer"]) == ["north"]
    (there,) = current_contributions(hub.project.landing)
    assert set(there.manifest.cubes) == {"claims"}
    assert delivered_periods(hub.project, []) == [YEAR]


def test_what_was_accepted_is_held_to_content_and_deliveries_at_each_run(
    hub: Programme, contributions: dict[str, Path], south: Path
) -> None:
    import_cubes(hub, [contributions["south"]])
    with open_warehouse(None, reach=[hub.project.landing]) as warehouse:
        ensure_tables(warehouse)
        stage_contributions(warehouse, hub)
        assert warehouse.value("select count(*) from party.claims where contributor = 'south'") > 0
        slot, delivered = next(
            item
            for item in current_contributions(hub.project.landing)[0].manifest.deliveries.items()
            if item[0].startswith("claims/")
        )
        warehouse.run("insert into meta.staged values ('claims', ?, '', ?, '')", [int(slot.split("/")[1]), delivered])
        with pytest.raises(DeliveryError, match="this installation and south"):
            stage_contributions(warehouse, hub)
        warehouse.run("delete from meta.staged")
        retell(south, lambda told: told["cubes"]["survey"].update(fingerprint="0" * 64))
        with copied_contribution(hub.project.landing, south) as copy:
            accept_contributions(hub.project.landing, [copy])
        with pytest.raises(DeliveryError, match="survey was made with other contracts"):
            stage_contributions(warehouse, hub)


def test_a_place_of_few_persons_leaves_only_as_rows_and_euros(
    hub: Programme,
    federation: Federation,
    contributions: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    persons = counted_persons(contributions["north"])
    least = int(persons.min()) + 1
    for module in (federation_module, admission):  # the smallest place is too small, and takes the next along
        monkeypatch.setattr(module, "minimum_of", lambda *_: least)
    done = export_cubes(programme_of(federation["north"]), tmp_path / "north", "north", ["claims", "claims_run_off"])
    assert done.places_below_minimum == 8  # two of each cube, claims with its parts
    kept = counted_persons(tmp_path / "north")
    assert set(kept.index) == set(persons.sort_values().index[2:])
    cells = {name: pq.read_table(tmp_path / "north" / f"{name}.parquet").to_pandas() for name in done.cubes}
    claims = cells["claims"]
    for others in (cells["claims_run_off"], cells["claims_care_kinds"]):
        assert set(others.loc[others["exclusion"] == "none", "municipality_code"]) == set(kept.index)
    (few,) = claims[claims["exclusion"] == "below_minimum"].to_dict("records")
    told = {name for name, value in few.items() if value == value and value is not None}
    assert told - {"period", "municipality_code", "sex", "age_band", "exclusion"} == {
        "insured_span_count",
        "claim_line_count",
        "amount_eur",
    }
    assert import_cubes(hub, [tmp_path / "north"]) == ["north"]


def test_a_cube_without_persons_is_judged_by_all_that_count_them(
    federation: Federation, contributions: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = counted_persons(contributions["north"])
    monkeypatch.setattr(  # claims itself does not leave, but knows that the smallest place is too small
        federation_module, "minimum_of", lambda _, query: int(persons.min()) + 1 if query.name == "claims" else 1
    )
    export_cubes(programme_of(federation["north"]), tmp_path / "north", "north", ["claims_run_off", "claims_equity"])
    places = set(pq.read_table(tmp_path / "north" / "claims_run_off.parquet")["municipality_code"].to_pylist())
    assert persons.idxmin() not in places and persons.idxmax() in places


def test_a_disk_that_fails_leaves_nothing_half(
    hub: Programme, contributions: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = hub.project.landing / "contributions"
    (base / ".arriving-of-a-killed-import").mkdir(parents=True)
    move, moved = os.replace, []

    def full(old: Path, new: Path) -> None:
        moved.append(new)
        if len(moved) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        move(old, new)

    with monkeypatch.context() as patch, pytest.raises(ProjectError, match="No space left"):
        patch.setattr(os, "replace", full)
        import_cubes(hub, list(contributions.values()))
    assert len(moved) == 3  # the last takes the first back
    assert (
        current_contributions(hub.project.landing) == []
        and not list(base.rglob(MANIFEST))
        and not list(base.glob(".*"))
    )
    assert import_cubes(hub, list(contributions.values())) == list(contributions)


def test_a_folder_above_that_reads_like_a_column_adds_none(contributions: dict[str, Path], tmp_path: Path) -> None:
    hub = programme_of(create_installation(tmp_path / "zone=nl"))
    assert import_cubes(hub, [contributions["north"]]) == ["north"]


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        pytest.param({"contributor": ""}, ProjectError, "name of the contributor", id="no name"),
        pytest.param({"names": ["dentists"]}, ProjectError, "there is no cube dentists", id="no such cube"),
        pytest.param({"names": ["claims_run_off"]}, ProjectError, "counts no persons", id="a cube without persons"),
        pytest.param({"periods": [1999]}, TripleAimError, "no cube holds a row", id="no such year"),
        pytest.param({"to": "."}, ProjectError, "the folder is there already", id="a folder that is there"),
    ],
)
def test_what_cannot_leave_says_why(
    federation: Federation, tmp_path: Path, given: Told, kind: type[TripleAimError], told: str
) -> None:
    wanted = {"contributor": "north", "to": "new", **given}
    with pytest.raises(kind, match=told):
        export_cubes(programme_of(federation["north"]), **{**wanted, "to": tmp_path / wanted["to"]})
    assert not (tmp_path / "new").exists()


def test_fewer_persons_than_the_minimum_in_all_do_not_leave(
    federation: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation_module, "minimum_of", lambda *_: 10**9)
    with pytest.raises(DisclosureError, match="fewer than 1000000000 persons in all"):
        export_cubes(programme_of(federation["north"]), tmp_path / "new", "north")


def test_cubes_of_an_earlier_delivery_do_not_leave(federation: Federation, tmp_path: Path) -> None:
    late = Path(shutil.copytree(federation["north"].folder, tmp_path / "late", symlinks=True))
    (late / "deliveries" / "mortality" / f"mortality_{YEAR}.csv.gz").touch()
    with pytest.raises(ProjectError, match="not those of a release"):
        export_cubes(programme_of(create_installation(late)), tmp_path / "new", "north")
