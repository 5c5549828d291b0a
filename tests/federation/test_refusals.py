"""Are faulty exports and contributions refused, and is nothing of a refused import accepted?"""

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
from triple_aim.federation import contribution_checks
from triple_aim.federation import export as export_module
from triple_aim.federation.export import export_cubes
from triple_aim.federation.import_ import import_cubes, stage_contributions
from triple_aim.files import parquet_bytes, sha256
from triple_aim.warehouse.connection import open_warehouse

Manifest = dict[str, Any]


@pytest.fixture
def hub(tmp_path: Path) -> Programme:
    """An installation without deliveries of its own."""
    return programme_of(create_installation(tmp_path / "hub"))


@pytest.fixture
def south(contributions: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a contribution that a test may damage."""
    return Path(shutil.copytree(contributions["south"], tmp_path / "south"))


def edit_manifest(folder: Path, change: Callable[[Manifest], None]) -> None:
    """Change a manifest and keep it valid JSON."""
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def edit_cube(folder: Path, cube: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change the cells of a cube, and its hash and number of rows in the manifest."""
    path = folder / f"{cube}.parquet"
    table = change(pq.read_table(path))
    path.write_bytes(parquet_bytes(table))
    facts = {"sha256": sha256(path.read_bytes()), "rows": table.num_rows}
    edit_manifest(folder, lambda m: m["cubes"][cube].update(facts))


def with_column(table: pa.Table, name: str, change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, name, change(table[name]).cast(table.schema.field(name).type))


def set_all(column: pa.ChunkedArray, value: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([value] * len(column), column.type)])


def empty_line(manifest: Manifest, **other: object) -> Manifest:
    """A ledger line that changes no total."""
    return {**manifest["ledger"][0], "stage": "set_aside", "row_count": 0, "amount_eur": "0.00", **other}


def relabel(cube: str, name: str, old: str, new: str) -> Callable[[Path], None]:
    """A function that replaces a label in a column of a cube."""
    return lambda folder: edit_cube(
        folder, cube, lambda t: with_column(t, name, lambda column: pc.if_else(pc.equal(column, old), new, column))
    )


def recompress(path: Path) -> None:
    """Write the same rows in other bytes."""
    pq.write_table(pq.read_table(path), path, compression="none")
    changed = sha256(path.read_bytes())
    edit_manifest(path.parent, lambda m: m["cubes"][path.stem].update(sha256=changed))


def counted_persons(folder: Path) -> pd.Series[int]:
    """The number of insured persons of a contribution in each municipality."""
    cells = pq.read_table(folder / "claims.parquet").to_pandas()
    return cells[cells["exclusion"] == "none"].groupby("municipality_code")["insured_person_count"].sum()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(
            lambda f: (f / "claims.parquet").write_bytes((f / "mortality.parquet").read_bytes()),
            "claims changed after the export",
            id="a file that differs from the export",
        ),
        pytest.param(lambda f: (f / "claims.parquet").unlink(), "cannot be read", id="a missing file"),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["cubes"]["claims"].update(fingerprint="0" * 64)),
            "other contracts, SQL or code lists",
            id="sums by other content",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m.update(contributor="../north")),
            r"cannot read the manifest \(contributor\)",
            id="a name that is a path",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m.update(format=2)), r"manifest \(format\)", id="a later format"
        ),
        pytest.param(
            lambda f: edit_cube(f, "claims", lambda t: with_column(t, "truncated_cost_eur", lambda c: set_all(c, 1))),
            "do not add up over parties",
            id="a column that ranks all persons",
        ),
        pytest.param(
            lambda f: edit_cube(f, "claims", lambda t: with_column(t, "emergency_visit_count", pc.negate)),
            "negative count",
            id="a negative count",
        ),
        pytest.param(
            lambda f: edit_cube(f, "claims", lambda t: with_column(t, "bed_day_count", lambda c: set_all(c, 1))),
            "excluded rows have more than numbers",
            id="an exclusion with more than its rows and euros",
        ),
        pytest.param(
            lambda f: edit_cube(f, "claims_care_kinds", lambda t: t.slice(1)),
            "claims_care_kinds do not add up to claims in 1 cells",
            id="a missing part",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["cubes"].pop("claims_care_kinds")),
            "claims_care_kinds do not add up to claims",
            id="a cube without its parts",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["cubes"].pop("claims")),
            "do not add up to claims",
            id="parts without their cube",
        ),
        pytest.param(
            relabel("claims_care_kinds", "care_kind", "dental", "dentistry"),
            "have a label in care_kind that is unknown here",
            id="an unknown kind of care",
        ),
        pytest.param(
            lambda f: edit_cube(
                f, "mortality", lambda t: with_column(t, "resident_count", lambda c: pc.multiply(c, 0))
            ),
            "places have fewer than 10 persons",
            id="places with few persons",
        ),
        pytest.param(lambda f: edit_cube(f, "mortality", lambda t: t.slice(1)), "does not close", id="a missing cell"),
        pytest.param(
            lambda f: edit_cube(f, "claims", lambda t: pa.concat_tables([t, t.slice(0, 1)])),
            "repeat a cell",
            id="a repeated cell",
        ),
        pytest.param(
            lambda f: edit_cube(f, "claims", lambda t: t.drop_columns(["bed_day_count"])),
            "columns differ from those",
            id="a missing column",
        ),
        pytest.param(
            lambda f: edit_cube(f, "claims", lambda t: t.set_column(0, "period", t["period"].cast(pa.string()))),
            "period has the wrong type",
            id="a column of another type",
        ),
        pytest.param(
            lambda f: edit_cube(f, "claims", lambda t: with_column(t, "period", lambda c: set_all(c, 2020))),
            "periods differ from those",
            id="another period",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["ledger"][0].update(row_count=1)),
            "does not close",
            id="a ledger that does not close",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["ledger"][0].update(supplier="A. Person")),
            r"manifest \(ledger\)",
            id="free text as a supplier",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["ledger"].append(empty_line(m, reason="a_person"))),
            "or to the contracts here",
            id="a reason that is not a rule",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["ledger"].append(empty_line(m, period=YEAR - 1))),
            "does not belong to its cubes",
            id="a line for a year that is not contributed",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["ledger"].append(m["ledger"][0])),
            "repeats a line",
            id="a repeated line",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["ledger"][0].update(row_count=10**30)),
            r"manifest \(ledger\)",
            id="an impossible number of rows",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m["cubes"]["claims"].update(periods=[10**9])),
            r"manifest \(cubes\)",
            id="an impossible year",
        ),
        pytest.param(
            lambda f: edit_cube(f, "claims", lambda t: with_column(t, "bed_day_count", lambda c: set_all(c, 10**15))),
            "a number that is too large",
            id="a number that would overflow a sum",
        ),
        pytest.param(
            relabel("claims", "exclusion", "reversed_pair", "a_person"),
            "have a label in exclusion that is unknown here",
            id="an unknown exclusion",
        ),
        pytest.param(
            relabel("claims", "age_band", "00-04", "00-99"),
            "have a label in age_band that is unknown here",
            id="an unknown age band",
        ),
        pytest.param(
            relabel("claims", "municipality_code", "GM0748", "GMXXXX"),
            "have a label in municipality_code that is unknown here",
            id="an unknown place",
        ),
        pytest.param(
            lambda f: edit_cube(
                f, "claims", lambda t: with_column(t, "insured_person_count", lambda c: set_all(c, None))
            ),
            "places have fewer than 10 persons",
            id="places without a number of persons",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m.update(cubes={"claims_run_off": m["cubes"]["claims_run_off"]})),
            "counts no persons, and the contribution has none of claims",
            id="a cube without persons, alone",
        ),
        pytest.param(
            relabel("claims_run_off", "municipality_code", "GM0748", "GM0664"),
            "1 places are in no cube that counts their persons",
            id="a place whose persons are not counted",
        ),
        pytest.param(
            lambda f: edit_manifest(f, lambda m: m.update(deliveries={})),
            "does not name every delivery",
            id="sums without a delivery",
        ),
    ],
)
def test_a_faulty_contribution_is_refused_and_nothing_is_accepted(
    hub: Programme, contributions: dict[str, Path], south: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(south)
    with pytest.raises(DeliveryError, match=message):
        import_cubes(hub, [contributions["north"], south])
    assert current_contributions(hub.project.landing) == []
    assert [path.name for path in (hub.project.landing / "contributions").iterdir()] == []


def test_two_parties_cannot_contribute_the_same(hub: Programme, contributions: dict[str, Path], south: Path) -> None:
    import_cubes(hub, [contributions["south"]])
    edit_manifest(south, lambda m: m.update(contributor="east"))
    with pytest.raises(DeliveryError, match=r"the same delivery of \w+ of \d+ counts twice"):
        import_cubes(hub, [south])
    edit_manifest(south, lambda m: m.update(deliveries=dict.fromkeys(m["deliveries"], "0" * 64)))
    with pytest.raises(DeliveryError, match=r"the same sums of \w+ count twice"):
        import_cubes(hub, [south])
    for path in south.glob("*.parquet"):
        recompress(path)
    with pytest.raises(DeliveryError, match="two parties deliver the same 3 places"):
        import_cubes(hub, [south])
    with pytest.raises(DeliveryError, match="south contributes twice"):
        import_cubes(hub, [contributions["south"], contributions["south"]])


def test_only_the_newest_contribution_counts_and_it_is_accepted_once(
    hub: Programme, federation: Federation, contributions: dict[str, Path], tmp_path: Path
) -> None:
    assert import_cubes(hub, [contributions["north"]]) == ["north"]
    assert import_cubes(hub, [contributions["north"]]) == []
    export_cubes(programme_of(federation["north"]), tmp_path / "fewer", "north", ["claims"])
    assert import_cubes(hub, [tmp_path / "fewer"]) == ["north"]
    (accepted,) = current_contributions(hub.project.landing)
    assert set(accepted.manifest.cubes) == {"claims", *(query.name for query in hub.parts_of("claims"))}
    assert delivered_periods(hub.project, []) == [YEAR]


def test_accepted_contributions_are_checked_again_at_each_run(
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
        edit_manifest(south, lambda m: m["cubes"]["survey"].update(fingerprint="0" * 64))
        with copied_contribution(hub.project.landing, south) as copy:
            accept_contributions(hub.project.landing, [copy])
        with pytest.raises(DeliveryError, match="survey was made with other contracts"):
            stage_contributions(warehouse, hub)


def test_a_place_with_few_persons_is_exported_as_rows_and_euros_only(
    hub: Programme,
    federation: Federation,
    contributions: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    persons = counted_persons(contributions["north"])
    least = int(persons.min()) + 1
    for module in (export_module, contribution_checks):  # withholds the smallest place and, with it, the next
        monkeypatch.setattr(module, "minimum_persons", lambda *_: least)
    exported = export_cubes(
        programme_of(federation["north"]), tmp_path / "north", "north", ["claims", "claims_run_off"]
    )
    assert exported.places_below_minimum == 8  # two of each cube, claims with its parts
    kept = counted_persons(tmp_path / "north")
    assert set(kept.index) == set(persons.sort_values().index[2:])
    cells = {name: pq.read_table(tmp_path / "north" / f"{name}.parquet").to_pandas() for name in exported.cubes}
    claims = cells["claims"]
    for others in (cells["claims_run_off"], cells["claims_care_kinds"]):
        assert set(others.loc[others["exclusion"] == "none", "municipality_code"]) == set(kept.index)
    (few,) = claims[claims["exclusion"] == "below_minimum"].to_dict("records")
    filled = {name for name, value in few.items() if value == value and value is not None}
    assert filled - {"period", "municipality_code", "sex", "age_band", "exclusion"} == {
        "insured_span_count",
        "claim_line_count",
        "amount_eur",
    }
    assert import_cubes(hub, [tmp_path / "north"]) == ["north"]


def test_places_of_a_cube_without_persons_are_checked_in_every_cube_that_counts_them(
    federation: Federation, contributions: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = counted_persons(contributions["north"])
    monkeypatch.setattr(  # claims is not exported, but it counts too few persons in the smallest place
        export_module, "minimum_persons", lambda _, query: int(persons.min()) + 1 if query.name == "claims" else 1
    )
    export_cubes(programme_of(federation["north"]), tmp_path / "north", "north", ["claims_run_off", "claims_equity"])
    places = set(pq.read_table(tmp_path / "north" / "claims_run_off.parquet")["municipality_code"].to_pylist())
    assert persons.idxmin() not in places and persons.idxmax() in places


def test_a_disk_error_leaves_no_partial_import(
    hub: Programme, contributions: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = hub.project.landing / "contributions"
    (base / ".arriving-of-a-killed-import").mkdir(parents=True)
    move, moved = os.replace, []

    def replace_until_full(old: Path, new: Path) -> None:
        moved.append(new)
        if len(moved) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        move(old, new)

    with monkeypatch.context() as patch, pytest.raises(ProjectError, match="No space left"):
        patch.setattr(os, "replace", replace_until_full)
        import_cubes(hub, list(contributions.values()))
    assert len(moved) == 3  # the last call undoes the first
    assert (
        current_contributions(hub.project.landing) == []
        and not list(base.rglob(MANIFEST))
        and not list(base.glob(".*"))
    )
    assert import_cubes(hub, list(contributions.values())) == list(contributions)


def test_a_folder_named_like_a_partition_adds_no_column(contributions: dict[str, Path], tmp_path: Path) -> None:
    hub = programme_of(create_installation(tmp_path / "zone=nl"))
    assert import_cubes(hub, [contributions["north"]]) == ["north"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        pytest.param({"contributor": ""}, ProjectError, "name of the contributor", id="no name"),
        pytest.param({"names": ["dentists"]}, ProjectError, "there is no cube dentists", id="an unknown cube"),
        pytest.param({"names": ["claims_run_off"]}, ProjectError, "counts no persons", id="a cube without persons"),
        pytest.param({"periods": [1999]}, TripleAimError, "no cube has a row", id="an unknown year"),
        pytest.param({"to": "."}, ProjectError, "the folder already exists", id="an existing folder"),
    ],
)
def test_a_refused_export_says_why(
    federation: Federation, tmp_path: Path, given: dict[str, Any], error: type[TripleAimError], message: str
) -> None:
    wanted = {"contributor": "north", "to": "new", **given}
    with pytest.raises(error, match=message):
        export_cubes(programme_of(federation["north"]), **{**wanted, "to": tmp_path / wanted["to"]})
    assert not (tmp_path / "new").exists()


def test_a_period_below_the_minimum_is_not_exported(
    federation: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "minimum_persons", lambda *_: 10**9)
    with pytest.raises(DisclosureError, match="fewer than 1000000000 persons in all places"):
        export_cubes(programme_of(federation["north"]), tmp_path / "new", "north")


def test_cubes_of_an_earlier_delivery_are_not_exported(federation: Federation, tmp_path: Path) -> None:
    late = Path(shutil.copytree(federation["north"].folder, tmp_path / "late", symlinks=True))
    (late / "deliveries" / "mortality" / f"mortality_{YEAR}.csv.gz").touch()
    with pytest.raises(ProjectError, match="not those of a release"):
        export_cubes(programme_of(create_installation(late)), tmp_path / "new", "north")
