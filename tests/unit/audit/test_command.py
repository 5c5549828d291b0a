"""Does ``triple-aim audit`` end with the right code, and name cells without their numbers?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.unit.audit.releases import Monitor, row, rules
from triple_aim.cli import main

#: Municipalities of the real classification, which the command reads: two of public health region GG5006.
HERE, THERE = "GM0664", "GM0687"


def printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["triple-aim", "audit", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    output = capsys.readouterr()
    return int(ended.value.code or 0), output.out, output.err


def publish(folder: Path, mode: str) -> str:
    monitor = Monitor(folder)
    rows = [row(HERE, 4321.0, value=432.1), row(THERE, None), row("GG5006", 4327.0, value=432.7)]
    return str(monitor.publish(rows, rules(mode)))


def test_an_open_door_ends_with_14_and_names_the_cell_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = printed(capsys, monkeypatch, publish(tmp_path, "suppress"))
    assert code == 14
    assert "one_release" in out and THERE in out
    assert f"use municipality/{THERE}/2022" in " ".join(err.split())
    assert not {"4321", "4,321", "4327", "6.0"} & set((out + err).replace("│", " ").split())


def test_closed_doors_end_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = printed(capsys, monkeypatch, publish(tmp_path, "cell_key"))
    assert (code, err) == (0, "")
    assert out.count("closed") == 9


def test_json_lists_every_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = printed(capsys, monkeypatch, publish(tmp_path, "suppress"), "--json")
    report = json.loads(out)
    assert (code, report["is_safe"], report["doors"]["one_release"]) == (14, False, 1)
    assert report["findings"][0]["region_code"] == THERE


def test_a_folder_that_is_no_release_ends_with_12(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = printed(capsys, monkeypatch, str(tmp_path))
    assert code == 12 and "not a release" in err


def test_own_regions_are_given_once_or_once_per_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    release = publish(tmp_path, "cell_key")
    own = ["--own-regions", str(tmp_path)] * 2
    code, _, err = printed(capsys, monkeypatch, release, release, release, *own)
    assert code == 12 and "one per release" in err
