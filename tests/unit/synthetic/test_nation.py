"""The invented nation: the same bytes for the same seed, a truth that the files bear out, and means as published.

The files are read here with pandas alone, by rules written out once more: neither the generator's SQL nor ours is used.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from triple_aim.errors import ProjectError
from triple_aim.synthetic import maker
from triple_aim.synthetic.calibration import cost_targets, rake
from triple_aim.synthetic.delivering import write_nation
from triple_aim.synthetic.nation import Nation

YEAR = 2023
NATION = Nation(persons=2000, years=(2022, YEAR), seed=7, delivered="2025-05-01")
FIRST = replace(NATION, years=(2022,))


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nation")
    write_nation(NATION, folder, memory_limit="1GB")
    return folder


@pytest.fixture(scope="module")
def spans(nation: Path) -> pd.DataFrame:
    """The stretches that break no rule, cut to the year."""
    return spans_of(nation, YEAR)


def spans_of(nation: Path, year: int) -> pd.DataFrame:
    path = nation / f"deliveries/insured_population/insured_population_{year}.csv.gz"
    read = pd.read_csv(path, sep=";", parse_dates=["valid_from", "valid_to"], dtype={"sex": str})
    right = read["sex"].isin(["M", "F"]) & (read["municipality_code"] != "GM9999")
    right &= read["valid_to"].isna() | (read["valid_to"] > read["valid_from"])
    opens, closes = pd.Timestamp(year, 1, 1), pd.Timestamp(year + 1, 1, 1)
    return read[right].assign(
        first=lambda rows: rows["valid_from"].clip(lower=opens),
        until=lambda rows: rows["valid_to"].fillna(closes).clip(upper=closes),
    )


@pytest.fixture(scope="module")
def lines(nation: Path) -> pd.DataFrame:
    """The claim lines that break no rule, with signed euros."""
    read = pd.read_parquet(nation / f"deliveries/claims/claims_{YEAR}.parquet")
    starts, ends = pd.to_datetime(read["start_date"]), pd.to_datetime(read["end_date"])
    known = read["previous_reference"].isna() | read["previous_reference"].isin(read["reference_number"])
    right = read["debit_credit"].isin(["D", "C"]) & (read["performance_code"] != "ZZZ") & known
    right &= ends.isna() | (ends >= starts)
    return read.assign(start=starts, euros=read["amount_cents"] * np.where(read["debit_credit"] == "C", -0.01, 0.01))[
        right & (starts.dt.year == YEAR)
    ]


@pytest.fixture(scope="module")
def homes(spans: pd.DataFrame) -> pd.Series[str]:
    """The municipality of each person's last insured day."""
    return spans.sort_values("until").groupby("person_key")["municipality_code"].last()


def truth_of(nation: Path, measure: str, year: int = YEAR) -> pd.Series[float]:
    cells = pd.read_parquet(nation / "truth.parquet")
    cells = cells[(cells["measure"] == measure) & (cells["period"] == year)]
    return cells.groupby("municipality_code")["value"].sum()


def told_of(nation: Path) -> dict[str, Any]:
    """What is told of the year."""
    told: dict[str, Any] = json.loads((nation / "truth.json").read_text())["years"][-1]
    return told


def events_of(lines: pd.DataFrame) -> pd.DataFrame:
    """Debits that no credit of the same amount takes back."""
    credits = lines.loc[lines["debit_credit"] == "C", ["previous_reference", "amount_cents"]]
    taken_back = lines.reset_index().merge(
        credits, left_on=["reference_number", "amount_cents"], right_on=["previous_reference", "amount_cents"]
    )["index"]
    return lines[(lines["debit_credit"] == "D") & ~lines.index.isin(taken_back)]


def test_the_same_seed_gives_the_same_bytes(nation: Path, tmp_path: Path) -> None:
    write_nation(NATION, tmp_path, threads=1)
    files = sorted(path.relative_to(nation) for path in nation.rglob("*") if path.is_file())
    assert len(files) == 16
    for file in files:
        first, again = (hashlib.sha256((folder / file).read_bytes()).hexdigest() for folder in (nation, tmp_path))
        assert first == again, file


def test_the_size_of_a_chunk_changes_no_line(nation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker, "CHUNK", 1200)
    write_nation(FIRST, tmp_path, claims_only=True)
    whole, parted = (
        pd.read_parquet(folder / "deliveries/claims/claims_2022.parquet").sort_values("claim_id", ignore_index=True)
        for folder in (nation, tmp_path)
    )
    pd.testing.assert_frame_equal(whole, parted)


def test_csv_holds_what_parquet_holds(nation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker, "CHUNK", 1200)
    write_nation(FIRST, tmp_path, csv=True, claims_only=True)
    assert {path.name for path in (tmp_path / "deliveries").iterdir()} == {"claims", "insured_population"}
    written = pd.read_csv(tmp_path / "deliveries/claims/claims_2022.csv.gz", sep=";", low_memory=False)
    parquet = pd.read_parquet(nation / "deliveries/claims/claims_2022.parquet")
    assert list(written) == list(parquet)
    sums = [frame.groupby("debit_credit")["amount_cents"].agg(["size", "sum"]) for frame in (written, parquet)]
    pd.testing.assert_frame_equal(*sums, check_index_type=False)


def test_a_late_booking_is_not_in_an_early_delivery(nation: Path, tmp_path: Path) -> None:
    early = replace(FIRST, delivered="2023-04-01")
    write_nation(early, tmp_path, claims_only=True)
    booked = pd.read_parquet(tmp_path / "deliveries/claims/claims_2022.parquet")["booking_date"]
    assert pd.to_datetime(booked).max() <= pd.Timestamp(early.delivered)
    share = truth_of(tmp_path, "amount_eur", 2022).sum() / truth_of(nation, "amount_eur", 2022).sum()
    assert 0.8 < share < 0.99


def test_insured_years_are_those_of_the_spans(nation: Path, spans: pd.DataFrame, homes: pd.Series[str]) -> None:
    days = {
        key: len(
            set().union(
                *(range(row.first.dayofyear, row.first.dayofyear + (row.until - row.first).days) for row in own)
            )
        )
        for key, own in ((key, list(rows.itertuples())) for key, rows in spans.groupby("person_key"))
    }
    found = pd.Series(days).groupby(homes).sum() / 365
    pd.testing.assert_series_equal(found, truth_of(nation, "insured_years"), check_names=False)


def test_persons_live_on_from_year_to_year(nation: Path, spans: pd.DataFrame) -> None:
    before = (
        spans_of(nation, YEAR - 1).sort_values(["until", "first"]).groupby("person_key").tail(1).set_index("person_key")
    )
    after = spans.sort_values("first").groupby("person_key").head(1).set_index("person_key")
    stay = before.index.intersection(after.index, sort=True)
    same = ["birth_year", "sex", "municipality_code", "ses_quintile"]
    pd.testing.assert_frame_equal(before.loc[stay, same], after.loc[stay, same])
    assert before.loc[stay, "valid_to"].isna().all() and before.loc[stay, "death_date"].isna().all()
    # Who is gone left or died in the year before; who is new came in the year, two in five of them by birth.
    assert (before["valid_to"].drop(stay).dt.year == YEAR - 1).mean() > 0.95
    new = after.drop(stay)
    assert (new["valid_from"].dt.year == YEAR).all()
    assert 0.15 < (new["birth_year"] == YEAR).mean() < 0.65  # of fifty
    assert len(new) == pytest.approx(0.025 * NATION.persons, rel=0.05)


def test_a_year_is_the_same_whichever_come_after(nation: Path, tmp_path: Path) -> None:
    write_nation(FIRST, tmp_path)
    for path in (tmp_path / "deliveries").rglob("*.*"):
        assert path.read_bytes() == (nation / path.relative_to(tmp_path)).read_bytes(), path.name


def test_a_provision_is_one_over_the_years(nation: Path) -> None:
    first, second = (
        pd.read_csv(nation / f"deliveries/social_domain/social_domain_{year}.csv.gz", sep=";").drop_duplicates(
            "allocation_id"
        )
        for year in (YEAR - 1, YEAR)
    )
    both = first.merge(second, on="allocation_id")
    assert len(both) > len(first) / 3
    assert both["end_date_x"].isna().all()
    assert (both["person_key_x"] == both["person_key_y"]).all()
    assert (both["start_date_x"] == both["start_date_y"]).all()


def test_euros_are_those_of_the_lines(nation: Path, lines: pd.DataFrame, homes: pd.Series[str]) -> None:
    found = lines.groupby(lines["person_key"].map(homes))["euros"].sum()
    expected = truth_of(nation, "amount_eur").reindex(found.index)
    pd.testing.assert_series_equal(found, expected, check_names=False)


def test_emergency_visits_are_those_of_the_lines(nation: Path, lines: pd.DataFrame, homes: pd.Series[str]) -> None:
    visits = events_of(lines)
    visits = visits[visits["performance_code"] == "ED"]
    found = visits["person_key"].map(homes).value_counts().sort_index()
    expected = truth_of(nation, "emergency_visit_count").astype(int)
    pd.testing.assert_series_equal(found, expected, check_names=False)


def test_polypharmacy_is_that_of_the_lines(nation: Path, spans: pd.DataFrame, lines: pd.DataFrame) -> None:
    seniors = spans[(YEAR - spans["birth_year"] >= 65) & (spans["until"] == pd.Timestamp(YEAR + 1, 1, 1))]["person_key"]
    medicines = events_of(lines).dropna(subset="atc_code")
    medicines = medicines[medicines["person_key"].isin(seniors)]
    days = medicines.groupby(["person_key", medicines["atc_code"].str[:4]])["start"].nunique()
    groups = (days >= 3).groupby("person_key").sum()
    assert (groups >= 5).sum() == truth_of(nation, "polypharmacy_count").sum() > 0


def test_a_weighed_survey_tells_what_everybody_would(nation: Path) -> None:
    year = YEAR - 1
    answers, _ = pyreadstat.read_sav(nation / f"deliveries/survey/survey_{year}.sav", user_missing=True)
    answers = answers[answers["Gemeentecode"] != "GM9999"]
    assert answers["respondent_id"].is_unique
    # Some cells of 2,000 persons in 342 municipalities have nobody who took part.
    assert answers["ewCBSGGD"].sum() == pytest.approx(truth_of(nation, "adult_count", year).sum(), rel=0.35)
    for item, weight in (("KLGGA208", "ewCBSGGD"), ("CALGA260", "ewCBSGGD"), ("RegieLeven", "ewGGD")):
        told = answers[answers[item].isin([0, 1]) & answers[weight].notna()]
        asked, yes = (truth_of(nation, f"{item.lower()}_{what}_count", year).sum() for what in ("asked", "yes"))
        # Four standard deviations, for weights that make a sample worth two thirds of its size.
        slack = 4 * (yes / asked * (1 - yes / asked) / (len(told) / 1.5)) ** 0.5
        assert (told[item] * told[weight]).sum() / told[weight].sum() == pytest.approx(yes / asked, abs=slack)


def test_scores_of_a_sample_are_near_those_of_everybody(nation: Path) -> None:
    scores = pd.read_csv(nation / f"deliveries/experience_survey/experience_survey_{YEAR}.csv.gz", sep=";")
    for item in ("sf12_physical", "pam13", "gp_rating"):
        told = scores[scores[item].notna() & scores["weight"].notna()]
        mean = (told[item] * told["weight"]).sum() / told["weight"].sum()
        true = truth_of(nation, f"{item}_score_sum").sum() / truth_of(nation, f"{item}_asked_count").sum()
        assert mean == pytest.approx(true, abs=4 * told[item].std() / (len(told) / 1.5) ** 0.5)


def test_a_large_stratum_gives_no_more_than_was_asked(
    nation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "CHUNK", 1200)
    write_nation(replace(FIRST, respondents=3), tmp_path)
    survey = f"deliveries/survey/survey_{YEAR - 1}.sav"
    few, all_of_them = (pyreadstat.read_sav(folder / survey)[0] for folder in (tmp_path, nation))
    sizes = few[few["Gemeentecode"] != "GM9999"].groupby("Stratum").size()
    takers = all_of_them[all_of_them["Gemeentecode"] != "GM9999"].groupby("Stratum").size()
    pd.testing.assert_series_equal(sizes, takers.clip(upper=3))


def test_planted_defects_come_at_their_rates(nation: Path) -> None:
    services = pd.DataFrame(told_of(nation)["services"])
    count = services["service_count"].sum()
    unknown = services.loc[services["defect"] == "unknown_person", "service_count"].sum()
    corrected = services.loc[services["correction"] != "none", "service_count"].sum()
    # Four standard deviations of a binomial count.
    assert unknown == pytest.approx(0.01 * count, abs=4 * (0.01 * count) ** 0.5)
    assert corrected == pytest.approx(0.005 * count, abs=4 * (0.005 * count) ** 0.5)


def test_lines_and_euros_are_near_what_was_asked(nation: Path) -> None:
    told = told_of(nation)
    years = told["nl"]["insured_years"]
    assert told["claim_line_count"] / years == pytest.approx(33, rel=0.03)
    truth = pd.read_parquet(nation / "truth.parquet")
    cells = truth[truth["period"] == YEAR].pivot_table(
        index=["age_band", "sex"], columns="measure", values="value", aggfunc="sum"
    )
    expected = (cost_targets(YEAR) * cells["insured_years"]).sum()
    # A person's cost has a standard deviation of some twice the mean: 2,000 persons leave 4 % of noise.
    assert told["nl"]["amount_eur"] == pytest.approx(expected, rel=0.12)


def test_targets_are_those_of_the_table_and_on_a_line_between() -> None:
    cell = ("45-49", "M")
    assert [cost_targets(year)[cell] for year in (2013, 2018, 2023)] == [1545, 1683, 2001]
    assert cost_targets(2020)[cell] == pytest.approx(1683 + 0.4 * (2001 - 1683))


def test_raking_meets_both_margins() -> None:
    table = rake(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([6.0, 4.0]), np.array([5.0, 5.0]))
    np.testing.assert_allclose(table, [[1.0, 5.0], [4.0, 0.0]], atol=1e-9)


def test_too_few_lines_for_the_events_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="lines an insured year"):
        write_nation(Nation(persons=500, lines=2), tmp_path)


@pytest.mark.parametrize(
    "asked",
    [
        {"persons": 3},
        {"years": ()},
        {"years": (2023, 2023)},
        {"years": (2010,)},
        {"municipalities": 343},
        {"municipalities": -1},
        {"lines": float("nan")},
        {"delivered": "yesterday"},
    ],
)
def test_a_nation_that_cannot_be_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ProjectError, match=f"such {next(iter(asked))}"):
        Nation(**{"persons": 500, **asked})


def test_deliveries_that_are_not_invented_are_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "deliveries" / "claims_2023.parquet"
    own.parent.mkdir()
    own.write_bytes(b"real")
    with pytest.raises(ProjectError, match="no invented ones"):
        write_nation(Nation(persons=500), tmp_path)
    assert own.read_bytes() == b"real"
