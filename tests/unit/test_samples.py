"""Are the samples the same bytes each time, does a contract claim every file, and do the rows keep their word?"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest

from triple_aim.contracts import load_contracts
from triple_aim.samples import write_samples
from triple_aim.samples.billing import COST, COST_GROWTH
from triple_aim.samples.residents import PROVISIONS
from triple_aim.samples.streams import stream

CONTRACTS = Path(__file__).parents[2] / "contracts"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder, persons=200)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def test_the_same_seed_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_samples(tmp_path, persons=200)
    assert contents(tmp_path) == contents(written)


def test_another_seed_gives_other_people(written: Path, tmp_path: Path) -> None:
    write_samples(tmp_path, seed=1, persons=200)
    first, second = contents(written), contents(tmp_path)
    assert first.keys() == second.keys()
    same = {name.split("/")[0] for name in first if first[name] == second[name]}
    assert same == {"population"}  # an average has no seed


def test_every_file_is_claimed_by_the_contract_of_its_folder(written: Path) -> None:
    contracts = load_contracts(CONTRACTS)
    names = contents(written)
    assert len(names) == 17
    assert all(contracts[name.split("/")[0]].files_for(PurePosixPath(name)) for name in names)


def test_a_topic_is_drawn_alike_whatever_else_is_drawn() -> None:
    first = stream(7, "hospital", 2023).random(3)
    stream(7, "medicines", 2023).random(100)
    assert (stream(7, "hospital", 2023).random(3) == first).all()
    others = [stream(7, "hospital", 2022), stream(7, "medicines", 2023), stream(8, "hospital", 2023)]
    assert all((other.random(3) != first).all() for other in others)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    write_samples(folder, persons=1500)
    return folder


def sound_spans(folder: Path, year: int) -> pd.DataFrame:
    days = ["valid_from", "valid_to", "death_date"]
    spans = pd.read_csv(folder / f"insured_population/insured_population_{year}.csv.gz", sep=";", parse_dates=days)
    return spans[spans["person_key"].str.count("0") < 12]  # the defects have numbers for keys


def claims_of(folder: Path, year: int) -> pd.DataFrame:
    days = ["start_date", "end_date", "booking_date"]
    claims = pd.read_csv(folder / f"claims/claims_{year}.csv.gz", sep=";", parse_dates=days, low_memory=False)
    return claims.iloc[:-9]  # the defects are the last nine


def test_the_insurance_ends_with_the_day_of_death_and_no_care_follows_it(many: Path) -> None:
    died = sound_spans(many, 2022).dropna(subset=["death_date"]).groupby("person_key").last()
    died = died[died["death_date"].dt.year == 2022]
    assert len(died)
    assert (died["valid_to"] == died["death_date"] + pd.Timedelta(days=1)).all()
    claims = claims_of(many, 2022).join(died, on="person_key", how="inner")
    assert (claims["start_date"] <= claims["death_date"]).all()
    assert not (claims["end_date"] > claims["death_date"]).any()


def test_a_line_is_booked_after_the_service_and_before_the_delivery(written: Path) -> None:
    last = pd.read_parquet(written / "claims/claims_2023.parquet").iloc[:-9]
    for claims in (claims_of(written, 2022), last):
        booked = pd.to_datetime(claims["booking_date"])
        ended = pd.to_datetime(claims["end_date"].fillna(claims["start_date"]))
        assert ((booked > ended) | booked.isna()).all()
        assert booked.max() <= pd.Timestamp(2024, 3, 31)


def test_only_the_last_year_lacks_what_was_booked_later(many: Path) -> None:
    last = pd.read_parquet(many / "claims/claims_2023.parquet")
    slowest = []
    for year, claims in ((2021, claims_of(many, 2021)), (2022, claims_of(many, 2022)), (2023, last)):
        begun, booked = (pd.to_datetime(claims[name]) for name in ("start_date", "booking_date"))
        december = (begun >= pd.Timestamp(year, 12, 1)) & (claims["care_kind"] == "hospital")
        slowest.append((booked - begun)[december].dt.days.max())
    assert min(slowest[:2]) > 200
    assert slowest[2] <= 31 + 31 + 29 + 31


def test_a_year_costs_what_the_table_of_costs_says(written: Path) -> None:
    spans, claims = sound_spans(written, 2021), claims_of(written, 2021)
    opens, closes = pd.Timestamp(2021, 1, 1), pd.Timestamp(2022, 1, 1)
    spans = spans[spans["sex"].isin(["M", "F"]) & (spans["municipality_code"] != "GM9999")]
    share = (spans["valid_to"].fillna(closes).clip(upper=closes) - spans["valid_from"].clip(lower=opens)).dt.days / 365
    cell = COST[np.minimum((2021 - spans["birth_year"]) // 5, 18), (spans["sex"] == "F").astype(int)]
    euros = claims["amount_cents"].where(claims["debit_credit"] == "D", -claims["amount_cents"]).sum() / 100
    assert euros == pytest.approx((share * cell).sum() * COST_GROWTH**-2, rel=0.03)


def test_a_provision_begins_between_its_ages_on_1_january(many: Path) -> None:
    path = many / "social_domain/social_domain_2022.csv.gz"
    delivered = pd.read_csv(path, sep=";", encoding="latin-1", dtype={"Productcategorie": str})
    begun = delivered[delivered["Ingangsdatum"].str.startswith("2022")]
    ages = (2022 - begun["Geboortejaar"] - 1).groupby(begun["Productcategorie"]).agg(["min", "max"])
    limits = {category: (youngest, oldest) for _, category, _, youngest, oldest, *_ in PROVISIONS}
    for category in ("01", "45", "income"):  # never the second provision of somebody, which may begin a year later
        assert limits[category][0] <= ages.loc[category, "min"]
        assert ages.loc[category, "max"] <= limits[category][1]
