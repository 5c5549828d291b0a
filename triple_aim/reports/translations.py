"""Dutch translations of the reasons and units that marts hold in English.

Not here: titles and meanings, which specs hold in both languages, or codes such as a status, which stay codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from triple_aim.definitions import Publication

#: A pattern for each reason that the engine writes; a test checks that none is missing.
REASONS = {
    "nothing was delivered": "niets geleverd",
    "too few municipalities delivered": "te weinig gemeenten leverden",
    "cannot be computed from what was delivered": "niet te berekenen uit wat is geleverd",
    "ranks everyone, which cannot be done with the sums of several parties": (
        "rangschikt iedereen, wat niet kan met de sommen van meerdere partijen"
    ),
    "suppressed by the source": "door de bron onderdrukt",
    "fewer than 5 answers": "minder dan 5 antwoorden",
    "fewer than 50 respondents": "minder dan 50 respondenten",
    r"rests on (\d+) of (\d+) municipalities": r"berust op \1 van \2 gemeenten",
    r"about (\d+) % of the euros of the year have been booked": r"ongeveer \1% van de euro's van het jaar is geboekt",
    "and the value is completed": "en de waarde is aangevuld",
    "compared with the other municipalities delivered": "vergeleken met de andere geleverde gemeenten",
}


def translate_to_dutch(rows: pd.DataFrame, indicators: pd.DataFrame, promise: Publication) -> pd.DataFrame:
    """Rows of a mart with units and reasons in Dutch."""
    units = dict(zip(indicators["unit_en"], indicators["unit_nl"], strict=True))
    words: Mapping[str, str] = {re.escape(promise.withheld.en): promise.withheld.nl} | REASONS
    translated = {
        name: rows[name].map(lambda unit: units.get(unit, unit)) for name in rows.columns if name.endswith("unit")
    }
    if "reason" in rows:
        texts = rows["reason"]
        # The longest first: a short reason can be the start of a longer one.
        for english in sorted(words, key=len, reverse=True):
            texts = texts.str.replace(english, words[english], regex=True)
        translated["reason"] = texts
    return rows.assign(**translated)
