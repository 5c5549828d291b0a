"""Are settings found, and are invalid or unsafe ones refused with their file?"""

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


def test_paths_are_relative_to_the_settings_file(tmp_path: Path) -> None:
    project = load_project(config(tmp_path, GOOD + 'own_regions = "regions"\n'))
    assert project.deliveries == tmp_path / "deliveries" and project.own_regions == tmp_path / "regions"
    assert project.landing == tmp_path / "work" / "landing" and project.warehouse.parent == tmp_path / "work"
    assert (project.root / "contracts").is_dir()


def test_the_secret_is_in_work_unless_the_settings_name_another_file(tmp_path: Path) -> None:
    assert load_project(config(tmp_path, GOOD)).perturbation_secret == tmp_path / "work" / "perturbation.key"
    named = load_project(config(tmp_path, GOOD + 'perturbation_secret = "safe/one.key"\n'))
    assert named.perturbation_secret == tmp_path / "safe" / "one.key"


def test_the_warehouse_reaches_shared_storage_only_with_a_cluster(tmp_path: Path) -> None:
    text = GOOD + 'spark_remote = "sc://host:15002/;token=x"\nshared_storage = "shared"\n'
    without = load_project(config(tmp_path, text))
    assert without.shared_storage is None and without.reach == [without.landing, without.quarantine]
    with_cluster = load_project(config(tmp_path, text + 'engine = "spark"\n'))
    assert with_cluster.shared_storage == tmp_path / "shared"
    assert with_cluster.reach == [*without.reach, tmp_path / "shared"]


def test_the_environment_overrides_the_file_and_may_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPLE_AIM_CONFIG", str(config(tmp_path, GOOD)))
    monkeypatch.setenv("TRIPLE_AIM_THREADS", "7")
    assert load_project().settings.threads == 7 and load_project().config.parent == tmp_path


FAULTS = {
    "not TOML": ("deliveries = [", "not TOML"),
    "not text": ("\xff", "not TOML"),
    "an unknown key": (GOOD + "memory = 1\n", "memory"),
    "a missing key": (GOOD.replace("work", "wrk"), "work"),
    "memory without a unit": (GOOD + 'memory_limit = "4"\n', "memory_limit"),
    "memory that is SQL": (GOOD + "memory_limit = \"1GB'; attach 'x'\"\n", "memory_limit"),
    "no threads": (GOOD + "threads = 0\n", "threads"),
    "an unknown engine": (GOOD + 'engine = "hadoop"\n', "engine"),
    "a cluster without address and storage": (GOOD + 'engine = "spark"\n', "spark_remote and shared_storage"),
    "a cluster without storage": (GOOD + 'engine = "spark"\nspark_remote = "sc://host:15002"\n', "shared_storage"),
    "a malformed address": (GOOD + 'spark_remote = "host:15002"\n', "spark_remote"),
    "publication inside shared storage": (
        GOOD + 'engine = "spark"\nspark_remote = "sc://host:15002"\nshared_storage = "."\n',
        "only publication is open to readers",
    ),
    "publication around work": (GOOD.replace('"publication"', '"."'), "only publication is open to readers"),
    "publication inside deliveries": (
        GOOD.replace('"publication"', '"deliveries/out"'),
        "only publication is open to readers",
    ),
    "the secret inside publication": (
        GOOD + 'perturbation_secret = "publication/one.key"\n',
        "readers may not see the secret",
    ),
    "publication is work": (GOOD.replace('"publication"', '"./x/../work"'), "only publication is open to readers"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_invalid_settings_are_refused(tmp_path: Path, fault: str) -> None:
    text, message = FAULTS[fault]
    path = tmp_path / "monitor.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ProjectError, match=r"monitor\.toml") as caught:
        load_project(path)
    assert message in str(caught.value) and caught.value.exit_code == 12


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"absent\.toml"):
        load_project(tmp_path / "absent.toml")


def test_the_root_is_the_nearest_folder_with_the_content(tmp_path: Path) -> None:
    for name in CONTENT_FOLDERS:
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_root(tmp_path / "a" / "b") == tmp_path


def test_the_content_hash_depends_only_on_settings_that_change_numbers(tmp_path: Path) -> None:
    one = load_project(config(tmp_path, GOOD)).content_hash
    assert load_project(config(tmp_path, GOOD + "threads = 3\n")).content_hash == one
    assert load_project(config(tmp_path, GOOD + "division_year = 2023\n")).content_hash != one
