"""Does the trend of a row use five published years, and the words of the indicator's polarity?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import specs
from triple_aim.definitions.specs import Compare, Spec
from triple_aim.disclosure.trend import SERIES, trends


def spec(polarity: str = "lower_is_better") -> Spec:
    compare = Compare(to="rest_of_nl", method="interval_overlap", trend="five_point_wls")
    return specs()["mortality"].model_copy(update={"compare": compare, "polarity": polarity})


def rows(values: list[float], start: int = 2018) -> pd.DataFrame:
    value = np.array(values)
    frame = pd.DataFrame({"value": value, "lower": value - 1, "upper": value + 1})
    return frame.assign(period=start + np.arange(len(value)), **dict.fromkeys(SERIES, "all"))


@pytest.mark.parametrize(
    ("polarity", "word"),
    [("lower_is_better", "worsening"), ("higher_is_better", "improving"), ("no_judgement", "rising")],
)
def test_the_label_of_five_rising_years_depends_on_the_polarity(polarity: str, word: str) -> None:
    assert trends(rows([10.0, 12, 14, 16, 18]), spec(polarity)).tolist() == ["not_tested"] * 4 + [word]


def test_a_level_series_shows_no_demonstrable_change() -> None:
    assert trends(rows([10.0, 10.2, 9.9, 10.1, 10]), spec())[-1] == "no_demonstrable_change"


def test_with_a_withheld_or_missing_year_the_trend_is_not_tested() -> None:
    assert set(trends(rows([10.0, 12, np.nan, 16, 18]), spec())) == {"not_tested"}
    assert set(trends(rows([10.0, 12, 14, 16, 18, 20]).drop(index=2), spec())) == {"not_tested"}


def test_series_are_tested_separately() -> None:
    both = pd.concat([rows([10.0, 12, 14, 16, 18]), rows([18.0, 16, 14, 12, 10]).assign(sex="M")], ignore_index=True)
    labels = trends(both, spec())
    assert labels[4] == "worsening" and labels[9] == "improving"


def test_an_indicator_without_a_trend_test_has_no_trend() -> None:
    plain = spec().model_copy(update={"compare": Compare(to="rest_of_nl", method="interval_overlap")})
    assert set(trends(rows([10.0, 12, 14, 16, 18]), plain)) == {"not_tested"}
