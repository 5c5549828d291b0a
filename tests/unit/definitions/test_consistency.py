"""Is a spec that does not fit the rest of the content refused, with the line to correct?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.cells import ROOT
from triple_aim.definitions.code_lists import load_code_lists
from triple_aim.definitions.programme import load_programme
from triple_aim.definitions.settings import load_project
from triple_aim.definitions.spec_files import refuse_unwritten_texts
from triple_aim.errors import ContentError

FAULTS: dict[str, tuple[str, str, str, str]] = {
    "an unknown cube": ("cubes: [claims]", "cubes: [claimz]", "there is no cube claimz", "    cubes: [claimz]"),
    "an unknown column": (
        "insured_years",
        "insured_weeks_count",
        "no column insured_weeks_count",
        "    numerator:",
    ),
    "unknown segments": (
        "numerator: avoidable_admission_count",
        "numerator: bed_day_count",
        "no bed_day_count by condition",
        "    segments:",
    ),
    "an unknown part": (
        "denominator: insured_years",
        "denominator: amount_eur[care_kind=dentistry]",
        r"no column amount_eur\[care_kind=dentistry\]",
        "    numerator:",
    ),
    "an unknown dimension": ("where: {age_band", "where: {postcode", "no dimension postcode", "    where:"),
    "an unknown standard": ("standard: esp2013", "standard: esp1976", "no standard esp1976", "    standard:"),
    "an unknown column of cases": (
        "cases_from: avoidable_",
        "cases_from: avoided_",
        "no column avoided_",
        "    cases_from:",
    ),
    "a code list that is not pinned": (
        "{list: avoidable_admissions",
        "{list: stroke",
        "is not pinned",
        "codes:",
    ),
    "squares of another sum": (
        "sumsq: avoidable_admission_sumsq",
        "sumsq: bed_day_sumsq",
        "bed_day_sumsq is not the sum of the squares of avoidable_admission_count",
        "    sumsq:",
    ),
    "an unknown measure": ("measures: [TA28]", "measures: [TA99]", "menu has no measure TA99", "measures:"),
}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project whose specs a test may change."""
    for folder in ("contracts", "sql", "reference"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    shutil.copytree(ROOT / "indicator_specs", tmp_path / "indicator_specs")
    shutil.copy(ROOT / "data_samples" / "monitor.toml", tmp_path / "monitor.toml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_with_its_line(copy: Path, fault: str) -> None:
    old, new, message, line = FAULTS[fault]
    path = copy / "indicator_specs" / "quality" / "avoidable_admissions.yaml"
    text = path.read_text().replace(old, new)
    assert new in text
    path.write_text(text)
    with pytest.raises(ContentError, match=message) as error:
        load_programme(load_project(copy / "monitor.toml"))
    name, number = error.value.where.split(":")
    assert name == "indicator_specs/quality/avoidable_admissions.yaml"
    assert text.splitlines()[int(number) - 1].startswith(line)


def test_euros_of_a_part_need_the_count_of_its_persons(copy: Path) -> None:
    path = copy / "indicator_specs" / "cost" / "primary_to_hospital_cost.yaml"
    text = path.read_text()
    without = text.replace("    cases_from: user_count[care_kind=hospital]\n", "")
    assert without != text
    path.write_text(without)
    with pytest.raises(ContentError, match="no count says how many persons") as error:
        load_programme(load_project(copy / "monitor.toml"))
    assert without.splitlines()[int(error.value.where.split(":")[1]) - 1].startswith("    numerator:")


@pytest.mark.parametrize("line", ["title: {nl: TODO, en: TODO}", "cautions: [small_numbers]  # TODO"])
def test_a_text_that_is_still_to_write_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "indicator_specs" / "cost" / "dental_cost.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(f"id: dental_cost\n{line}\n")
    with pytest.raises(ContentError, match="TODO") as error:
        refuse_unwritten_texts(path.parents[1])
    assert error.value.where == "indicator_specs/cost/dental_cost.yaml:2"


def test_no_shipped_text_is_still_to_write() -> None:
    refuse_unwritten_texts(ROOT / "indicator_specs")


def test_a_code_list_changed_after_pinning_is_refused(copy: Path) -> None:
    (copy / "reference").unlink()
    shutil.copytree(ROOT / "reference", copy / "reference")
    path = copy / "reference" / "codes" / "avoidable_admissions.csv"
    path.write_text(path.read_text() + "asthma,J48\n")
    with pytest.raises(ContentError, match="changed after it was pinned"):
        load_programme(load_project(copy / "monitor.toml"))


def test_a_code_list_that_defines_a_column_needs_a_version(tmp_path: Path) -> None:
    (tmp_path / "flu.csv").write_text("icd10_prefix\nJ10\n")
    (tmp_path / "flu.yaml").write_text("decides: [flu_count]\n")
    with pytest.raises(ContentError, match="no version"):
        load_code_lists(tmp_path)
