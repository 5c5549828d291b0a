"""Does a value of a person ever leave staging? Canaries are planted in rows and looked for in all that comes out."""

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

PERSON = "c0ffee0ddba11ca7"
CANARIES = {
    "person_key": PERSON,
    "claim_id": "CANARYCLAIM",
    "provider_code": "CANARYPROVIDER",
    "reference_number": "CANARYREF",
}
TRACES = (PERSON, "CANARY")


def planted(installation: Installation, **spoilt: str) -> None:
    """Give one insured person and all their claims of 2022 the canaries; ``spoilt`` goes into these claims as well."""
    claims_path = installation.deliveries / "claims" / "claims_2022.csv.gz"
    claims = read(claims_path)
    key = claims["person_key"].value_counts().index[0]
    theirs = claims["person_key"].eq(key)
    claims.loc[theirs, "person_key"] = PERSON
    numbers = theirs[theirs].index.astype(str)
    for column, canary in CANARIES.items():
        claims.loc[theirs, column] = canary + ("" if column == "provider_code" else numbers)
    claims.loc[theirs, "previous_reference"] = ""
    for column, value in spoilt.items():
        claims.loc[theirs, column] = value
    write(claims_path, claims)
    insured_path = installation.deliveries / "insured_population" / "insured_population_2022.csv.gz"
    write(insured_path, read(insured_path).replace({"person_key": {key: PERSON}}))


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)


def write(path: Path, rows: pd.DataFrame) -> None:
    text = io.StringIO()
    rows.to_csv(text, sep=";", index=False)
    path.write_bytes(gzip.compress(text.getvalue().encode()))


def told(result: dg.ExecuteInProcessResult) -> str:
    """Every event of a run, as Dagster would store it."""
    return "\n".join(f"{event.message}\n{serialize_value(event)}" for event in result.all_events)


def seen(installation: Installation) -> str:
    """Every byte of the publication, with the cells of compressed tables."""
    parts = []
    for path in sorted(installation.publication.rglob("*")):
        if path.is_file():
            parts.append(path.read_bytes().decode("latin-1"))
        if path.suffix == ".parquet":
            parts.append(pd.read_parquet(path).to_csv())
    return "\n".join(parts)


def assert_no_trace(result: dg.ExecuteInProcessResult, installation: Installation, *output: str) -> None:
    for place, text in {"events": told(result), "publication": seen(installation), "output": "".join(output)}.items():
        found = [trace for trace in TRACES if trace in text]
        assert not found, f"{found} in {place}"


def test_no_value_of_a_person_leaves_an_accepted_delivery(
    installation: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    planted(installation)
    before = installation.current()
    with caplog.at_level("DEBUG"):
        result = installation.run(2022, 2022)
    assert result.success and installation.current() != before
    assert_no_trace(result, installation, caplog.text, *capfd.readouterr())


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param({"person_key": "CANARYPERSON"}, id="a key of another shape"),
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
    spoilt: dict[str, str],
) -> None:
    planted(installation, **spoilt)
    if "reference_number" in spoilt:  # as a careless export writes it
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
    """No row may be set aside, so that one person's rows are enough to be refused."""
    claims = programme.contracts["claims"].model_copy(update={"set_aside": SetAside(max_share=0.0)})
    return dataclasses.replace(programme, contracts={**programme.contracts, "claims": claims})


def test_an_error_nobody_foresaw_tells_no_value(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def careless(*given: object) -> list[str]:
        raise ValueError(f"cannot read {PERSON}")

    monkeypatch.setattr("assets.cubes.municipality_codes", careless)
    result = installation.run(2022, 2022, only="cube/claims")
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "unforeseen ValueError" in failure.step_failure_data.user_failure_data.description
    assert_no_trace(result, installation, *capfd.readouterr())
