"""Does the gate withhold what rests on too few, and everything that would tell of it?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import ROOT, specs
from triple_aim.definitions.contracts import load_publication
from triple_aim.disclosure.primary import too_small
from triple_aim.disclosure.protect import COLUMNS, COMPARATOR, OWN, audit, protect
from triple_aim.errors import DisclosureError

PROMISE = load_publication(Path(ROOT) / "contracts")


def rows(**changes: object) -> pd.DataFrame:
    """One sound row of polypharmacy, with changes."""
    sound = {
        "source": "claims", "region_type": "municipality", "region_code": "GM0034", "region_name": "Almere",
        "period": 2022, "sex": "all", "age_group": "all", "segment_type": "none", "segment": "all", "value": 20.0,
        "lower": 15.0, "upper": 26.0, "numerator": 40.0, "denominator": 200.0, "persons": 200.0, "cases": 40.0,
        "rest_persons": 900.0, "rest_cases": 150.0, "status": "published", "reason": "", "coverage_share": 1.0,
        "comparator_value": 16.0, "comparator_lower": 14.0, "comparator_upper": 18.0, "difference": "higher",
        "judgement": "worse",
    }  # fmt: skip
    return pd.DataFrame([{**sound, **changes}])


def gated(**changes: object) -> pd.Series:
    safe = protect(rows(**changes), specs()["polypharmacy_65_plus"], PROMISE, 2024)
    assert list(safe) == COLUMNS
    audit(safe)
    return safe.iloc[0]


def test_a_sound_row_passes_whole() -> None:
    safe = gated()
    assert safe["status"] == "published" and safe["value"] == 20.0 and safe["judgement"] == "worse"
    assert not {"persons", "cases", "rest_persons", "rest_cases"} & set(safe.index)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"persons": 9.0}, id="few persons"),
        pytest.param({"cases": 9.0, "numerator": 9.0}, id="few cases"),
        pytest.param({"cases": 0.0, "numerator": 0.0}, id="no case at all: told of everybody"),
        pytest.param({"cases": 195.0, "numerator": 195.0}, id="few without the trait"),
    ],
)
def test_a_small_cell_loses_all_that_tells_of_it(changes: dict[str, float]) -> None:
    safe = gated(**changes)
    assert safe["status"] == "suppressed"
    assert safe["reason"] == "fewer than 10 persons or cases"
    assert safe[[*OWN, *COMPARATOR]].isna().all()
    assert safe["difference"] == safe["judgement"] == "not_compared"


def test_a_small_rest_is_hidden_and_the_region_stays() -> None:
    safe = gated(rest_persons=8.0)
    assert safe["status"] == "published" and safe["value"] == 20.0
    assert safe[COMPARATOR].isna().all() and safe["difference"] == "not_compared"


def test_a_spec_may_tighten_the_threshold_of_its_source() -> None:
    strict = specs()["polypharmacy_65_plus"].model_copy(update={"disclosure": {"threshold": 500}})
    assert protect(rows(), strict, PROMISE, 2024)["status"].tolist() == ["suppressed"]
    loose = specs()["polypharmacy_65_plus"].model_copy(update={"disclosure": {"threshold": 1}})
    assert protect(rows(persons=9.0), loose, PROMISE, 2024)["status"].tolist() == ["suppressed"]


@pytest.mark.parametrize("column", [*OWN[:3], *COMPARATOR])
@pytest.mark.parametrize("status", ["suppressed", "not_computed", "not_delivered"])
def test_the_audit_refuses_a_withheld_row_that_shows_a_number(column: str, status: str) -> None:
    leaking = protect(rows(), specs()["polypharmacy_65_plus"], PROMISE, 2024).assign(status=status)
    leaking[[*OWN, *COMPARATOR]] = np.nan
    audit(leaking)
    with pytest.raises(DisclosureError, match="1 withheld rows still show a number"):
        audit(leaking.assign(**{column: 1.0}))


def test_an_indicator_without_rows_has_the_columns_of_the_mart() -> None:
    assert list(protect(pd.DataFrame(), specs()["smoking"], PROMISE, 2024)) == COLUMNS


def test_a_number_that_does_not_exist_withholds_nothing() -> None:
    assert not too_small([100.0], [np.nan], [np.nan], least_persons=10, least_cases=10).any()
    with pytest.raises(ValueError, match="cannot be negative"):
        too_small([1], [1], [1], least_persons=-1, least_cases=0)
