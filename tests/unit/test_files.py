"""Are private files for their owner only, and files of a release for readers?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from triple_aim.files import close_to_others, open_to_readers, wider_than_owner
from triple_aim.warehouse.connection import open_warehouse


@pytest.fixture(autouse=True)
def _same_umask_afterwards() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_warehouse_in_a_folder_that_others_may_read_is_for_its_owner_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "work" / "warehouse.duckdb"
    path.parent.mkdir(mode=0o755)
    with open_warehouse(path) as warehouse:
        warehouse.run("create table stg.persons as select range as person from range(10)")
        assert [name.name for name in wider_than_owner(path.parent) if name != path.parent] == []
        assert (path.parent / "warehouse.duckdb.wal").exists()
    path.chmod(0o644)  # as earlier versions left it
    with open_warehouse(path):
        assert mode(path) == 0o600
    assert wider_than_owner(path.parent) == [path.parent]


def test_a_release_is_readable_after_private_files_were_written(tmp_path: Path) -> None:
    close_to_others()
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "a.parquet").write_bytes(b"")
    assert mode(tmp_path / "release" / "a.parquet") == 0o600
    open_to_readers(tmp_path / "release")
    assert mode(tmp_path / "release" / "a.parquet") & 0o400 and not wider_than_owner(tmp_path / "none")
