"""Does the invented nation give the same bytes for the same seed, and do its files confirm its true values?

The tests read the files with pandas and reimplement the rules: they use neither the generator's SQL nor the monitor's.
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

from tests.generated import without_true_values
from triple_aim.errors import ProjectError
from triple_aim.synthetic import generator
from triple_aim.synthetic.calibration import cost_targets, rake
from triple_aim.synthetic.delivery_files import write_nation
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
def chunks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first year of the nation in chunks, with at most three respondents a stratum."""
    folder = tmp_path_factory.mktemp("chunks")
    with pytest.MonkeyPatch.context() as patch, without_true_values():
        patch.setattr(generator, "CHUNK", 1200)
        write_nation(replace(FIRST, respondents=3), folder)
    return folder


@pytest.fixture(scope="module")
def spans(nation: Path) -> pd.DataFrame:
    """Valid stretches of enrolment, limited to the year."""
    return spans_of(nation, YEAR)


def spans_of(nation: Path, year: int) -> pd.DataFrame:
    path = nation / f"deliveries/insured_population/insured_population_{year}.csv.gz"
    read = pd.read_csv(path, sep=";", parse_dates=["valid_from", "valid_to"], dtype={"sex": str})
    is_valid = read["sex"].isin(["M", "F"]) & (read["municipality_code"] != "GM9999")
    is_valid &= read["valid_to"].isna() | (read["valid_to"] > read["valid_from"])
    opens, closes = pd.Timestamp(year, 1, 1), pd.Timestamp(year + 1, 1, 1)
    return read[is_valid].assign(
        first=lambda rows: rows["valid_from"].clip(lower=opens),
        until=lambda rows: rows["valid_to"].fillna(closes).clip(upper=closes),
    )


@pytest.fixture(scope="module")
def lines(nation: Path) -> pd.DataFrame:
    """Valid claim lines, with signed euros."""
    read = pd.read_parquet(nation / f"deliveries/claims/claims_{YEAR}.parquet")
    starts, ends = pd.to_datetime(read["start_date"]), pd.to_datetime(read["end_date"])
    known = read["previous_reference"].isna() | read["previous_reference"].isin(read["reference_number"])
    is_valid = read["debit_credit"].isin(["D", "C"]) & (read["performance_code"] != "ZZZ") & known
    is_valid &= ends.isna() | (ends >= starts)
    return read.assign(start=starts, euros=read["amount_cents"] * np.where(read["debit_credit"] == "C", -0.01, 0.01))[
        is_valid & (starts.dt.year == YEAR)
    ]


@pytest.fixture(scope="module")
def homes(spans: pd.DataFrame) -> pd.Series[str]:
    """The municipality of each person's last insured day."""
    return spans.sort_values("until").groupby("person_key")["municipality_code"].last()


def truth_of(nation: Path, measure: str, year: int = YEAR) -> pd.Series[float]:
    cells = pd.read_parquet(nation / "truth.parquet")
    cells = cells[(cells["measure"] == measure) & (cells["period"] == year)]
    return cells.groupby("municipality_code")["value"].sum()


def summary_of(nation: Path) -> dict[str, Any]:
    """The entry of the last year in ``truth.json``."""
    summary: dict[str, Any] = json.loads((nation / "truth.json").read_text())["years"][-1]
    return summary


def events_of(lines: pd.DataFrame) -> pd.DataFrame:
    """Debits without a credit of the same amount."""
    credits = lines.loc[lines["debit_credit"] == "C", ["previous_reference", "amount_cents"]]
    credited = lines.reset_index().merge(
        credits, left_on=["reference_number", "amount_cents"], right_on=["previous_reference", "amount_cents"]
    )["index"]
    return lines[(lines["debit_credit"] == "D") & ~lines.index.isin(credited)]


def test_the_same_seed_gives_the_same_bytes_also_without_later_years(nation: Path, tmp_path: Path) -> None:
    write_nation(FIRST, tmp_path, threads=1)
    files = sorted(path.relative_to(tmp_path) for path in (tmp_path / "deliveries").rglob("*") if path.is_file())
    assert len(files) == 6
    for file in files:
        first, again = (hashlib.sha256((folder / file).read_bytes()).hexdigest() for folder in (nation, tmp_path))
        assert first == again, file
    for table in ("truth", "indicators"):
        both_years, one_year = (pd.read_parquet(folder / f"{table}.parquet") for folder in (nation, tmp_path))
        of_year = both_years[both_years["period"] == YEAR - 1]
        pd.testing.assert_frame_equal(of_year.reset_index(drop=True), one_year)


def test_the_chunk_size_changes_no_line(nation: Path, chunks: Path) -> None:
    one_chunk, several_chunks = (
        pd.read_parquet(folder / "deliveries/claims/claims_2022.parquet").sort_values("claim_id", ignore_index=True)
        for folder in (nation, chunks)
    )
    pd.testing.assert_frame_equal(one_chunk, several_chunks)


def test_csv_and_parquet_have_the_same_lines(nation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "CHUNK", 1200)
    with without_true_values():
        write_nation(FIRST, tmp_path, csv=True, claims_only=True)
    assert {path.name for path in (tmp_path / "deliveries").iterdir()} == {"claims", "insured_population"}
    written = pd.read_csv(tmp_path / "deliveries/claims/claims_2022.csv.gz", sep=";", low_memory=False)
    parquet = pd.read_parquet(nation / "deliveries/claims/claims_2022.parquet")
    assert list(written) == list(parquet)
    sums = [frame.groupby("debit_credit")["amount_cents"].agg(["size", "sum"]) for frame in (written, parquet)]
    pd.testing.assert_frame_equal(*sums, check_index_type=False)


def test_a_late_booking_is_not_in_an_early_delivery(nation: Path, tmp_path: Path) -> None:
    early = replace(FIRST, delivered="2023-04-01")
    with without_true_values():
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


def test_persons_stay_from_year_to_year(nation: Path, spans: pd.DataFrame) -> None:
    before = (
        spans_of(nation, YEAR - 1).sort_values(["until", "first"]).groupby("person_key").tail(1).set_index("person_key")
    )
    after = spans.sort_values("first").groupby("person_key").head(1).set_index("person_key")
    stay = before.index.intersection(after.index, sort=True)
    same = ["birth_year", "sex", "municipality_code", "ses_quintile"]
    pd.testing.assert_frame_equal(before.loc[stay, same], after.loc[stay, same])
    assert before.loc[stay, "valid_to"].isna().all() and before.loc[stay, "death_date"].isna().all()
    # The others left or died in the previous year; new persons entered in the year, two in five of them by birth.
    assert (before["valid_to"].drop(stay).dt.year == YEAR - 1).mean() > 0.95
    new = after.drop(stay)
    assert (new["valid_from"].dt.year == YEAR).all()
    assert 0.15 < (new["birth_year"] == YEAR).mean() < 0.65  # of fifty
    assert len(new) == pytest.approx(0.025 * NATION.persons, rel=0.05)


def test_a_provision_continues_over_the_years(nation: Path) -> None:
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


def test_a_weighted_survey_is_near_the_true_share(nation: Path) -> None:
    year = YEAR - 1
    answers, _ = pyreadstat.read_sav(nation / f"deliveries/survey/survey_{year}.sav", user_missing=True)
    answers = answers[answers["Gemeentecode"] != "GM9999"]
    assert answers["respondent_id"].is_unique
    # Some cells of 2,000 persons in 342 municipalities have nobody who took part.
    assert answers["ewCBSGGD"].sum() == pytest.approx(truth_of(nation, "adult_count", year).sum(), rel=0.35)
    for item, weight in (("KLGGA208", "ewCBSGGD"), ("CALGA260", "ewCBSGGD"), ("RegieLeven", "ewGGD")):
        answered = answers[answers[item].isin([0, 1]) & answers[weight].notna()]
        asked, yes = (truth_of(nation, f"{item.lower()}_{what}_count", year).sum() for what in ("asked", "yes"))
        # Four standard deviations; the weights reduce the effective sample size by a third.
        slack = 4 * (yes / asked * (1 - yes / asked) / (len(answered) / 1.5)) ** 0.5
        assert (answered[item] * answered[weight]).sum() / answered[weight].sum() == pytest.approx(
            yes / asked, abs=slack
        )


def test_a_mean_score_is_near_the_true_mean(nation: Path) -> None:
    scores = pd.read_csv(nation / f"deliveries/experience_survey/experience_survey_{YEAR}.csv.gz", sep=";")
    for item in ("sf12_physical", "pam13", "gp_rating"):
        answered = scores[scores[item].notna() & scores["weight"].notna()]
        mean = (answered[item] * answered["weight"]).sum() / answered["weight"].sum()
        true = truth_of(nation, f"{item}_score_sum").sum() / truth_of(nation, f"{item}_asked_count").sum()
        assert mean == pytest.approx(true, abs=4 * answered[item].std() / (len(answered) / 1.5) ** 0.5)


def test_a_large_stratum_has_the_maximum_of_respondents(nation: Path, chunks: Path) -> None:
    survey = f"deliveries/survey/survey_{YEAR - 1}.sav"
    few, many = (pyreadstat.read_sav(folder / survey)[0] for folder in (chunks, nation))
    sizes = few[few["Gemeentecode"] != "GM9999"].groupby("Stratum").size()
    willing = many[many["Gemeentecode"] != "GM9999"].groupby("Stratum").size()
    pd.testing.assert_series_equal(sizes, willing.clip(upper=3))


def test_planted_defects_have_their_rates(nation: Path) -> None:
    services = pd.DataFrame(summary_of(nation)["services"])
    count = services["service_count"].sum()
    unknown = services.loc[services["defect"] == "unknown_person", "service_count"].sum()
    corrected = services.loc[services["correction"] != "none", "service_count"].sum()
    # Four standard deviations of a binomial count.
    assert unknown == pytest.approx(0.01 * count, abs=4 * (0.01 * count) ** 0.5)
    assert corrected == pytest.approx(0.005 * count, abs=4 * (0.005 * count) ** 0.5)


def test_lines_and_euros_are_near_their_targets(nation: Path) -> None:
    summary = summary_of(nation)
    years = summary["nl"]["insured_years"]
    assert summary["claim_line_count"] / years == pytest.approx(33, rel=0.03)
    truth = pd.read_parquet(nation / "truth.parquet")
    cells = truth[truth["period"] == YEAR].pivot_table(
        index=["age_band", "sex"], columns="measure", values="value", aggfunc="sum"
    )
    expected = (cost_targets(YEAR) * cells["insured_years"]).sum()
    # The standard deviation of cost per person is about twice the mean: the noise of 2,000 persons is 4 %.
    assert summary["nl"]["amount_eur"] == pytest.approx(expected, rel=0.12)


def test_cost_targets_are_linear_between_the_years_of_the_table() -> None:
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
    "arguments",
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
def test_an_impossible_nation_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ProjectError, match=f"these {next(iter(arguments))}"):
        Nation(**{"persons": 500, **arguments})


def test_deliveries_that_were_not_generated_are_not_overwritten(tmp_path: Path) -> None:
    own = tmp_path / "deliveries" / "claims_2023.parquet"
    own.parent.mkdir()
    own.write_bytes(b"real")
    with pytest.raises(ProjectError, match="not generated"):
        write_nation(Nation(persons=500), tmp_path)
    assert own.read_bytes() == b"real"
