"""Are settings found, and refused with their file when they would not work or would let persons out?"""

from __future__ import annotations

from pathlib import Path

import pytest

from triple_aim.definitions.settings import CONTENT_FOLDERS, find_root, load_project
from triple_aim.errors import ProjectError

GOOD = 'deliveries = "deliveries"\nwork = "work"\npublication = "publication"\n'


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIPLE_AIM_CONFIG", raising=False)


def config(folder: Path, text: str) -> Path:
    path = folder / "monitor.toml"
    path.write_text(text)
    return path


def test_paths_are_taken_from_the_settings_files_own_folder(tmp_path: Path) -> None:
    project = load_project(config(tmp_path, GOOD + 'own_regions = "regions"\n'))
    assert project.deliveries == tmp_path / "deliveries" and project.own_regions == tmp_path / "regions"
    assert project.landing == tmp_path / "work" / "landing" and project.warehouse.parent == tmp_path / "work"
    assert (project.root / "contracts").is_dir()


def test_shared_storage_is_known_to_the_warehouse_when_a_cluster_uses_it(tmp_path: Path) -> None:
    text = GOOD + 'spark_remote = "sc://host:15002/;token=x"\nshared_storage = "shared"\n'
    here = load_project(config(tmp_path, text))
    assert here.shared_storage is None and here.reach == [here.landing, here.quarantine]
    there = load_project(config(tmp_path, text + 'engine = "spark"\n'))
    assert there.shared_storage == tmp_path / "shared" and there.reach == [*here.reach, tmp_path / "shared"]


def test_the_environment_wins_and_may_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPLE_AIM_CONFIG", str(config(tmp_path, GOOD)))
    monkeypatch.setenv("TRIPLE_AIM_THREADS", "7")
    assert load_project().settings.threads == 7 and load_project().config.parent == tmp_path


FAULTS = {
    "not TOML": ("deliveries = [", "not TOML"),
    "not text": ("\xff", "not TOML"),
    "a key that is not": (GOOD + "memory = 1\n", "memory"),
    "a key that lacks": (GOOD.replace("work", "wrk"), "work"),
    "memory without a unit": (GOOD + 'memory_limit = "4"\n', "memory_limit"),
    "memory that is SQL": (GOOD + "memory_limit = \"1GB'; attach 'x'\"\n", "memory_limit"),
    "no threads": (GOOD + "threads = 0\n", "threads"),
    "no such engine": (GOOD + 'engine = "hadoop"\n', "engine"),
    "a cluster of which nothing is said": (GOOD + 'engine = "spark"\n', "spark_remote and shared_storage"),
    "a cluster without storage": (GOOD + 'engine = "spark"\nspark_remote = "sc://host:15002"\n', "shared_storage"),
    "a cluster that is no address": (GOOD + 'spark_remote = "host:15002"\n', "spark_remote"),
    "publication inside shared storage": (
        GOOD + 'engine = "spark"\nspark_remote = "sc://host:15002"\nshared_storage = "."\n',
        "open to readers",
    ),
    "publication around work": (GOOD.replace('"publication"', '"."'), "open to readers"),
    "publication inside deliveries": (GOOD.replace('"publication"', '"deliveries/out"'), "open to readers"),
    "publication is work": (GOOD.replace('"publication"', '"./x/../work"'), "open to readers"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, fault: str) -> None:
    text, word = FAULTS[fault]
    path = tmp_path / "monitor.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ProjectError, match=r"monitor\.toml") as caught:
        load_project(path)
    assert word in str(caught.value) and caught.value.exit_code == 12


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"absent\.toml"):
        load_project(tmp_path / "absent.toml")


def test_the_root_is_the_nearest_folder_with_the_content(tmp_path: Path) -> None:
    for name in CONTENT_FOLDERS:
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_root(tmp_path / "a" / "b") == tmp_path


def test_the_content_hash_follows_content_and_settings_that_matter(tmp_path: Path) -> None:
    one = load_project(config(tmp_path, GOOD)).content_hash
    assert load_project(config(tmp_path, GOOD + "threads = 3\n")).content_hash == one
    assert load_project(config(tmp_path, GOOD + "division_year = 2023\n")).content_hash != one
