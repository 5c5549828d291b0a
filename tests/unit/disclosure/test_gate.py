"""Does the gate suppress every number with too few persons or cases, whatever its method?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests import content
from triple_aim.checks.safe_suites import NUMBERS
from triple_aim.definitions.programme import Programme, _check_spec
from triple_aim.definitions.specs import Spec
from triple_aim.disclosure.protect import COLUMNS, COMPARATOR, ESTIMATE, protect
from triple_aim.errors import ContentError


@pytest.fixture
def programme() -> Programme:
    return content.programme()


def protected_row(programme: Programme, spec: Spec, **changes: object) -> pd.Series:
    """One row of an indicator after the gate; all its counts are large unless changed."""
    row = dict.fromkeys([*ESTIMATE, *COMPARATOR, "persons", "cases", "rest_persons", "rest_cases"], 1000.0)
    row |= {"numerator": 500.0, "cases": 500.0, "rest_cases": 500.0, "status": "published", "reason": ""}
    row |= {"source": next(iter(spec.route_of)), "difference": "higher", "judgement": "worse", "coverage_share": 1.0}
    row |= {"region_type": "municipality", "region_code": "GM0001", "region_name": "One", "period": 2022}
    row |= {"sex": "all", "age_group": "all", "segment_type": "none", "segment": "all", **changes}
    rows = pd.DataFrame([row])
    return protect(rows, spec, programme.publication, 2024, changed=rows).iloc[0]


@pytest.mark.parametrize(
    ("indicator", "changes"),
    [
        ("zvw_cost_per_insured_year", {"persons": 9.0}),
        ("zvw_cost_per_insured_year", {"cases": 9.0}),  # users of one kind of care
        ("costliest_5_percent_share", {"cases": 9.0}),
        ("standardised_mortality_ratio", {"cases": 4.0, "numerator": 4.0}),
        ("avoidable_admissions", {"cases": 3.0, "numerator": 3.0, "status": "not_computed", "value": np.nan}),
        ("polypharmacy_65_plus", {"numerator": 995.0, "cases": 995.0}),  # five who are not a case
        ("zvw_cost_growth", {"persons": 4.0}),
        ("zvw_cost_per_insured_year", {"persons": 9.0, "status": "provisional"}),  # an incomplete year is no exception
        ("emergency_visits_admitted", {"persons": 509.0}),  # nine persons never admitted, whatever their visits
    ],
)
def test_a_row_below_the_threshold_loses_all_numbers(
    programme: Programme, indicator: str, changes: dict[str, object]
) -> None:
    row = protected_row(programme, programme.specs[indicator], **changes)
    assert row["status"] == "suppressed"
    assert row[[*ESTIMATE, *COMPARATOR]].isna().all()
    assert row["difference"] == row["judgement"] == "not_compared"


def test_a_row_above_the_threshold_passes(programme: Programme) -> None:
    row = protected_row(programme, programme.specs["polypharmacy_65_plus"])
    assert row["status"] == "published"
    assert row[[*ESTIMATE, *COMPARATOR]].notna().all()


def test_a_rest_with_few_persons_without_the_trait_is_not_shown(programme: Programme) -> None:
    row = protected_row(programme, programme.specs["polypharmacy_65_plus"], rest_cases=995.0)
    assert row["status"] == "published"
    assert row[COMPARATOR].isna().all()


def test_a_row_without_a_value_shows_no_sums(programme: Programme) -> None:
    row = protected_row(programme, programme.specs["avoidable_admissions"], status="not_delivered")
    assert row[ESTIMATE].isna().all()


def test_the_cases_of_euros_are_users_and_those_of_events_are_events(programme: Programme) -> None:
    routes = {name: spec.compute[0] for name, spec in programme.specs.items()}
    assert routes["standardised_mortality_ratio"].cases and not routes["zvw_cost_ratio"].cases
    for name in ("zvw_cost_per_insured_year", "zvw_cost_standardised", "costliest_5_percent_share"):
        assert routes[name].cases_from


def test_an_unknown_column_in_cases_from_is_refused(programme: Programme) -> None:
    wrong = programme.specs["costliest_5_percent_share"].model_dump(by_alias=True)
    wrong["compute"][0]["cases_from"] = "costliest_count"
    with pytest.raises(ContentError, match="costliest_count"):
        _check_spec(programme, Spec.model_validate(wrong))


def test_the_gate_the_checks_and_the_contract_name_the_same_numbers(programme: Programme) -> None:
    """A number that is missing in one of the lists would stay in a withheld row."""
    (mart,) = [mart for mart in programme.publication.marts if mart.name == "indicator_values"]
    promised = {column.name for column in mart.columns if column.shown_by == "status"}
    assert promised == {*ESTIMATE, *COMPARATOR} == set(NUMBERS)
    assert {column.name for column in mart.columns} == set(COLUMNS)
