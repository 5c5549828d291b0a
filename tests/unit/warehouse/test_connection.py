"""Does the warehouse access only the folders it needs, whatever SQL it runs?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from triple_aim.errors import ProjectError
from triple_aim.warehouse.connection import EngineError, Warehouse, literal, masked_message, open_warehouse, quoted

ESCAPES = [
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from read_text('/etc/hostname')",
    "select * from glob('/etc/*')",
    "select * from read_parquet('{inside}/../secret.parquet')",
    "select * from read_csv('{inside}/link.csv')",
    "copy (select 1) to '{outside}/leak.csv'",
    "copy (select 1) to '{inside}/../leak.csv'",
    "export database '{outside}/all'",
    "attach '{outside}/other.duckdb'",
    "attach 'https://example.org/x.duckdb'",
    "select * from read_csv('https://example.org/x.csv')",
    "install httpfs",
    "install spatial from community",
    "load httpfs",
    "set enable_external_access = true",
    "set allowed_directories = ['/']",
    "set lock_configuration = false",
    "reset enable_external_access",
    "pragma enable_external_access = true",
    "set memory_limit = '1TB'",
    "set temp_directory = '{outside}'",
    "create secret s (type s3, key_id 'x', secret 'y')",
]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "secret.parquet")
    (inside / "link.csv").symlink_to(tmp_path / "secret.csv")
    with open_warehouse(tmp_path / "work" / "warehouse.duckdb", reach=[inside]) as warehouse:
        yield warehouse


@pytest.mark.parametrize("statement", ESCAPES)
def test_no_statement_can_access_more(warehouse: Warehouse, tmp_path: Path, statement: str) -> None:
    with pytest.raises(EngineError):
        warehouse.rows(statement.format(inside=tmp_path / "inside", outside=tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"inside", "work", "secret.csv", "secret.parquet"}


def test_it_reads_and_writes_in_allowed_folders(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "inside" / "it's.csv"
    warehouse.run(f"copy (select 1 as a, 2 as b) to {literal(str(file))}")
    assert warehouse.rows(f"select * from read_csv({literal(str(file))})") == [(1, 2)]


def test_a_second_run_gets_an_error_that_says_wait(warehouse: Warehouse, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from triple_aim.warehouse import open_warehouse\n"
        "from triple_aim.errors import ProjectError\n"
        "try:\n"
        "    with open_warehouse(Path(sys.argv[1])): print('open')\n"
        "except ProjectError as error: print(error, error.exit_code)\n"
    )
    file = tmp_path / "work" / "warehouse.duckdb"
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, cwd=Path(__file__).parents[3]
    )
    assert "another run is using the warehouse" in done.stdout and done.stdout.endswith("12\n"), done.stderr
    assert file.exists()  # a lock is not damage


def test_a_warehouse_that_cannot_be_opened_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").mkdir()
    with pytest.raises(ProjectError, match="cannot be opened"), open_warehouse(tmp_path / "warehouse.duckdb"):
        pass
    assert (tmp_path / "warehouse.duckdb").is_dir()


def test_a_transaction_is_all_or_nothing(warehouse: Warehouse) -> None:
    warehouse.create("stg.a", pd.DataFrame({"n": [1]}))
    with pytest.raises(KeyboardInterrupt), warehouse.transaction():
        warehouse.run("insert into stg.a values (2)")
        raise KeyboardInterrupt
    assert warehouse.rows("select n from stg.a") == [(1,)]


@pytest.mark.parametrize("name", ['a"; drop schema stg; --', "a'b", "é", " ", '"'])
def test_quotes_in_names_are_escaped(warehouse: Warehouse, name: str) -> None:
    warehouse.create(f"stg.{name}", pd.DataFrame({"n": [1]}))
    assert warehouse.exists(f"stg.{name}") and warehouse.value(f"select n from stg.{quoted(name)}") == 1
    assert warehouse.value(f"select {literal(name)}") == name


def test_quoted_text_in_a_message_is_masked(warehouse: Warehouse) -> None:
    with pytest.raises(EngineError) as caught:
        warehouse.rows("select cast('kanarie7391' as integer)")
    assert "kanarie" in str(caught.value) and "kanarie" not in masked_message(caught.value)


def test_a_long_query_writes_nothing_to_stdout(warehouse: Warehouse) -> None:
    assert not warehouse.value("select current_setting('enable_progress_bar')")


def test_the_next_run_deletes_the_spill_files_of_a_killed_run(tmp_path: Path) -> None:
    spilled = tmp_path / "work" / "spill" / "duckdb_temp_storage_DEFAULT-0.tmp"
    spilled.parent.mkdir(parents=True)
    spilled.write_bytes(b"rows of persons")
    with open_warehouse(tmp_path / "work" / "warehouse.duckdb"):
        assert not spilled.exists()
