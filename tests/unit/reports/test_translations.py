"""Is every reason and unit translated for Dutch readers?"""

from __future__ import annotations

import pandas as pd

from triple_aim.definitions.contracts import Publication
from triple_aim.indicators.non_additive import REASON
from triple_aim.indicators.rows import ABSENT, NO_VALUE, OTHERS, TOO_FEW
from triple_aim.reports.translations import REASONS, translate_to_dutch


def test_units_and_reasons_are_translated(promise: Publication) -> None:
    indicators = pd.DataFrame({"unit_en": ["percent"], "unit_nl": ["procent"]})
    reasons = [
        "withheld to protect persons",
        "rests on 5 of 13 municipalities; compared with the other municipalities delivered",
        "fewer than 50 respondents",
        "about 95 % of the euros of the year have been booked, and the value is completed",
        "",
    ]
    rows = pd.DataFrame({"unit": ["percent", "percent", "new", "", ""], "reason": reasons})
    translated = translate_to_dutch(rows, indicators, promise)
    assert translated["unit"].tolist() == ["procent", "procent", "new", "", ""]
    assert translated["reason"].tolist() == [
        "niet getoond om personen te beschermen",
        "berust op 5 van 13 gemeenten; vergeleken met de andere geleverde gemeenten",
        "minder dan 50 respondenten",
        "ongeveer 95% van de euro's van het jaar is geboekt, en de waarde is aangevuld",
        "",
    ]


def test_every_reason_of_the_engine_has_a_translation() -> None:
    assert {ABSENT, TOO_FEW, NO_VALUE, OTHERS, REASON} <= set(REASONS)
