"""Are percentages that others published copied unchanged, with the reason for a missing one?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.unit.cells import regions, specs
from triple_aim.indicators.methods.as_published import with_published
from triple_aim.warehouse.connection import open_warehouse


def test_a_published_percentage_is_neither_computed_nor_compared() -> None:
    given = [
        (2024, "nl", "NL01", "smoking", "18-64", "none", 18.0, None),
        (2024, "nl", "NL01", "respondents", "18-64", "none", 240364.0, None),
        (2024, "municipality", "GM0034", "smoking", "18-64", "none", None, "fewer than 50 respondents"),
        (2024, "municipality", "GM9999", "smoking", "18-64", "none", 20.0, None),
        (2024, "unknown", "GM0035", "smoking", "18-64", "region_not_followed", 20.0, None),
        (2024, "nl", "NL01", "obesity", "18-64", "none", 15.0, None),
    ]
    names = ["period", "region_type", "region_code", "item", "age_band", "exclusion", "percent", "suppression"]
    with open_warehouse(None) as warehouse:
        warehouse.create("cube.survey_published", pd.DataFrame(given, columns=names))
        rows = with_published(warehouse, specs()["smoking"], regions(), pd.DataFrame())
    assert rows["region_code"].tolist() == ["GM0034", "NL01"]
    withheld, country = rows.iloc[0], rows.iloc[1]
    assert (withheld["status"], withheld["reason"]) == ("suppressed", "fewer than 50 respondents")
    assert np.isnan(withheld["value"])
    assert (country["value"], country["status"], country["age_group"]) == (18.0, "published", "18-64")
    assert country["denominator"] == 240364 and np.isnan(country["lower"])
    assert (country["difference"], country["source"]) == ("not_compared", "survey_published")


def test_nothing_published_and_nothing_computed_is_an_empty_table_that_can_be_stored() -> None:
    with open_warehouse(None) as warehouse:
        rows = with_published(warehouse, specs()["wmo_use"], regions(), pd.DataFrame())
        warehouse.create("ind.wmo_use", rows)
        assert warehouse.value("select count(*) from ind.wmo_use") == 0
