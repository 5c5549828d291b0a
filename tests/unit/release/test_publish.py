"""Do readers find one complete release, old or new, whatever happens while another is written?"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import triple_aim.release.publish as publish_module
from tests.forks import forks_of
from triple_aim.definitions.contracts import Publication
from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.files import parquet_bytes, replace_file
from triple_aim.release.publish import WriteResult, delete_old_releases, release_id, write_release
from triple_aim.release.reader import open_marts
from triple_aim.release.store import current_release, history, verify
from triple_aim.warehouse.connection import EngineError

OLD, NEW = "0" * 16, "f" * 16

IMPORTS = "import pyarrow, triple_aim.release.publish"
KILLED = """
import os, signal
from pathlib import Path
import pyarrow as pa
from triple_aim.release.publish import write_release

left = {step}
def dying(real):
    def call(*arguments):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    return call
os.fsync, os.replace = dying(os.fsync), dying(os.replace)
marts = {{"indicator_values": pa.table({{"value": [2.0]}})}}
write_release(Path({folder!r}), "f" * 16, marts, {{"checks.html": b"new"}}, {{}})
"""


def table(value: float = 1.0) -> pa.Table:
    return pa.table({"value": [value]})


def write(folder: Path, release: str, value: float = 1.0) -> WriteResult:
    return write_release(folder, release, {"indicator_values": table(value)}, {"checks.html": b"<p>"}, {"git": "abc"})


def content_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_the_same_inputs_and_content_have_one_name() -> None:
    name = release_id("content", {"claims/2023/a": "1", "claims/2022/a": "2"}, "secret")
    assert name == release_id("content", {"claims/2022/a": "2", "claims/2023/a": "1"}, "secret")
    others = [
        ("other", {}, "secret"),
        ("content", {}, "secret"),
        ("content", {"a": "1"}, "secret"),
        ("content", {}, "new"),
    ]
    assert len({name, *(release_id(*other) for other in others)}) == 5
    assert len(name) == 16


def test_a_release_is_complete_and_current(tmp_path: Path) -> None:
    published = write(tmp_path, NEW)
    manifest = json.loads((published.path / "manifest.json").read_text())
    assert published.is_new
    assert current_release(tmp_path) == published.path
    assert verify(published.path) == []
    assert os.readlink(tmp_path / "current") == f"releases/{NEW}"
    assert manifest["files"]["indicator_values.parquet"]["rows"] == 1
    assert manifest["facts"] == {"git": "abc"}


def test_publishing_it_again_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path, NEW)
    before = content_of(tmp_path)
    assert not write(tmp_path, NEW).is_new
    assert content_of(tmp_path) == before


def test_other_numbers_under_the_same_id_are_logged_and_not_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, NEW, 1.0)
    before = content_of(tmp_path)
    write(tmp_path, NEW, 2.0)
    assert content_of(tmp_path) == before
    assert "other bytes for indicator_values.parquet" in caplog.text


def test_a_kill_at_any_step_leaves_a_complete_release(tmp_path: Path) -> None:
    old = write(tmp_path, OLD).path
    seen = set()
    with forks_of(IMPORTS) as forks:
        for step in range(1, 50):
            exit_code, printed = forks.run(KILLED.format(step=step, folder=str(tmp_path)))
            current = current_release(tmp_path)
            assert current is not None and current.name in (OLD, NEW)
            assert verify(current) == []
            seen.add(current.name)
            if exit_code == 0:
                break
            assert exit_code == -signal.SIGKILL, printed
            if current.name == NEW:  # start again from the old one
                write(tmp_path, OLD)
                shutil.rmtree(current)
    assert exit_code == 0
    assert step > 6
    assert seen == {OLD, NEW}
    assert verify(old) == []
    assert {path.name for path in (tmp_path / "releases").iterdir()} == {OLD, NEW, ".lock"}
    assert {path.name for path in tmp_path.iterdir()} == {"current", "releases"}


def test_after_a_kill_before_the_link_only_the_link_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, OLD)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(publish_module, "_make_current", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        write(tmp_path, NEW)
    assert current_release(tmp_path) == tmp_path / "releases" / OLD
    before = content_of(tmp_path / "releases")
    assert write(tmp_path, NEW).is_new
    assert content_of(tmp_path / "releases") == before
    assert current_release(tmp_path) == tmp_path / "releases" / NEW


def test_a_full_disk_is_a_project_error_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write(tmp_path, OLD)
    before = content_of(tmp_path)
    monkeypatch.setattr(publish_module, "write_synced", full)
    with pytest.raises(ProjectError, match="No space left"):
        write(tmp_path, NEW)
    assert content_of(tmp_path) == before


def test_a_second_publisher_is_refused(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    with (tmp_path / "releases" / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ProjectError, match="another run") as refused:
            write(tmp_path, NEW)
    assert refused.value.exit_code == 12
    assert write(tmp_path, NEW).is_new


def test_readers_always_find_a_complete_release(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    done, problems, reads = threading.Event(), [], []

    def read() -> None:
        while not done.is_set():
            release = current_release(tmp_path)
            reads.append(release)
            problems.extend(verify(release) if release else ["no release"])

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(20):
        write(tmp_path, f"{number:016x}", number)
    done.set()
    reader.join()
    assert problems == []
    assert reads


@pytest.mark.parametrize("target", ["", "releases/1111111111111111", "/etc", "../elsewhere", "releases/../releases"])
def test_a_broken_link_falls_back_to_the_newest_undamaged_release(
    tmp_path: Path, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, OLD)
    newest = write(tmp_path, NEW).path
    (tmp_path / "current").unlink()
    if target:
        (tmp_path / "current").symlink_to(target)
    else:
        (tmp_path / "current").touch()
    assert current_release(tmp_path) == newest
    assert "current is not usable" in caplog.text
    assert write(tmp_path, NEW).is_new
    assert os.readlink(tmp_path / "current") == f"releases/{NEW}"


def test_nothing_published_is_no_release(tmp_path: Path) -> None:
    assert current_release(tmp_path) is None
    assert history(tmp_path) == []


@pytest.mark.parametrize("damage", ["flip", "delete", "add", "manifest"])
def test_a_damaged_release_is_found_bypassed_and_repaired(tmp_path: Path, damage: str) -> None:
    write(tmp_path, OLD)
    release = write(tmp_path, NEW).path
    mart = release / "indicator_values.parquet"
    if damage == "flip":
        content = bytearray(mart.read_bytes())
        content[len(content) // 2] ^= 1
        mart.write_bytes(content)
    elif damage == "delete":
        mart.unlink()
    elif damage == "add":
        (release / "left.behind").touch()
    else:
        (release / "manifest.json").write_text("[]")
    assert len(verify(release)) == 1
    assert current_release(tmp_path) == tmp_path / "releases" / OLD
    assert write(tmp_path, NEW).is_new
    assert current_release(tmp_path) == release
    assert verify(release) == []


def test_old_releases_are_deleted_but_not_the_current_one(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, f"{number:016x}", number)
    write(tmp_path, f"{0:016x}", 0)  # the first one is current again
    assert delete_old_releases(tmp_path, keep=2) == [f"{number:016x}" for number in (2, 1)]
    assert [int(release.path.name) for release in history(tmp_path)] == [4, 3, 0]
    assert [release.is_current for release in history(tmp_path)] == [False, False, True]


def test_nothing_to_publish(tmp_path: Path) -> None:
    for marts in ({}, {"indicator_values": table().slice(0, 0)}):
        with pytest.raises(NothingToPublish):
            write_release(tmp_path, NEW, marts, {}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "a/b", "X", "", ".tmp-x", "manifest.json"])
def test_invalid_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectError):
        write_release(tmp_path, NEW, {"indicator_values": table()}, {name: b""}, {})
    with pytest.raises(ProjectError):
        write_release(tmp_path, name, {"indicator_values": table()}, {}, {})


def test_suites_of_expectations_have_a_folder_of_their_own(tmp_path: Path) -> None:
    suites = {"expectations/indicator_values.json": b"{}"}
    folder = write_release(tmp_path, NEW, {"indicator_values": table()}, suites, {}).path
    assert (folder / "expectations" / "indicator_values.json").read_bytes() == b"{}"
    assert verify(folder) == []
    (folder / "expectations" / "left.behind").touch()
    (folder / "strange").mkdir()
    assert verify(folder) == ["expectations/left.behind is not in the manifest", "strange is not in the manifest"]


def test_parquet_has_the_same_bytes_each_time_and_no_metadata(tmp_path: Path) -> None:
    whole = pa.table({"code": pa.array(["GM1", "CANARY", "GM2"]).dictionary_encode(), "n": [1.0, 2.0, None]})
    kept = whole.filter(pa.array([True, False, True])).replace_schema_metadata({"pandas": "CANARY"})
    content = parquet_bytes(kept)
    assert content == parquet_bytes(pa.concat_tables([kept.slice(0, 1), kept.slice(1)]))
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    file = pq.ParquetFile(path, read_dictionary=["code"])
    assert b"CANARY" not in content
    assert file.schema_arrow.metadata is None
    assert file.read().combine_chunks()["code"].chunk(0).dictionary.to_pylist() == ["GM1", "GM2"]
    assert pq.read_table(path).schema.field("code").type == pa.string()


def test_a_file_is_replaced_completely_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    replace_file(path, b"old")

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(ProjectError):
        replace_file(path, b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x.csv", b"old")]


def test_marts_are_documented_and_reach_no_file(release: Path, promise: Publication) -> None:
    with open_marts(release, promise) as marts:
        assert marts.value("select count(*) from indicator_values") > 0
        assert marts.value("select count(*) from mart.indicators") == 2
        comments = marts.rows(
            "select comment from duckdb_columns() where schema_name = 'mart' and column_name = 'region_code'"
        )
        assert ("Code of the region",) in comments
        for escape in (
            f"copy (select 1) to '{release}/indicator_values.parquet'",
            f"from read_parquet('{release}/indicator_values.parquet')",
            "from read_csv('/etc/passwd')",
            f"attach '{release}/x.db'",
            "set enable_external_access = true",
            "install httpfs",
        ):
            with pytest.raises(EngineError):
                marts.run(escape)
    assert verify(release) == []
