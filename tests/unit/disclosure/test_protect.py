"""Does the gate suppress rows below the threshold, and every column that would reveal their number?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import ROOT, specs
from triple_aim.definitions.contracts import load_publication
from triple_aim.disclosure.primary import below_threshold
from triple_aim.disclosure.protect import COLUMNS, COMPARATOR, ESTIMATE, audit, protect
from triple_aim.errors import DisclosureError

PUBLICATION = load_publication(Path(ROOT) / "contracts")


def rows(**changes: object) -> pd.DataFrame:
    """One publishable row of polypharmacy, with changes."""
    row = {
        "source": "claims", "region_type": "municipality", "region_code": "GM0034", "region_name": "Almere",
        "period": 2022, "sex": "all", "age_group": "all", "segment_type": "none", "segment": "all", "value": 20.0,
        "lower": 15.0, "upper": 26.0, "numerator": 40.0, "denominator": 200.0, "persons": 200.0, "cases": 40.0,
        "rest_persons": 900.0, "rest_cases": 150.0, "status": "published", "reason": "", "coverage_share": 1.0,
        "comparator_value": 16.0, "comparator_lower": 14.0, "comparator_upper": 18.0, "difference": "higher",
        "judgement": "worse",
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


def protected_row(**changes: object) -> pd.Series:
    safe = protect(rows(**changes), specs()["polypharmacy_65_plus"], PUBLICATION, 2024)
    assert list(safe) == COLUMNS
    audit(safe)
    return safe.iloc[0]


def test_a_publishable_row_keeps_its_numbers() -> None:
    safe = protected_row()
    assert safe["status"] == "published" and safe["value"] == 20.0 and safe["judgement"] == "worse"
    assert not {"persons", "cases", "rest_persons", "rest_cases"} & set(safe.index)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"persons": 9.0}, id="few persons"),
        pytest.param({"cases": 9.0, "numerator": 9.0}, id="few cases"),
        pytest.param({"cases": 0.0, "numerator": 0.0}, id="no case: reveals the trait of everybody"),
        pytest.param({"cases": 195.0, "numerator": 195.0}, id="few without the trait"),
    ],
)
def test_a_small_cell_loses_every_column_that_reveals_it(changes: dict[str, float]) -> None:
    safe = protected_row(**changes)
    assert safe["status"] == "suppressed"
    assert safe["reason"] == "fewer than 10 persons or cases"
    assert safe[[*ESTIMATE, *COMPARATOR]].isna().all()
    assert safe["difference"] == safe["judgement"] == "not_compared"


def test_a_small_rest_is_hidden_and_the_region_is_shown() -> None:
    safe = protected_row(rest_persons=8.0)
    assert safe["status"] == "published" and safe["value"] == 20.0
    assert safe[COMPARATOR].isna().all() and safe["difference"] == "not_compared"


def test_a_spec_may_tighten_the_threshold_of_its_source() -> None:
    strict = specs()["polypharmacy_65_plus"].model_copy(update={"disclosure": {"threshold": 500}})
    assert protect(rows(), strict, PUBLICATION, 2024)["status"].tolist() == ["suppressed"]
    loose = specs()["polypharmacy_65_plus"].model_copy(update={"disclosure": {"threshold": 1}})
    assert protect(rows(persons=9.0), loose, PUBLICATION, 2024)["status"].tolist() == ["suppressed"]


@pytest.mark.parametrize("column", [*ESTIMATE[:3], *COMPARATOR])
@pytest.mark.parametrize("status", ["suppressed", "not_computed", "not_delivered"])
def test_the_audit_refuses_a_withheld_row_that_shows_a_number(column: str, status: str) -> None:
    leaking = protect(rows(), specs()["polypharmacy_65_plus"], PUBLICATION, 2024).assign(status=status)
    leaking[[*ESTIMATE, *COMPARATOR]] = np.nan
    audit(leaking)
    with pytest.raises(DisclosureError, match="1 withheld rows still show a number"):
        audit(leaking.assign(**{column: 1.0}))


def test_an_indicator_without_rows_has_the_columns_of_the_mart() -> None:
    assert list(protect(pd.DataFrame(), specs()["smoking"], PUBLICATION, 2024)) == COLUMNS


def test_a_count_that_does_not_apply_suppresses_nothing() -> None:
    assert not below_threshold([100.0], [np.nan], [np.nan], min_persons=10, min_cases=10).any()
    with pytest.raises(ValueError, match="cannot be negative"):
        below_threshold([1], [1], [1], min_persons=-1, min_cases=0)
