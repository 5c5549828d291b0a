"""Does a survey route select domains without changing the design, and count the persons of the smaller group?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import FLEVOLAND, cells, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.definitions.specs import Compute, Spec
from triple_aim.indicators.methods.survey import coarse_weights, gap_groups, survey_blocks

EDUCATION = ["high", "low", "middle", "unknown"]


def answers(yes: np.ndarray) -> dict[str, np.ndarray]:
    """The sums of so many yeses of weight 3."""
    squares = {"weighted_answer_cross_sum": 9 * yes, "weighted_answer_sumsq": 9 * yes}
    return {"answer_sum": yes, "weighted_answer_sum": 3 * yes, **squares}


def sample(yes: float = 12.0, **changes: np.ndarray) -> Cells:
    """Two strata of age; in each cell of sex, age and education 20 respondents of weight 3."""
    own = np.eye(2)[:, :, None, None]  # a stratum holds one age group: (band, stratum, item, education)
    sums = {
        "respondent_count": 20 * own,
        "answer_count": 20 * own,
        "weight_sum": 60 * own,
        "weight_sumsq": 180 * own,
        **answers(yes * own),
    }
    return cells(
        {**sums, **changes},
        bands=("18-64", "65+"),
        stratum=["1", "2"],
        item=["good_self_rated_health"],
        education=EDUCATION,
    )


def rows_of(spec: Spec, cube: Cells, **changes: object) -> pd.DataFrame:
    route = spec.compute[0].model_copy(update=changes)
    blocks = survey_blocks(spec, route, {"survey": cube}, "survey", regions(), tables())
    return pd.concat(block.frame() for block in blocks).set_index(["region_code", "sex", "age_group"])


def total(rows: pd.DataFrame, code: str = FLEVOLAND[0]) -> pd.Series:
    return rows.loc[(code, "all", "all")]


def test_a_filter_is_a_domain_and_does_not_change_the_sample() -> None:
    """A domain of half the respondents has another variance than a sample of half the size."""
    spec, cube = specs()["good_self_rated_health"], sample()
    item = {"item": ["good_self_rated_health"]}
    half = total(rows_of(spec, cube, where={**item, "education": ["high", "low"]}))
    kept = cube.keep("education", np.array([True, True, False, False]))
    alone = total(rows_of(spec, kept, where=item))
    assert half["value"] == alone["value"] == 60
    assert half["denominator"] == alone["denominator"] == 160
    assert half["upper"] - half["lower"] != pytest.approx(alone["upper"] - alone["lower"], rel=1e-6)


def test_a_gap_is_the_best_off_minus_the_worst_off_with_the_persons_of_the_smaller_group() -> None:
    level = np.array([18.0, 6.0, 12.0, 12.0]) * np.eye(2)[:, :, None, None]
    cube = sample(**answers(level))
    row = total(rows_of(specs()["good_health_education_gap"], cube))
    assert row["value"] == pytest.approx(60) and row["lower"] < 60 < row["upper"]
    assert (row["persons"], row["cases"]) == (80, 8)  # 80 with low education; 8 of those with high are not healthy
    assert (row["numerator"], row["denominator"]) == (96, 160)


def test_a_group_that_nobody_delivered_has_no_gap() -> None:
    cube = sample().keep("education", np.array([False, True, True, True]))
    assert np.isnan(total(rows_of(specs()["good_health_education_gap"], cube))["value"])


@pytest.mark.parametrize("wanted", [["low"], ["low", "middle", "high"]])
def test_a_gap_between_other_than_two_groups_is_refused(wanted: list[str]) -> None:
    route: Compute = specs()["good_health_education_gap"].compute[0].model_copy(update={"where": {"education": wanted}})
    with pytest.raises(ValueError, match="between two groups"):
        gap_groups(route)


def test_a_standardised_share_uses_the_age_weights_of_the_standard() -> None:
    by_age = np.array([16.0, 8.0])[:, None, None, None] * np.eye(2)[:, :, None, None]
    cube = sample(**answers(by_age))
    row = total(rows_of(specs()["good_self_rated_health_standardised"], cube))
    young, old = coarse_weights(tables().standards["nl_2021"], ["18-64", "65+"])
    assert row["value"] == pytest.approx((80 * young + 40 * old) / (young + old))
    assert total(rows_of(specs()["good_self_rated_health"], cube))["value"] == pytest.approx(60)


def test_a_wide_band_gets_its_part_of_the_standard() -> None:
    standard = {"15-19": 50.0, "20-24": 10.0, "60-64": 5.0, "65-69": 4.0, "90+": 1.0}
    np.testing.assert_allclose(coarse_weights(standard, ["18-64", "65+"]), [20 + 10 + 5, 5])


def test_a_mean_has_no_cases_for_disclosure_control() -> None:
    own = np.eye(2)[:, :, None, None]
    scores = {
        "answer_sum": 150,
        "weighted_answer_sum": 450,
        "weighted_answer_cross_sum": 1350,
        "weighted_answer_sumsq": 10300,
    }
    cube = sample(**{name: value * own for name, value in scores.items()})
    row = total(rows_of(specs()["gp_rating"], cube, where={"item": ["good_self_rated_health"]}))
    assert row["value"] == pytest.approx(7.5)
    assert row["numerator"] == 150 * 16 and np.isnan(row["cases"])
    assert row["persons"] == row["denominator"] == 320


def test_what_was_not_delivered_is_missing_and_never_zero() -> None:
    cube = sample()
    for array in cube.sums.values():
        array[:, 1] = np.nan
    for name in ("good_self_rated_health", "good_self_rated_health_standardised", "good_health_education_gap"):
        row = total(rows_of(specs()[name], cube), FLEVOLAND[1])
        assert np.isnan([row["value"], row["denominator"]]).all()
