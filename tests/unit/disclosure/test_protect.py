"""Does the gate suppress rows below the threshold, and every column that would reveal their number?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import specs
from tests.unit.disclosure.modes import PUBLICATION, with_mode
from triple_aim.definitions.specs import Spec
from triple_aim.disclosure.primary import below_threshold
from triple_aim.disclosure.protect import COLUMNS, COMPARATOR, ESTIMATE, audit, protect
from triple_aim.errors import DisclosureError

SPEC = specs()["polypharmacy_65_plus"]


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


def protected(exact: pd.DataFrame, changed: pd.DataFrame | None = None, spec: Spec = SPEC) -> pd.DataFrame:
    """The rows after the gate; without other changed rows, sums whose change was zero."""
    return protect(exact, spec, PUBLICATION, 2024, changed=exact if changed is None else changed)


def protected_row(**changes: object) -> pd.Series:
    safe = protected(rows(**changes))
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
    assert safe["reason"] == "withheld to protect persons"
    assert safe[[*ESTIMATE, *COMPARATOR]].isna().all()
    assert safe["difference"] == safe["judgement"] == "not_compared"


def test_a_small_rest_is_hidden_and_the_region_is_shown() -> None:
    safe = protected_row(rest_persons=8.0)
    assert safe["status"] == "published" and safe["value"] == 20.0
    assert safe[COMPARATOR].isna().all() and safe["difference"] == "not_compared"


def test_a_spec_may_tighten_the_threshold_of_its_source() -> None:
    strict = SPEC.model_copy(update={"disclosure": {"threshold": 500}})
    assert protected(rows(), spec=strict)["status"].tolist() == ["suppressed"]
    loose = SPEC.model_copy(update={"disclosure": {"threshold": 1}})
    assert protected(rows(persons=9.0), spec=loose)["status"].tolist() == ["suppressed"]


@pytest.mark.parametrize("column", [*ESTIMATE[:3], *COMPARATOR])
@pytest.mark.parametrize("status", ["suppressed", "not_computed", "not_delivered"])
def test_the_audit_refuses_a_withheld_row_that_shows_a_number(column: str, status: str) -> None:
    leaking = protected(rows()).assign(status=status)
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


def test_printed_numbers_are_those_of_the_changed_sums_and_rounded() -> None:
    changed = rows(
        value=20.51234, lower=15.4321, upper=26.51, numerator=41.0, denominator=199.6, coverage_share=0.66666
    )
    safe = protected(rows(), changed).iloc[0]
    assert safe[ESTIMATE].tolist() == [20.51, 15.43, 26.51, 41.0, 200.0]
    assert safe["coverage_share"] == 0.667


@pytest.mark.parametrize("changes", [{"persons": 9.0}, {"cases": 9.0}, {"numerator": 195.0, "cases": 195.0}])
def test_the_thresholds_hold_for_changed_counts_too(changes: dict[str, float]) -> None:
    assert protected(rows(), rows(**changes)).iloc[0]["status"] == "suppressed"
    assert protected(rows(**changes), rows()).iloc[0]["status"] == "suppressed"


@pytest.mark.parametrize("column", ["relative_noise", "concentration"])
def test_a_value_that_noise_drowns_or_one_person_dominates_is_withheld(column: str) -> None:
    quiet = rows().assign(relative_noise=0.199, concentration=0.452)
    assert protected(rows(), quiet).iloc[0]["status"] == "published"
    assert protected(rows(), quiet.assign(**{column: quiet[column] + 0.002})).iloc[0]["status"] == "suppressed"


def test_the_least_number_of_effective_contributors_implies_the_p_percent_rule() -> None:
    """Whatever the amounts, the others never leave less than the share p of the largest amount."""
    share, least = PUBLICATION.noise.share, PUBLICATION.noise.effective_contributors
    assert least >= 1 + (1 + share) ** 2
    rng = np.random.default_rng(7)
    amounts = np.sort(rng.pareto(rng.uniform(0.3, 3, (20_000, 1)), (20_000, 12)), axis=1)[:, ::-1]
    total = amounts.sum(axis=1)
    passes = total**2 >= least * (amounts**2).sum(axis=1)
    breaks_rule = total - amounts[:, 0] - amounts[:, 1] < share * amounts[:, 0]
    assert passes.any() and breaks_rule.any()
    assert not (passes & breaks_rule).any()


def test_a_share_of_nearly_everybody_is_withheld() -> None:
    assert protected_row(numerator=179.0, cases=179.0)["status"] == "published"
    assert protected_row(numerator=180.0, cases=180.0)["status"] == "suppressed"


def test_a_comparator_beside_a_withheld_country_is_withheld() -> None:
    """Region and rest would add up to the country."""
    country = {"region_type": "nl", "region_code": "NL01"}
    both = pd.concat([rows(), rows(**country, persons=9.0)], ignore_index=True)
    safe = protected(both)
    assert safe["status"].tolist() == ["published", "suppressed"]
    assert safe.loc[0, COMPARATOR].isna().all() and safe.loc[0, "judgement"] == "not_compared"


def test_rows_without_changed_sums_are_refused() -> None:
    with pytest.raises(DisclosureError, match="1 rows of claims have no changed sums"):
        protect(rows(), SPEC, PUBLICATION, 2024)


def test_a_sample_shows_no_sums_of_answers_and_a_changed_number_of_respondents() -> None:
    spec = specs()["smoking"]
    exact = rows(source="survey", persons=200.0, cases=40.0)
    safe = protected(exact, exact.assign(denominator=203.0), spec).iloc[0]
    assert np.isnan(safe["numerator"]) and safe["denominator"] == 203.0 and safe["value"] == 20.0
    assert protected(exact, exact.assign(denominator=49.0), spec).iloc[0]["status"] == "suppressed"


def test_the_mode_suppress_publishes_one_hierarchy_and_one_indicator_of_a_numerator() -> None:
    narrow = with_mode("suppress", ["ggd_region", "nl"])
    assert protect(rows(), SPEC, narrow, 2024).iloc[0]["status"] == "suppressed"
    assert protect(rows(region_type="nl"), SPEC, narrow, 2024).iloc[0]["status"] == "published"
    earlier = SPEC.model_copy(update={"id": "aaa_first"})
    safe = protect(rows(region_type="nl"), SPEC, narrow, 2024, others=[earlier])
    assert safe.iloc[0]["status"] == "suppressed"
