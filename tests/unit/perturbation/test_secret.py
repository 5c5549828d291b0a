"""Is the secret made once, kept private, and refused when it is not?"""

from __future__ import annotations

from pathlib import Path

import pytest

from triple_aim.errors import ProjectError
from triple_aim.perturbation import SAMPLES_SECRET, fingerprint, make_secret, read_or_make_secret, read_secret

SAMPLES = Path(__file__).resolve().parents[3] / "data_samples" / "perturbation.key"


def test_a_new_secret_is_random_private_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "work" / "perturbation.key"
    secret = make_secret(path)
    assert read_secret(path) == secret and len(secret) == 16
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert make_secret(tmp_path / "other.key") != secret


def test_an_existing_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "perturbation.key"
    path.write_text("")
    with pytest.raises(ProjectError, match="exists"):
        make_secret(path)
    assert path.read_text() == ""


def test_the_first_run_makes_the_secret_and_later_runs_read_it(tmp_path: Path) -> None:
    path = tmp_path / "perturbation.key"
    secret = read_or_make_secret(path, is_published=False)
    assert read_or_make_secret(path, is_published=True) == secret
    path.unlink()
    with pytest.raises(ProjectError, match="backup"):
        read_or_make_secret(path, is_published=True)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_secret_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "perturbation.key"
    make_secret(path)
    path.chmod(mode)
    with pytest.raises(ProjectError, match="chmod 600") as caught:
        read_secret(path)
    assert caught.value.exit_code == 12 and path.read_text().strip() not in str(caught.value)


@pytest.mark.parametrize("text", ["", "ab" * 15, "ab" * 17, "xy" * 16, "0x" + "ab" * 15, "é" * 16])
def test_another_content_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "perturbation.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ProjectError, match="32 hexadecimal") as caught:
        read_secret(path)
    assert not text or text not in str(caught.value)


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"absent\.key"):
        read_secret(tmp_path / "absent.key")
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="cannot be made"):
        make_secret(tmp_path / "file" / "perturbation.key")


def test_the_secret_of_the_samples_may_be_read_by_all(tmp_path: Path) -> None:
    path = tmp_path / "perturbation.key"
    path.write_bytes(SAMPLES.read_bytes())
    path.chmod(0o644)
    assert read_secret(path) == SAMPLES_SECRET


def test_equal_secrets_have_equal_fingerprints() -> None:
    assert fingerprint(bytes(16)) == fingerprint(bytes(16)) != fingerprint(bytes(15) + b"\1")
    assert len(fingerprint(bytes(16))) == 8
