"""Does life expectancy use the deaths of the region by age, and healthy life expectancy the right wave and ages?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import FLEVOLAND, cells, ggd_of, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.indicators.compute import indicator_rows
from triple_aim.stats.life_table import healthy_life_expectancy, life_expectancy

GGD = ggd_of("GM0034")
BANDS = ("00-04", "05-19", "20-64", "65-79", "80+")
AGES = [0, 5, 20, 65, 80]
RATE = np.array([0.002, 0.0002, 0.002, 0.02, 0.12])
YEARS = 10_000.0
WAVES = (2020, 2021, 2022)
OWN = ["region_code", "period", "sex", "value", "lower", "upper", "persons", "cases", "status"]


def mortality(periods: tuple[int, ...] = WAVES, **sums: object) -> Cells:
    return cells({"death_count": RATE * YEARS, "person_years": YEARS, **sums}, periods=periods, bands=BANDS)


def survey(period: int, share: float, respondents: float = 200.0, codes: Sequence[str] = FLEVOLAND) -> Cells:
    """Weights of 1, one stratum per municipality, half the respondents of either sex."""
    yes = share * respondents
    sums = {
        "respondent_count": respondents, "answer_count": respondents, "answer_sum": yes,
        "weight_sum": respondents, "weighted_answer_sum": yes, "weight_sumsq": respondents,
        "weighted_answer_cross_sum": yes, "weighted_answer_sumsq": yes,
    }  # fmt: skip
    axes = {"stratum": ["1"], "item": ["good_self_rated_health"]}
    return cells(sums, periods=(period,), codes=codes, bands=("18-64", "65+"), **axes)


def computed(indicator: str, **cubes: Cells) -> pd.DataFrame:
    return indicator_rows(specs()[indicator], cubes, regions(), tables())


def row(rows: pd.DataFrame, period: int, sex: str = "all", region: str = GGD) -> pd.Series:
    return rows[(rows["region_code"] == region) & (rows["period"] == period) & (rows["sex"] == sex)].iloc[0]


def test_pooled_deaths_give_the_expectancy_of_the_table() -> None:
    found = row(computed("life_expectancy", mortality=mortality()), 2022)
    persons = 3 * len(FLEVOLAND) * 2 * YEARS
    wanted = life_expectancy(RATE * persons, np.full(5, persons), AGES)
    assert found["value"] == pytest.approx(wanted.value.item())
    assert found["lower"] == pytest.approx(wanted.lower.item())
    assert found["numerator"] == pytest.approx((RATE * persons).sum())


def test_a_year_without_the_years_before_it_is_not_pooled() -> None:
    rows = computed("life_expectancy", mortality=mortality(periods=(2019, 2021, 2022, 2023)))
    assert set(rows["period"]) == {2023}
    assert row(rows, 2023)["status"] == "published"


def test_each_sex_has_its_own_expectancy() -> None:
    sexes = np.array([1.0, 2.0]).reshape(1, 1, 2, 1)
    rows = computed("life_expectancy", mortality=mortality(death_count=RATE * YEARS * sexes))
    assert row(rows, 2022, "M")["value"] < row(rows, 2022)["value"] < row(rows, 2022, "F")["value"]


def test_health_comes_from_the_latest_wave_within_the_pooled_years() -> None:
    spec = specs()["healthy_life_expectancy"]
    at = spec.compute[0].at
    rows = computed("healthy_life_expectancy", mortality=mortality(), survey=survey(2021, 0.75))
    persons = 3 * len(FLEVOLAND) * 2 * YEARS
    asked = 200 * len(FLEVOLAND) * 2 * 1.0
    # One stratum per municipality of 800 respondents, of whom 400 in each band: the variance of a domain.
    share = [np.nan, np.nan, 0.75, 0.75, 0.75]
    wanted = healthy_life_expectancy(RATE * persons, np.full(5, persons), AGES, share, share_variance=0.0, at=at or 0)
    found = row(rows, 2022)
    assert found["value"] == pytest.approx(wanted.value.item())
    assert found["lower"] < wanted.lower.item()  # the sample adds to the chance in deaths
    assert found["persons"] == pytest.approx(min(asked, persons))


def test_a_survey_may_cover_other_regions_than_the_deaths() -> None:
    own = computed("healthy_life_expectancy", mortality=mortality(), survey=survey(2021, 0.75))
    for codes in ((*FLEVOLAND, "GM0363"), ("GM0014", *FLEVOLAND)):
        more = computed("healthy_life_expectancy", mortality=mortality(), survey=survey(2021, 0.75, codes=codes))
        pd.testing.assert_frame_equal(more[more["region_type"] != "nl"][OWN], own[own["region_type"] != "nl"][OWN])
    fewer = computed("healthy_life_expectancy", mortality=mortality(), survey=survey(2021, 0.75, codes=("GM0363",)))
    assert row(fewer, 2022)["status"] == "not_computed"


def test_without_a_wave_in_the_pooled_years_there_is_no_healthy_expectancy() -> None:
    rows = computed("healthy_life_expectancy", mortality=mortality(), survey=survey(2018, 0.75))
    assert row(rows, 2022)["status"] == "not_computed"


def test_without_any_survey_there_is_no_healthy_expectancy_and_no_error() -> None:
    nothing = cells({}, (), (), (), (), stratum=[], item=[])
    rows = computed("healthy_life_expectancy", mortality=mortality(), survey=nothing)
    assert row(rows, 2022)["status"] == "not_computed"


def test_two_years_are_not_pooled_to_three() -> None:
    assert computed("life_expectancy", mortality=mortality(periods=(2021, 2022))).empty
