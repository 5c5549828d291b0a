"""Do the samples give the same bytes each time, does a contract match every file, and are the rows consistent?"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest

from tests import generated
from triple_aim.definitions.contracts import load_contracts
from triple_aim.synthetic.samples import sample_nation, write_samples
from triple_aim.synthetic.tables import sample_places

ROOT = Path(__file__).parents[3]
CONTRACTS, SHIPPED = ROOT / "contracts", ROOT / "data_samples"
PERSONS, SEED = 400, 3


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    generated.write_samples(folder, PERSONS, SEED)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def delivered(folder: Path, name: str) -> pd.DataFrame:
    path = folder / "deliveries" / name
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, sep=";", dtype={"sex": str}, low_memory=False)


def test_the_same_seed_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    generated.write_samples(tmp_path, PERSONS, SEED)
    again, first = contents(tmp_path / "deliveries"), contents(written / "deliveries")
    assert again == first


def test_another_seed_gives_other_people(written: Path, tmp_path: Path) -> None:
    generated.write_samples(tmp_path, PERSONS, SEED + 1)
    first, second = contents(written / "deliveries"), contents(tmp_path / "deliveries")
    assert first.keys() == second.keys()
    assert all(first[name] != second[name] for name in first)


def test_every_file_matches_the_contract_of_its_folder(written: Path) -> None:
    contracts = load_contracts(CONTRACTS)
    names = list(contents(written / "deliveries"))
    assert len(names) == 18
    assert all(contracts[name.split("/")[0]].files_for(PurePosixPath(name)) for name in names)


def test_one_resident_in_ten_is_insured_with_those_who_deliver(written: Path) -> None:
    insured = delivered(written, "insured_population/insured_population_2022.csv.gz")["person_key"].nunique()
    residents = delivered(written, "population/population_2022.csv")["resident_count"].sum()
    assert set(delivered(written, "population/population_2022.csv")["municipality_code"]) == set(
        sample_places()["municipality_code"]
    )
    # Four standard deviations, plus the entrants of the year.
    assert insured == pytest.approx(0.1 * residents, abs=4 * (0.09 * residents) ** 0.5 + 0.004 * residents)


def test_a_line_is_booked_after_the_service_and_before_the_delivery(written: Path) -> None:
    for name in ("claims_2022.csv.gz", "claims_2023.parquet"):
        claims = delivered(written, f"claims/{name}")
        begun, ended, booked = (
            pd.to_datetime(claims[day], format="ISO8601") for day in ("start_date", "end_date", "booking_date")
        )
        is_valid = ended.isna() | (ended >= begun)
        assert (booked > ended.fillna(begun))[is_valid & booked.notna()].all()
        assert booked.max() <= pd.Timestamp(sample_nation(SEED, PERSONS).delivered)


def test_insurance_ends_on_the_day_of_death_and_no_care_follows(written: Path) -> None:
    spans = delivered(written, "insured_population/insured_population_2022.csv.gz")
    died = spans.dropna(subset="death_date").groupby("person_key")[["valid_to", "death_date"]].max()
    last, death = (pd.to_datetime(died[day]) for day in ("valid_to", "death_date"))
    assert len(died)
    assert (last == death + pd.Timedelta(days=1)).all()
    claims = delivered(written, "claims/claims_2022.csv.gz").join(died, on="person_key", how="inner")
    assert len(claims)
    assert (claims["start_date"] <= claims["death_date"]).all()
    assert not (claims["end_date"] > claims["death_date"]).any()


def test_some_stays_have_a_readmission_and_some_deaths_a_stay(written: Path) -> None:
    claims = delivered(written, "claims/claims_2022.csv.gz")
    stays = claims[claims["performance_code"].isin(["ADM-ACUTE", "ADM-PLAN"]) & (claims["debit_credit"] == "D")]
    days = stays.assign(begun=pd.to_datetime(stays["start_date"]), ended=pd.to_datetime(stays["end_date"]))
    days = days.sort_values(["person_key", "begun"])
    waited = (days["begun"] - days.groupby("person_key")["ended"].shift()).dt.days
    assert waited.between(1, 30).any() and (waited == 0).any()
    spans = delivered(written, "insured_population/insured_population_2022.csv.gz").dropna(subset="death_date")
    dying = days.join(spans.set_index("person_key")["death_date"], on="person_key", how="inner")
    assert ((pd.to_datetime(dying["death_date"]) - dying["begun"]).dt.days.between(0, 30)).any()


@pytest.mark.slow
def test_the_shipped_samples_come_from_the_model(tmp_path: Path) -> None:
    write_samples(tmp_path)
    generated, shipped = (pd.read_csv(folder / "true_values.csv") for folder in (tmp_path, SHIPPED))
    key = ["indicator_id", "segment", "period", "region_code"]
    both = generated.merge(shipped, "outer", on=key, suffixes=("", "_shipped"))
    # Another machine may round a logarithm differently, which changes a very small share of the draws.
    assert np.isclose(both["value"], both["value_shipped"], rtol=1e-6).mean() > 0.95
