"""Does ``doctor`` say whether the secret of the noise is in order?"""

from __future__ import annotations

from pathlib import Path

import pytest

from triple_aim.cli import doctor
from triple_aim.perturbation import make_secret

SAMPLES = Path(__file__).resolve().parents[3] / "data_samples"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "monitor.toml"
    path.write_text('deliveries = "deliveries"\nwork = "work"\npublication = "publication"\n')
    (tmp_path / "deliveries").mkdir()
    return path


def finding(config: Path) -> doctor.Finding:
    return next(each for each in doctor.examine(config) if each.subject == "secret")


def test_before_the_first_run_there_is_no_secret(config: Path) -> None:
    assert finding(config) == doctor.Finding("secret", "not made yet", True)


def test_a_secret_is_shown_by_its_fingerprint(config: Path) -> None:
    path = config.parent / "work" / "perturbation.key"
    secret = make_secret(path)
    found = finding(config)
    assert found.is_ok and found.message.startswith(f"{path}, fingerprint ") and secret.hex() not in found.message


def test_a_secret_that_others_may_read_is_a_fault(config: Path) -> None:
    path = config.parent / "work" / "perturbation.key"
    make_secret(path)
    path.chmod(0o644)
    found = finding(config)
    assert not found.is_ok and "mode 0644" in found.message


def test_the_secret_of_the_samples_is_for_the_samples_only(config: Path) -> None:
    assert finding(SAMPLES / "monitor.toml").is_ok
    config.write_text(config.read_text() + f'perturbation_secret = "{SAMPLES / "perturbation.key"}"\n')
    found = finding(config)
    assert not found.is_ok and "everybody knows" in found.message


def test_a_lost_secret_is_a_fault_once_something_is_published(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "current_release", lambda folder: folder / "releases" / "r")
    found = finding(config)
    assert not found.is_ok and "backup" in found.message
