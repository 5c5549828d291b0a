"""Does a value of a person leave staging? Canary values are put in rows and searched for in all output."""

from __future__ import annotations

import dataclasses
import gzip
import io
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from dagster._serdes import serialize_value

from tests.pipeline.installation import Installation
from triple_aim.definitions.contracts import SetAside
from triple_aim.definitions.programme import Programme
from triple_aim.warehouse import open_warehouse

PERSON = "c0ffee0ddba11ca7"
CANARIES = {
    "person_key": PERSON,
    "claim_id": "CANARYCLAIM",
    "provider_code": "CANARYPROVIDER",
    "reference_number": "CANARYREF",
}
TRACES = (PERSON, "CANARY")


def plant_canaries(installation: Installation, **changes: str) -> None:
    """Put the canaries in one insured person and all their claims of 2022, and ``changes`` in these claims."""
    claims_path = installation.deliveries / "claims" / "claims_2022.csv.gz"
    claims = read(claims_path)
    key = claims["person_key"].value_counts().index[0]
    of_person = claims["person_key"].eq(key)
    claims.loc[of_person, "person_key"] = PERSON
    numbers = of_person[of_person].index.astype(str)
    for column, canary in CANARIES.items():
        claims.loc[of_person, column] = canary + ("" if column == "provider_code" else numbers)
    claims.loc[of_person, "previous_reference"] = ""
    for column, value in changes.items():
        claims.loc[of_person, column] = value
    write(claims_path, claims)
    insured_path = installation.deliveries / "insured_population" / "insured_population_2022.csv.gz"
    write(insured_path, read(insured_path).replace({"person_key": {key: PERSON}}))


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)


def write(path: Path, rows: pd.DataFrame) -> None:
    text = io.StringIO()
    rows.to_csv(text, sep=";", index=False)
    path.write_bytes(gzip.compress(text.getvalue().encode()))


def serialized_events(result: dg.ExecuteInProcessResult) -> str:
    """Every event of a run, as Dagster stores it."""
    return "\n".join(f"{event.message}\n{serialize_value(event)}" for event in result.all_events)


def published_text(installation: Installation) -> str:
    """Every byte of the publication, and the cells of its Parquet tables."""
    parts = []
    for path in sorted(installation.publication.rglob("*")):
        if path.is_file():
            parts.append(path.read_bytes().decode("latin-1"))
        if path.suffix == ".parquet":
            parts.append(pd.read_parquet(path).to_csv())
    return "\n".join(parts)


def assert_no_trace(result: dg.ExecuteInProcessResult, installation: Installation, *output: str) -> None:
    for place, text in {
        "events": serialized_events(result),
        "publication": published_text(installation),
        "output": "".join(output),
    }.items():
        traces = [trace for trace in TRACES if trace in text]
        assert not traces, f"{traces} in {place}"


def test_no_value_of_a_person_leaves_an_accepted_delivery(
    installation: Installation,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant_canaries(installation)
    before = installation.current()
    # The canaries are one person, and a correction of so few would not be published.
    monkeypatch.setattr("assets.publication.refuse_small_corrections", lambda *given: None)
    with caplog.at_level("DEBUG"):
        result = installation.run(2022, 2022)
    assert result.success and installation.current() != before
    assert_no_trace(result, installation, caplog.text, *capfd.readouterr())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"person_key": "CANARYPERSON"}, id="a key of another form"),
        pytest.param({"amount_cents": "CANARY12"}, id="text for a number"),
        pytest.param({"start_date": "CANARY2022"}, id="text for a date"),
        pytest.param({"performance_code": "CANARY"}, id="a code that is not listed"),
        pytest.param({"claim_id": "CANARYTWICE"}, id="a key that occurs twice"),
        pytest.param({"reference_number": 'CANARY";"'}, id="quotes that break the row"),
    ],
)
def test_no_value_of_a_person_leaves_a_refused_delivery(
    installation: Installation,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    changes: dict[str, str],
) -> None:
    plant_canaries(installation, **changes)
    if "reference_number" in changes:  # quotes that the export did not escape
        path = installation.deliveries / "claims" / "claims_2022.csv.gz"
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b'""', b'"')))
    before = installation.current()
    with caplog.at_level("DEBUG"):
        result = installation.run(2022, 2022, change=strict, only="stg/claims")
    assert not result.success and installation.current() == before
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data.metadata["exit_code"].value == 11
    assert_no_trace(result, installation, caplog.text, *capfd.readouterr())


def strict(programme: Programme) -> Programme:
    """Allow no set-aside rows, so that the rows of one person are enough for a refusal."""
    claims = programme.contracts["claims"].model_copy(update={"set_aside": SetAside(max_share=0.0)})
    return dataclasses.replace(programme, contracts={**programme.contracts, "claims": claims})


def test_an_unforeseen_error_shows_no_value(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing(*given: object) -> list[str]:
        raise ValueError(f"cannot read {PERSON}")

    monkeypatch.setattr("assets.cubes.municipality_codes", failing)
    result = installation.run(2022, 2022, only="cube/claims")
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "unforeseen ValueError" in failure.step_failure_data.user_failure_data.description
    assert_no_trace(result, installation, *capfd.readouterr())


#: Seven persons of one town have this much care of a rare kind, in cents each; the sum is 535,802.47 euros.
ODD_CENTS, TOWN, KIND = 7_654_321, "GM1695", "cross_border"
SUM_TRACES = ("535802.4", "535802.0", "53580247", "76543.2", "7654321")


def test_a_withheld_sum_is_in_no_byte_of_a_release(
    installation: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    insured = read(installation.deliveries / "insured_population" / "insured_population_2022.csv.gz")
    claims_path = installation.deliveries / "claims" / "claims_2022.csv.gz"
    claims = read(claims_path)
    of_town = claims["person_key"].isin(insured.loc[insured["municipality_code"] == TOWN, "person_key"])
    claims.loc[of_town & claims["care_kind"].eq(KIND), "care_kind"] = "general_practice"
    plain = of_town & claims["performance_code"].eq("OTHER") & claims["debit_credit"].eq("D")
    lines = claims[plain & claims["previous_reference"].eq("")].drop_duplicates("person_key").index[:7]
    assert len(lines) == 7
    claims.loc[lines, ["care_kind", "amount_cents"]] = [KIND, str(ODD_CENTS)]
    # A correction of seven persons alone is refused, so others change a little.
    others = claims[~of_town & claims["debit_credit"].eq("D") & claims["previous_reference"].eq("")]
    others = others.drop_duplicates("person_key").index[:60]
    claims.loc[others, "amount_cents"] = (claims.loc[others, "amount_cents"].astype(int) + 100).astype(str)
    write(claims_path, claims)
    with caplog.at_level("DEBUG"):
        result = installation.run(2022, 2022)
    assert result.success
    with open_warehouse(installation.folder / "work" / "warehouse.duckdb") as warehouse:
        where = "where region_code = ? and period = 2022 and segment = ?"
        exact = warehouse.value(f"select numerator from ind.zvw_cost_standardised {where}", [TOWN, KIND])
        status = warehouse.value(f"select status from safe.indicator_values {where}", [TOWN, KIND])
    assert exact == pytest.approx(7 * ODD_CENTS / 100) and status == "suppressed"
    for place, text in {
        "events": serialized_events(result),
        "publication": published_text(installation),
        "output": "".join([caplog.text, *capfd.readouterr()]),
    }.items():
        assert not [trace for trace in SUM_TRACES if trace in text], place
